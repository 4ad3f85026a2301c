// SPDX-License-Identifier: Apache-2.0
//! Messages, requests and channels. Targets are names, ids are opaque text;
//! what is handed over is copied before a function returns.
use crate::abi::{self, call, view, View};
use crate::{Code, Error};
use alloc::string::String;
use alloc::vec::Vec;

/// One-way. `Ok` means accepted: it is handled once, or becomes one dead
/// letter. To a full mailbox it waits or fails, as the manifest's `when_full`
/// says.
pub fn send(target: &str, data: impl AsRef<[u8]>) -> Result<(), Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::send(
            target.as_ptr(),
            target.len(),
            data.as_ptr(),
            data.len(),
            out,
        )
    })
    .done()
}

/// Many messages to one target, in order; answers how many were accepted.
pub fn send_batch<D: AsRef<[u8]>>(target: &str, messages: &[D]) -> Result<u32, Error> {
    let items: Vec<View> = messages
        .iter()
        .map(|data| View::of(data.as_ref()))
        .collect();
    call(|out| unsafe {
        abi::send_batch(
            target.as_ptr(),
            target.len(),
            items.as_ptr(),
            items.len(),
            out,
        )
    })
    .count()
}

/// One payload, stored once, to 1,024 targets at most. Never waits; answers
/// for each target why it was refused, or `None`.
pub fn broadcast<T: AsRef<str>>(targets: &[T], data: impl AsRef<[u8]>) -> Vec<Option<Code>> {
    let data = data.as_ref();
    let items: Vec<View> = targets
        .iter()
        .map(|name| View::of(name.as_ref().as_bytes()))
        .collect();
    let codes = view(|out| unsafe {
        abi::broadcast(items.as_ptr(), items.len(), data.as_ptr(), data.len(), out)
    });
    unsafe { codes.codes() }
}

/// Sends once, in `delay_ms`; until then the id that it answers takes it back.
pub fn send_after(target: &str, data: impl AsRef<[u8]>, delay_ms: u32) -> Result<String, Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::send_after(
            target.as_ptr(),
            target.len(),
            data.as_ptr(),
            data.len(),
            delay_ms,
            out,
        )
    })
    .text()
}

/// Takes back what `send_after` will send.
pub fn cancel_send(id: &str) -> Result<(), Error> {
    call(|out| unsafe { abi::cancel_send(id.as_ptr(), id.len(), out) }).done()
}

/// Asks and waits for the answer, at most the manifest's `request_timeout`;
/// this actor handles nothing meanwhile.
pub fn request(target: &str, data: impl AsRef<[u8]>) -> Result<Vec<u8>, Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::request(
            target.as_ptr(),
            target.len(),
            data.as_ptr(),
            data.len(),
            out,
        )
    })
    .bytes()
}

/// `request` that waits `timeout_ms` at most.
pub fn request_with(
    target: &str,
    data: impl AsRef<[u8]>,
    timeout_ms: u32,
) -> Result<Vec<u8>, Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::request_with(
            target.as_ptr(),
            target.len(),
            data.as_ptr(),
            data.len(),
            timeout_ms,
            out,
        )
    })
    .bytes()
}

/// Keeps the request that is being handled open: what the handler returns is
/// ignored, and the answer comes by `respond_to_request` with this id.
pub fn defer_response() -> Result<String, Error> {
    call(|out| unsafe { abi::defer_response(out) }).text()
}

/// The ids of the requests that were received and not yet answered.
pub fn list_outstanding_requests() -> Vec<String> {
    let ids = view(|out| unsafe { abi::list_outstanding_requests(out) });
    unsafe { ids.texts() }
}

/// Answers a deferred request.
pub fn respond_to_request(id: &str, data: impl AsRef<[u8]>) -> Result<(), Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::respond_to_request(id.as_ptr(), id.len(), data.as_ptr(), data.len(), out)
    })
    .done()
}

/// Ends a received request with `Cancelled` for its requester.
pub fn cancel_request(id: &str) -> Result<(), Error> {
    call(|out| unsafe { abi::cancel_request(id.as_ptr(), id.len(), out) }).done()
}

/// Waits for the target's `handle-channel-open` and answers the channel's id;
/// `Rejected` if that says no.
pub fn open_channel(target: &str, data: impl AsRef<[u8]>) -> Result<String, Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::open_channel(
            target.as_ptr(),
            target.len(),
            data.as_ptr(),
            data.len(),
            out,
        )
    })
    .text()
}

/// Sends on a channel, in order; may wait for the other end's credit.
pub fn send_on_channel(id: &str, data: impl AsRef<[u8]>) -> Result<(), Error> {
    let data = data.as_ref();
    call(|out| unsafe {
        abi::send_on_channel(id.as_ptr(), id.len(), data.as_ptr(), data.len(), out)
    })
    .done()
}

/// Closes a channel; what was sent before still arrives.
pub fn close_channel(id: &str) -> Result<(), Error> {
    call(|out| unsafe { abi::close_channel(id.as_ptr(), id.len(), out) }).done()
}

/// The channel whose open, message or close is being handled. What is sent on
/// it in `handle_channel_open` follows the acceptance.
pub fn current_channel() -> Option<String> {
    call(|out| unsafe { abi::current_channel(out) }).some_text()
}

/// In `handle_channel_close`: why; `None` for a plain close.
pub fn close_reason() -> Option<Error> {
    call(|out| unsafe { abi::close_reason(out) }).some_error()
}

/// Who sent what is being handled, stamped by the router; `None` in `run`.
pub fn sender() -> Option<String> {
    call(|out| unsafe { abi::sender(out) }).some_text()
}
