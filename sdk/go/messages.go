// SPDX-License-Identifier: Apache-2.0

package theater

import (
	"structs"
	"unsafe"
)

// Data is what may be sent. It is copied before the call returns.
type Data interface{ ~string | ~[]byte }

// Send sends one-way. No error means accepted: it is handled once, or becomes
// one dead letter. To a full mailbox it waits or fails, as the manifest's
// when_full says.
func Send[D Data](target string, data D) error {
	out := new(result)
	enter()
	defer leave()
	hostSend(target, raw(data), unsafe.Pointer(out))
	return out.err()
}

// SendBatch sends many messages to one target, in order, and answers how many
// were accepted.
func SendBatch[D Data](target string, messages []D) (int, error) {
	items := views(messages)
	out := new(result)
	enter()
	defer leave()
	hostSendBatch(target, unsafe.Pointer(unsafe.SliceData(items)),
		uint32(len(items)), unsafe.Pointer(out))
	handed = nil
	if err := out.err(); err != nil {
		return 0, err
	}
	return int(out.word), nil
}

// Broadcast sends one payload, stored once, to 1,024 targets at most. It never
// waits. For each target in order it answers why it was refused, or nil.
func Broadcast[D Data](targets []string, data D) []error {
	items := views(targets)
	out := new(view)
	enter()
	defer leave()
	hostBroadcast(unsafe.Pointer(unsafe.SliceData(items)), uint32(len(items)),
		raw(data), unsafe.Pointer(out))
	handed = nil
	answer := text(out.at, 2*out.len)
	refusals := make([]error, out.len)
	for i := range refusals {
		if answer[2*i] != 0 {
			refusals[i] = Code(answer[2*i+1]) + 1
		}
	}
	return refusals
}

// SendAfter sends once, in delayMs. Until then the id takes it back.
func SendAfter[D Data](target string, data D, delayMs uint32) (id string, err error) {
	out := new(result)
	enter()
	defer leave()
	hostSendAfter(target, raw(data), delayMs, unsafe.Pointer(out))
	return out.text()
}

// CancelSend takes back what SendAfter will send.
func CancelSend(id string) error {
	out := new(result)
	enter()
	defer leave()
	hostCancelSend(id, unsafe.Pointer(out))
	return out.err()
}

// Request asks and waits for the answer, at most the manifest's
// request_timeout; this actor handles nothing meanwhile.
func Request[D Data](target string, data D) (string, error) {
	out := new(result)
	enter()
	defer leave()
	hostRequest(target, raw(data), unsafe.Pointer(out))
	return out.text()
}

// RequestWith is Request that waits timeoutMs at most.
func RequestWith[D Data](target string, data D, timeoutMs uint32) (string, error) {
	out := new(result)
	enter()
	defer leave()
	hostRequestWith(target, raw(data), timeoutMs, unsafe.Pointer(out))
	return out.text()
}

// Answer is what handle-request returns, made by Reply or Fail.
type Answer struct {
	_    structs.HostLayout
	tag  uint8
	_    [3]uint8
	data view
}

// The answer that the host reads, and what it points to.
var (
	answer   Answer
	answered string
)

func answerWith(tag uint8, data string) *Answer {
	answered = data
	answer.tag = tag
	answer.data = viewOf(data)
	return &answer
}

// Reply is the answer to a request.
func Reply[D Data](data D) *Answer {
	return answerWith(0, raw(data))
}

// Fail answers a request with an error: the requester gets Failed and text.
func Fail(text string) *Answer {
	return answerWith(1, text)
}

// DeferResponse keeps the request that is being handled open: what the handler
// returns is ignored, the answer comes by RespondToRequest with this id.
func DeferResponse() (id string, err error) {
	out := new(result)
	enter()
	defer leave()
	hostDeferResponse(unsafe.Pointer(out))
	return out.text()
}

// ListOutstandingRequests has the ids of the requests that were received and
// not yet answered.
func ListOutstandingRequests() []string {
	out := new(view)
	enter()
	defer leave()
	hostListOutstandingRequests(unsafe.Pointer(out))
	if out.len == 0 {
		return nil
	}
	ids := make([]string, out.len)
	for i, id := range unsafe.Slice((*view)(at(out.at)), out.len) {
		ids[i] = text(id.at, id.len)
	}
	return ids
}

// RespondToRequest answers a deferred request.
func RespondToRequest[D Data](id string, data D) error {
	out := new(result)
	enter()
	defer leave()
	hostRespondToRequest(id, raw(data), unsafe.Pointer(out))
	return out.err()
}

// CancelRequest ends a received request with Cancelled for its requester.
func CancelRequest(id string) error {
	out := new(result)
	enter()
	defer leave()
	hostCancelRequest(id, unsafe.Pointer(out))
	return out.err()
}

// OpenChannel waits for the target's handle-channel-open and answers the
// channel's id; Rejected if that says no.
func OpenChannel[D Data](target string, data D) (id string, err error) {
	out := new(result)
	enter()
	defer leave()
	hostOpenChannel(target, raw(data), unsafe.Pointer(out))
	return out.text()
}

// SendOnChannel sends on a channel, in order; it may wait for the other end's
// credit.
func SendOnChannel[D Data](id string, data D) error {
	out := new(result)
	enter()
	defer leave()
	hostSendOnChannel(id, raw(data), unsafe.Pointer(out))
	return out.err()
}

// CloseChannel closes; what was sent before still arrives.
func CloseChannel(id string) error {
	out := new(result)
	enter()
	defer leave()
	hostCloseChannel(id, unsafe.Pointer(out))
	return out.err()
}

// CurrentChannel is the channel whose open, message or close is being handled.
// What is sent on it in handle-channel-open follows the acceptance.
func CurrentChannel() (id string, ok bool) {
	out := new(result)
	enter()
	defer leave()
	hostCurrentChannel(unsafe.Pointer(out))
	return out.option()
}

// CloseReason tells in handle-channel-close why; nil for a plain close.
func CloseReason() error {
	out := new(result)
	enter()
	defer leave()
	hostCloseReason(unsafe.Pointer(out))
	return out.err()
}

// Sender is who sent what is being handled, stamped by the router; none in
// run.
func Sender() (name string, ok bool) {
	out := new(result)
	enter()
	defer leave()
	hostSender(unsafe.Pointer(out))
	return out.option()
}
