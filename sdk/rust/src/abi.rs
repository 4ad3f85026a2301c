// SPDX-License-Identifier: Apache-2.0
//! The canonical ABI: the host's functions, and how values go to and fro. What
//! the host hands over lies in memory that it asked `cabi_realloc` for, and
//! becomes a `Vec` or a `String` as it is, without a copy.
use crate::{Code, Error};
use alloc::alloc::{alloc, handle_alloc_error, realloc, Layout};
use alloc::string::String;
use alloc::vec::Vec;

type At = *const u8;

#[link(wasm_import_module = "theater:actor/message-server@0.1.0")]
extern "C" {
    #[link_name = "send"]
    pub fn send(to: At, to_len: usize, data: At, len: usize, out: *mut Ret);
    #[link_name = "send-batch"]
    pub fn send_batch(to: At, to_len: usize, items: *const View, count: usize, out: *mut Ret);
    #[link_name = "broadcast"]
    pub fn broadcast(to: *const View, count: usize, data: At, len: usize, out: *mut View);
    #[link_name = "send-after"]
    pub fn send_after(to: At, to_len: usize, data: At, len: usize, delay_ms: u32, out: *mut Ret);
    #[link_name = "cancel-send"]
    pub fn cancel_send(id: At, id_len: usize, out: *mut Ret);
    #[link_name = "request"]
    pub fn request(to: At, to_len: usize, data: At, len: usize, out: *mut Ret);
    #[link_name = "request-with"]
    pub fn request_with(
        to: At,
        to_len: usize,
        data: At,
        len: usize,
        timeout_ms: u32,
        out: *mut Ret,
    );
    #[link_name = "defer-response"]
    pub fn defer_response(out: *mut Ret);
    #[link_name = "list-outstanding-requests"]
    pub fn list_outstanding_requests(out: *mut View);
    #[link_name = "respond-to-request"]
    pub fn respond_to_request(id: At, id_len: usize, data: At, len: usize, out: *mut Ret);
    #[link_name = "cancel-request"]
    pub fn cancel_request(id: At, id_len: usize, out: *mut Ret);
    #[link_name = "open-channel"]
    pub fn open_channel(to: At, to_len: usize, data: At, len: usize, out: *mut Ret);
    #[link_name = "send-on-channel"]
    pub fn send_on_channel(id: At, id_len: usize, data: At, len: usize, out: *mut Ret);
    #[link_name = "close-channel"]
    pub fn close_channel(id: At, id_len: usize, out: *mut Ret);
    #[link_name = "current-channel"]
    pub fn current_channel(out: *mut Ret);
    #[link_name = "close-reason"]
    pub fn close_reason(out: *mut Ret);
    #[link_name = "sender"]
    pub fn sender(out: *mut Ret);
}

#[link(wasm_import_module = "theater:actor/runtime@0.1.0")]
extern "C" {
    #[link_name = "log"]
    pub fn log(level: u32, text: At, len: usize);
    #[link_name = "self-name"]
    pub fn self_name(out: *mut View);
    #[link_name = "initial-state"]
    pub fn initial_state(out: *mut Ret);
    #[link_name = "now-ms"]
    pub fn now_ms() -> u64;
    #[link_name = "sleep-ms"]
    pub fn sleep_ms(ms: u32);
    #[link_name = "stop"]
    pub fn stop(reason: At, len: usize);
}

/// `result<T, error>` or `option<T>`: behind the tag what there is, or an
/// error's code, with its text's address and length.
#[repr(C)]
pub struct Ret {
    tag: u8,
    words: [usize; 3],
}

/// The address and the number of bytes or elements.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    at: At,
    len: usize,
}

/// What `handle-request` answers, by address.
#[repr(C)]
pub struct Answer {
    tag: u8,
    data: View,
}

/// Calls the host; `out` is what it answers by.
pub fn call(host: impl FnOnce(*mut Ret)) -> Ret {
    let mut ret = Ret {
        tag: 0,
        words: [0; 3],
    };
    host(&mut ret);
    ret
}

/// The same for the functions that answer a list or a name and cannot fail.
pub fn view(host: impl FnOnce(*mut View)) -> View {
    let mut view = View::of(&[]);
    host(&mut view);
    view
}

