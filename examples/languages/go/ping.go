// SPDX-License-Identifier: Apache-2.0

// Asks pong three times, says what it hears, and ends.
package main

import (
	"fmt"
	"theater"
)

//go:wasmexport run
func run() {
	for round := 1; round <= 3; round++ {
		answer, err := theater.Request("pong", fmt.Sprintf("ping %d", round))
		if err != nil {
			theater.Fault("pong did not answer", err)
			return
		}
		theater.Info(answer)
	}
}

func main() {} // never called: the host calls the handlers
