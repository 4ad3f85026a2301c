// SPDX-License-Identifier: Apache-2.0
//! Actors in Rust: the package `theater:actor@0.1.0` (`wit/actor.wit`), by the
//! canonical ABI, for `wasm32-unknown-unknown`.
//!
//! An actor exports the handlers that it has, and accepts only those. They are
//! functions with these names, and one line exports them:
//!
//! ```ignore
//! fn run() {}
//! fn handle_send(data: Vec<u8>) {}
//! fn handle_request(data: Vec<u8>) -> Result<Vec<u8>, String> { Ok(data) }
//! fn handle_channel_open(initiator: String, data: Vec<u8>) -> bool { true }
//! fn handle_channel_message(channel: String, data: Vec<u8>) {}
//! fn handle_channel_close(channel: String) {}
//! fn handle_stop(reason: String) {}
//!
//! theater::export!(run, handle_send, handle_request, handle_channel_open,
//!     handle_channel_message, handle_channel_close, handle_stop);
//! ```
//!
//! Without the feature `std` the crate needs `alloc` only, and the actor brings
//! its allocator and its panic handler.
#![no_std]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[doc(hidden)]
pub mod abi;
mod error;
mod messages;
mod runtime;

pub use error::{Code, Error};
pub use messages::*;
pub use runtime::*;

/// Exports the handlers whose names it is given; see the crate's page.
#[macro_export]
macro_rules! export {
    ($($handler:ident),+ $(,)?) => {
        $($crate::export_one!($handler);)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! export_one {
    (run) => {
        #[unsafe(export_name = "run")]
        extern "C" fn theater_run() {
            run()
        }
    };
    (handle_send) => {
        #[unsafe(export_name = "handle-send")]
        unsafe extern "C" fn theater_handle_send(at: *const u8, len: usize) {
            handle_send(unsafe { $crate::abi::bytes(at, len) })
        }
    };
    (handle_request) => {
        #[unsafe(export_name = "handle-request")]
        unsafe extern "C" fn theater_handle_request(
            at: *const u8,
            len: usize,
        ) -> *mut $crate::abi::Answer {
            $crate::abi::answer(handle_request(unsafe { $crate::abi::bytes(at, len) }))
        }
        #[unsafe(export_name = "cabi_post_handle-request")]
        unsafe extern "C" fn theater_answered(done: *mut $crate::abi::Answer) {
            unsafe { $crate::abi::answered(done) }
        }
    };
    (handle_channel_open) => {
        #[unsafe(export_name = "handle-channel-open")]
        unsafe extern "C" fn theater_handle_channel_open(
            who: *const u8,
            who_len: usize,
            at: *const u8,
            len: usize,
        ) -> u32 {
            let who = unsafe { $crate::abi::text(who, who_len) };
            let accepted: bool = handle_channel_open(who, unsafe { $crate::abi::bytes(at, len) });
            accepted as u32
        }
    };
    (handle_channel_message) => {
        #[unsafe(export_name = "handle-channel-message")]
        unsafe extern "C" fn theater_handle_channel_message(
            id: *const u8,
            id_len: usize,
            at: *const u8,
            len: usize,
        ) {
            let id = unsafe { $crate::abi::text(id, id_len) };
            handle_channel_message(id, unsafe { $crate::abi::bytes(at, len) })
        }
    };
    (handle_channel_close) => {
        #[unsafe(export_name = "handle-channel-close")]
        unsafe extern "C" fn theater_handle_channel_close(id: *const u8, id_len: usize) {
            handle_channel_close(unsafe { $crate::abi::text(id, id_len) })
        }
    };
    (handle_stop) => {
        #[unsafe(export_name = "handle-stop")]
        unsafe extern "C" fn theater_handle_stop(at: *const u8, len: usize) {
            handle_stop(unsafe { $crate::abi::text(at, len) })
        }
    };
    ($other:ident) => {
        compile_error!(concat!("there is no handler ", stringify!($other)));
    };
}
