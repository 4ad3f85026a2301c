// SPDX-License-Identifier: Apache-2.0

package theater

// Code says what went wrong. A Code is an error, so that
// errors.Is(err, theater.TimedOut) asks for one.
type Code uint8

const (
	NotFound        Code = 1  // nobody has that name
	Denied          Code = 2  // a permission forbids it
	MailboxFull     Code = 3  // the receiver's mailbox is at its bound
	TimedOut        Code = 4  // the deadline passed
	Cancelled       Code = 5  // cancelled by either side
	Closed          Code = 6  // the other end stopped, crashed or closed
	Rejected        Code = 7  // the target refused the channel
	Failed          Code = 8  // the target's handler answered with an error
	Deadlock        Code = 9  // waiting would close a cycle of requests
	TooLarge        Code = 10 // over the limit of one message
	InvalidArgument Code = 11 // an empty name, an unknown id, ...
	Unsupported     Code = 12 // the target does not export the handler
	ShuttingDown    Code = 13 // the router is draining
	Unreachable     Code = 14 // the node that has the name cannot be reached
)

var names = [...]string{"ok", "not-found", "denied", "mailbox-full", "timeout",
	"cancelled", "closed", "rejected", "failed", "deadlock", "too-large",
	"invalid-argument", "unsupported", "shutting-down", "unreachable"}

func (c Code) Error() string {
	if int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// Error is what the functions of this package fail with.
type Error struct {
	Code    Code
	Message string // for people
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code.Error()
	}
	return e.Code.Error() + ": " + e.Message
}

// Unwrap gives the code to errors.Is and errors.As.
func (e *Error) Unwrap() error {
	return e.Code
}
