// SPDX-License-Identifier: Apache-2.0
use alloc::string::String;
use core::fmt;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nobody has that name.
    NotFound,
    /// A permission forbids it.
    Denied,
    /// The receiver's mailbox is at its bound.
    MailboxFull,
    /// The deadline passed.
    Timeout,
    /// Cancelled by either side.
    Cancelled,
    /// The other end stopped, crashed or closed.
    Closed,
    /// The target refused the channel.
    Rejected,
    /// The target's handler answered with an error.
    Failed,
    /// Waiting would close a cycle of requests.
    Deadlock,
    /// Over the limit of one message.
    TooLarge,
    /// An empty name, an unknown id, ...
    InvalidArgument,
    /// The target does not export the handler.
    Unsupported,
    /// The router is draining.
    ShuttingDown,
    /// The node that has the name cannot be reached.
    Unreachable,
}

/// In the order of the WIT.
const CODES: [(Code, &str); 14] = [
    (Code::NotFound, "not-found"),
    (Code::Denied, "denied"),
    (Code::MailboxFull, "mailbox-full"),
    (Code::Timeout, "timeout"),
    (Code::Cancelled, "cancelled"),
    (Code::Closed, "closed"),
    (Code::Rejected, "rejected"),
    (Code::Failed, "failed"),
    (Code::Deadlock, "deadlock"),
    (Code::TooLarge, "too-large"),
    (Code::InvalidArgument, "invalid-argument"),
    (Code::Unsupported, "unsupported"),
    (Code::ShuttingDown, "shutting-down"),
    (Code::Unreachable, "unreachable"),
];

impl Code {
    pub(crate) fn from_wire(number: u8) -> Code {
        CODES[number as usize].0
    }

    /// As the WIT has it: `not-found`.
    pub fn name(self) -> &'static str {
        CODES[self as usize].1
    }
}

/// What the functions of this crate fail with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    /// For people.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.code.name())?;
        if !self.message.is_empty() {
            write!(out, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}
