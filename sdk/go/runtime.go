// SPDX-License-Identifier: Apache-2.0

package theater

import "unsafe"

// Level is how loud a log line is.
type Level uint32

const (
	LevelError Level = iota
	LevelWarn
	LevelInfo
	LevelDebug
	LevelTrace
)

// Log writes one line under the actor's name.
func Log(level Level, text string) {
	hostLog(uint32(level), text)
}

// Info is Log with LevelInfo.
func Info(text string) {
	Log(LevelInfo, text)
}

// Fault logs an error, after what was tried.
func Fault(what string, err error) {
	Log(LevelError, what+": "+err.Error())
}

// SelfName is the actor's own name.
func SelfName() string {
	out := new(view)
	enter()
	defer leave()
	hostSelfName(unsafe.Pointer(out))
	return text(out.at, out.len)
}

// InitialState is what the manifest's initial_state, or the system file's,
// says.
func InitialState() (state string, ok bool) {
	out := new(result)
	enter()
	defer leave()
	hostInitialState(unsafe.Pointer(out))
	return out.option()
}

// NowMs counts milliseconds from an arbitrary point and never goes back.
func NowMs() uint64 {
	return hostNowMs()
}

// SleepMs lets others run and comes back after at least ms, or when the actor
// is asked to stop.
func SleepMs(ms uint32) {
	hostSleepMs(ms)
}

// Stop ends the actor once the running handler has returned.
func Stop(reason string) {
	hostStop(reason)
}
