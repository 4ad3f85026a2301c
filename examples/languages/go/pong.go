// SPDX-License-Identifier: Apache-2.0

// Answers "ping N" with "pong N".
package main

import (
	"strings"
	"theater"
)

//go:wasmexport handle-request
func handleRequest(data string) *theater.Answer {
	theater.Info(data)
	round, ok := strings.CutPrefix(data, "ping")
	if !ok {
		return theater.Fail("I only know ping")
	}
	return theater.Reply("pong" + round)
}

func main() {} // never called: the host calls the handlers
