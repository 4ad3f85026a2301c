// SPDX-License-Identifier: Apache-2.0

// What it does stands in ../README.md.
package main

import (
	"errors"
	"fmt"
	"strings"
	"theater"
)

func visit(peer string) {
	if err := theater.Send(peer, []byte("hello "+peer)); err != nil {
		theater.Fault("send", err)
	}
	answer, err := theater.Request(peer, "question for "+peer)
	if err != nil {
		theater.Fault("request", err)
	} else {
		theater.Info(answer)
	}
	if _, err = theater.Request(peer, "fail"); errors.Is(err, theater.Failed) {
		theater.Info(peer + ": " + err.Error())
	}
	var failure *theater.Error
	if _, err = theater.OpenChannel(peer, "knock"); errors.As(err, &failure) {
		theater.Info(peer + ": " + failure.Code.Error())
	}
	channel, err := theater.OpenChannel(peer, "channel for "+peer)
	if err == nil {
		err = theater.SendOnChannel(channel, "ping")
	}
	if err != nil {
		theater.Fault("channel", err)
	}
}

//go:wasmexport handle-request
func handleRequest(data string) *theater.Answer {
	if names, ok := strings.CutPrefix(data, "visit "); ok {
		peers := strings.Fields(names)
		for _, peer := range peers {
			visit(peer)
		}
		return theater.Reply(fmt.Sprintf("visited %d", len(peers)))
	}
	if data == "fail" {
		return theater.Fail("not today")
	}
	return theater.Reply(data + ", answered by " + theater.SelfName())
}

//go:wasmexport handle-send
func handleSend(data string) {
	sender, _ := theater.Sender()
	theater.Info(data + ", from " + sender)
}

//go:wasmexport handle-channel-open
func handleChannelOpen(initiator, data string) bool {
	if !strings.HasPrefix(data, "channel ") {
		return false
	}
	theater.Info(data + ", opened by " + initiator)
	return true
}

//go:wasmexport handle-channel-message
func handleChannelMessage(channel, data string) {
	if data == "ping" {
		theater.SendOnChannel(channel, "pong of "+theater.SelfName())
		return
	}
	theater.Info(data)
	theater.CloseChannel(channel)
}

//go:wasmexport handle-channel-close
func handleChannelClose(channel string) {
	theater.Info("channel closed")
}

func main() {}
