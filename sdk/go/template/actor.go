// SPDX-License-Identifier: Apache-2.0

// Greets whoever asks. One whose initial state names another actor asks that
// one, and logs the answer.
package main

import "theater"

//go:wasmexport handle-request
func handleRequest(data string) *theater.Answer {
	return theater.Reply("hello, " + data)
}

//go:wasmexport run
func run() {
	whom, ok := theater.InitialState()
	if !ok {
		return
	}
	answer, err := theater.Request(whom, theater.SelfName())
	if err != nil {
		theater.Fault("no answer", err)
		return
	}
	theater.Info(answer)
}

func main() {} // never called: the host calls the handlers