/// # Safety
/// `at` and `len` are what the host handed over, and are taken once.
pub unsafe fn bytes(at: At, len: usize) -> Vec<u8> {
    if len == 0 {
        return Vec::new();
    }
    Vec::from_raw_parts(at as *mut u8, len, len)
}

/// Text was checked by the host.
///
/// # Safety
/// As `bytes`.
pub unsafe fn text(at: At, len: usize) -> String {
    String::from_utf8_unchecked(bytes(at, len))
}

impl View {
    pub fn of(bytes: &[u8]) -> View {
        View {
            at: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// # Safety
    /// As `bytes`, for the four that follow.
    pub unsafe fn text(self) -> String {
        text(self.at, self.len)
    }

    pub unsafe fn texts(self) -> Vec<String> {
        if self.len == 0 {
            return Vec::new();
        }
        let views = Vec::from_raw_parts(self.at as *mut View, self.len, self.len);
        views.iter().map(|view| view.text()).collect()
    }

    /// A `list<option<error-code>>`: two bytes each.
    pub unsafe fn codes(self) -> Vec<Option<Code>> {
        let pairs = bytes(self.at, 2 * self.len);
        let code = |pair: &[u8]| (pair[0] != 0).then(|| Code::from_wire(pair[1]));
        pairs.chunks_exact(2).map(code).collect()
    }
}

impl Ret {
    fn error(&self) -> Error {
        let message = unsafe { text(self.words[1] as At, self.words[2]) };
        Error {
            code: Code::from_wire(self.words[0] as u8),
            message,
        }
    }

    pub fn done(self) -> Result<(), Error> {
        self.count().map(|_| ())
    }

    pub fn count(self) -> Result<u32, Error> {
        match self.tag {
            0 => Ok(self.words[0] as u32),
            _ => Err(self.error()),
        }
    }

    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        match self.tag {
            0 => Ok(unsafe { bytes(self.words[0] as At, self.words[1]) }),
            _ => Err(self.error()),
        }
    }

    pub fn text(self) -> Result<String, Error> {
        self.bytes()
            .map(|text| unsafe { String::from_utf8_unchecked(text) })
    }

    pub fn some_bytes(self) -> Option<Vec<u8>> {
        (self.tag != 0).then(|| unsafe { bytes(self.words[0] as At, self.words[1]) })
    }

    pub fn some_text(self) -> Option<String> {
        self.some_bytes()
            .map(|text| unsafe { String::from_utf8_unchecked(text) })
    }

    pub fn some_error(self) -> Option<Error> {
        (self.tag != 0).then(|| self.error())
    }
}

/// Keeps an answer until `cabi_post_handle-request`.
pub fn answer(got: Result<Vec<u8>, String>) -> *mut Answer {
    let (tag, data) = match got {
        Ok(data) => (0, data),
        Err(text) => (1, text.into_bytes()),
    };
    let data = alloc::boxed::Box::leak(data.into_boxed_slice());
    alloc::boxed::Box::into_raw(alloc::boxed::Box::new(Answer {
        tag,
        data: View::of(data),
    }))
}

/// The host has read it.
///
/// # Safety
/// `done` is what `answer` answered, once.
pub unsafe fn answered(done: *mut Answer) {
    let answer = alloc::boxed::Box::from_raw(done);
    drop(bytes(answer.data.at, answer.data.len));
}

#[export_name = "cabi_realloc"]
unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    size: usize,
) -> *mut u8 {
    if size == 0 {
        return align as *mut u8;
    }
    let layout = Layout::from_size_align_unchecked(size, align);
    let at = match old_size {
        0 => alloc(layout),
        _ => realloc(
            old,
            Layout::from_size_align_unchecked(old_size, align),
            size,
        ),
    };
    if at.is_null() {
        handle_alloc_error(layout);
    }
    at
}

/// Without it a panic would end the actor without a word.
#[cfg(feature = "std")]
#[export_name = "_initialize"]
extern "C" fn initialize() {
    std::panic::set_hook(alloc::boxed::Box::new(|panic| {
        crate::log(
            crate::Level::Error,
            &alloc::string::ToString::to_string(panic),
        );
    }));
}
