// SPDX-License-Identifier: Apache-2.0

package theater

import (
	"structs"
	"unsafe"
)

// The canonical ABI: how the host and an actor hand each other values. What
// the host answers lies in memory that it asked cabi_realloc for, as Go's own
// memory: a string that points there keeps it alive.

// arguments holds what was asked for outside of any call of the host: the
// arguments of the handler that comes next, two at most. From its beginning
// on the handler's parameters hold them.
var (
	arguments [2]unsafe.Pointer
	turn      int
)

// answers holds what was asked for during calls of the host, until the call
// has returned and its result points there.
var (
	answers []unsafe.Pointer
	calls   int
)

// cabiRealloc gives out whole words, so that every alignment fits, and one for
// no bytes, so that the address is one of Go's.
//
//go:wasmexport cabi_realloc
func cabiRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	words := make([]uint64, size/8+1)
	to := unsafe.Pointer(unsafe.SliceData(words))
	if old != nil {
		copy(unsafe.Slice((*byte)(to), size), unsafe.Slice((*byte)(old), oldSize))
	}
	if calls > 0 {
		answers = append(answers, to)
	} else {
		arguments[turn] = to
		turn ^= 1
	}
	return to
}

// view is a string or a list as the ABI has it.
type view struct {
	_   structs.HostLayout
	at  uint32
	len uint32
}

// result is the layout of every result<T, error> and option<T>: at 4 what
// there is, or the error's code, with the text's view behind.
type result struct {
	_    structs.HostLayout
	tag  uint8
	_    [3]uint8
	word uint32 // address, number or (its first byte) code
	more uint32 // length; of an error the text's address
	last uint32 // of an error the text's length
}

// at makes an address of the host's a pointer; cabiRealloc's memory is held.
func at(address uint32) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(nil), address)
}

func text(address, length uint32) string {
	if length == 0 {
		return ""
	}
	return unsafe.String((*byte)(at(address)), length)
}

// The host is called between enter and leave; what it answered is read before
// leave.
func enter() {
	calls++
}

func leave() {
	calls--
	if calls == 0 {
		clear(answers)
		answers = answers[:0]
	}
}

func (r *result) err() error {
	if r.tag == 0 {
		return nil
	}
	return r.failure()
}

func (r *result) failure() *Error {
	return &Error{Code(r.word&0xff) + 1, text(r.more, r.last)}
}

func (r *result) text() (string, error) {
	if r.tag != 0 {
		return "", r.failure()
	}
	return text(r.word, r.more), nil
}

func (r *result) option() (string, bool) {
	if r.tag == 0 {
		return "", false
	}
	return text(r.word, r.more), true
}

// raw views what the caller hands over as a string, without a copy: a slice
// begins as a string does, and the host copies before its function returns.
func raw[D Data](data D) string {
	return *(*string)(unsafe.Pointer(&data))
}

func viewOf(s string) view {
	return view{at: uint32(uintptr(unsafe.Pointer(unsafe.StringData(s)))), len: uint32(len(s))}
}

// handed holds the lists whose addresses the host was given as numbers: for
// the collector, and so that they lie in no stack, which moves.
var handed any

func views[D Data](list []D) []view {
	handed = list
	items := make([]view, len(list))
	for i := range list {
		items[i] = viewOf(raw(list[i]))
	}
	return items
}

//go:wasmimport theater:actor/message-server@0.1.0 send
func hostSend(target, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 send-batch
func hostSendBatch(target string, items unsafe.Pointer, count uint32, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 broadcast
func hostBroadcast(targets unsafe.Pointer, count uint32, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 send-after
func hostSendAfter(target, data string, delayMs uint32, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 cancel-send
func hostCancelSend(id string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 request
func hostRequest(target, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 request-with
func hostRequestWith(target, data string, timeoutMs uint32, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 defer-response
func hostDeferResponse(out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 list-outstanding-requests
func hostListOutstandingRequests(out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 respond-to-request
func hostRespondToRequest(id, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 cancel-request
func hostCancelRequest(id string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 open-channel
func hostOpenChannel(target, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 send-on-channel
func hostSendOnChannel(id, data string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 close-channel
func hostCloseChannel(id string, out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 current-channel
func hostCurrentChannel(out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 close-reason
func hostCloseReason(out unsafe.Pointer)

//go:wasmimport theater:actor/message-server@0.1.0 sender
func hostSender(out unsafe.Pointer)

//go:wasmimport theater:actor/runtime@0.1.0 log
func hostLog(level uint32, message string)

//go:wasmimport theater:actor/runtime@0.1.0 self-name
func hostSelfName(out unsafe.Pointer)

//go:wasmimport theater:actor/runtime@0.1.0 initial-state
func hostInitialState(out unsafe.Pointer)

//go:wasmimport theater:actor/runtime@0.1.0 now-ms
func hostNowMs() uint64

//go:wasmimport theater:actor/runtime@0.1.0 sleep-ms
func hostSleepMs(ms uint32)

//go:wasmimport theater:actor/runtime@0.1.0 stop
func hostStop(reason string)
