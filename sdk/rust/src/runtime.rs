// SPDX-License-Identifier: Apache-2.0
//! The log, the actor's name and state, time and the end.
use crate::abi::{self, call, view};
use alloc::string::String;
use alloc::vec::Vec;

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// One line under the actor's name; cut at 8 KiB.
pub fn log(level: Level, text: &str) {
    unsafe { abi::log(level as u32, text.as_ptr(), text.len()) }
}

/// `log` with `Level::Error`, formatted as by `format!`.
#[macro_export]
macro_rules! error {
    ($($text:tt)+) => {
        $crate::log($crate::Level::Error, &format!($($text)+))
    };
}

/// `log` with `Level::Info`, formatted as by `format!`.
#[macro_export]
macro_rules! info {
    ($($text:tt)+) => {
        $crate::log($crate::Level::Info, &format!($($text)+))
    };
}

/// The actor's own name.
pub fn self_name() -> String {
    let name = view(|out| unsafe { abi::self_name(out) });
    unsafe { name.text() }
}

/// What the manifest's `initial_state`, or the system file's, says.
pub fn initial_state() -> Option<Vec<u8>> {
    call(|out| unsafe { abi::initial_state(out) }).some_bytes()
}

/// Milliseconds since an arbitrary point; never goes back.
pub fn now_ms() -> u64 {
    unsafe { abi::now_ms() }
}

/// Lets others run; comes back after at least `ms`, or when this actor is asked
/// to stop.
pub fn sleep_ms(ms: u32) {
    unsafe { abi::sleep_ms(ms) }
}

/// Ends the actor once the running handler has returned.
pub fn stop(reason: &str) {
    unsafe { abi::stop(reason.as_ptr(), reason.len()) }
}
