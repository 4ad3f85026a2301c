// SPDX-License-Identifier: Apache-2.0

// Package theater lets a Go program be an actor. It is the package
// theater:actor@0.1.0 (wit/actor.wit), by the canonical ABI, for
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
//
// An actor exports the handlers that it has, and accepts only those. Each is a
// function of package main with the export's name above it:
//
//	//go:wasmexport run
//	func run()
//
//	//go:wasmexport handle-send
//	func handleSend(data string)
//
//	//go:wasmexport handle-request
//	func handleRequest(data string) *theater.Answer
//
//	//go:wasmexport handle-channel-open
//	func handleChannelOpen(initiator, data string) bool
//
//	//go:wasmexport handle-channel-message
//	func handleChannelMessage(channel, data string)
//
//	//go:wasmexport handle-channel-close
//	func handleChannelClose(channel string)
//
//	//go:wasmexport handle-stop
//	func handleStop(reason string)
//
//	func main() {} // never called
//
// Payloads are strings of bytes: what was received cannot be changed, and lives
// as long as somebody points to it. What is handed over is a string or a
// []byte.
//
// A handler runs alone, and the host is called from the handler's goroutine;
// goroutines of one's own run only while a handler does.
package theater
