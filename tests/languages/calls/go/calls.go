// SPDX-License-Identifier: Apache-2.0

// Every function of the SDK; two actors of this module talk, and the lines
// that they say are ../expected.txt.
package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"theater"
)

// The collector runs all the time, so that what it must not take is seen.
func init() { debug.SetGCPercent(1) }

func name(err error) string {
	var failure *theater.Error
	var code theater.Code
	switch {
	case errors.As(err, &failure):
		return failure.Code.Error()
	case errors.As(err, &code):
		return code.Error()
	}
	return "ok"
}

func say(format string, args ...any) {
	theater.Info(fmt.Sprintf(format, args...))
}

func messages(to string) {
	accepted, _ := theater.SendBatch(to, []string{"1", "2", "3"})
	say("batch: %d", accepted)
	refusals := theater.Broadcast([]string{to, "nobody", ""}, "4")
	say("broadcast: %s %s %s", name(refusals[0]), name(refusals[1]), name(refusals[2]))
	id, _ := theater.SendAfter(to, "never", 60000)
	say("cancel: %s", name(theater.CancelSend(id)))
	say("cancel: %s", name(theater.CancelSend(id)))
	theater.SendAfter(to, []byte("5"), 10)
}

func requests(to string) {
	answer, _ := theater.Request(to, "defer")
	say("defer: %s", answer)
	_, err := theater.Request(to, "cancel")
	say("request to be cancelled: %s", name(err))
	_, err = theater.RequestWith(to, "sleep", 1)
	say("request-with: %s", name(err))
	_, err = theater.Request(to, "fail")
	say("fail: %s", err)
	answer, err = theater.Request(to, "")
	if err == nil {
		say("empty: %d", len(answer))
	}
	data := make([]byte, 100000)
	for i := range data {
		data[i] = byte(i * 7)
	}
	if answer, _ = theater.Request(to, data); answer == string(data) {
		say("echo: %d", len(answer))
	}
}

//go:wasmexport run
func run() {
	to, ok := theater.InitialState()
	if !ok {
		return
	}
	messages(to)
	requests(to)
	began := theater.NowMs()
	theater.SleepMs(2)
	if theater.NowMs()-began >= 2 {
		say("slept")
	}
	say("I am %s", theater.SelfName())
	if _, ok := theater.Sender(); !ok {
		say("no sender")
	}
	if _, ok := theater.CurrentChannel(); !ok {
		say("no channel")
	}
	channel, _ := theater.OpenChannel(to, "let me in")
	theater.SendOnChannel(channel, "bye")
}

//go:wasmexport handle-send
func handleSend(data string) { say("message %s", data) }

//go:wasmexport handle-request
func handleRequest(data string) *theater.Answer {
	switch data {
	case "fail":
		return theater.Fail("as you wish")
	case "sleep":
		theater.SleepMs(50)
	case "defer", "cancel":
		id, _ := theater.DeferResponse()
		ids := theater.ListOutstandingRequests()
		if len(ids) == 1 && ids[0] == id {
			say("outstanding: %d", len(ids))
		}
		if data == "cancel" {
			theater.CancelRequest(id)
		} else {
			theater.RespondToRequest(id, "later")
		}
	}
	return theater.Reply(strings.Clone(data))
}

//go:wasmexport handle-channel-open
func handleChannelOpen(initiator, data string) bool {
	channel, ok := theater.CurrentChannel()
	theater.SendOnChannel(channel, "welcome, "+initiator)
	return ok && data == "let me in"
}

//go:wasmexport handle-channel-message
func handleChannelMessage(channel, data string) {
	if data == "bye" {
		theater.Stop("done")
		return
	}
	say("%s", data)
}

//go:wasmexport handle-channel-close
func handleChannelClose(channel string) {
	say("closed: %s", name(theater.CloseReason()))
}

//go:wasmexport handle-stop
func handleStop(reason string) { say("stop: %s", reason) }

func main() {}
