# SPDX-License-Identifier: Apache-2.0
"""What an actor may call: theater:actor@0.1.0 (actor.wit) for Python.

An actor is a module with functions of these names; it accepts only what it
has:

    def run() -> None
    def handle_send(data: bytes) -> None
    def handle_request(data: bytes) -> bytes | str | None
    def handle_channel_open(initiator: str, data: bytes) -> bool
    def handle_channel_message(channel: str, data: bytes) -> None
    def handle_channel_close(channel: str) -> None
    def handle_stop(reason: str) -> None

A payload is bytes where it is received, and bytes or str (encoded as UTF-8)
where it is handed over.
"""

from typing import Callable, List, Optional, TypeVar, Union

from componentize_py_types import Err
from wit_world.imports import message_server, runtime, types

Data = Union[bytes, str]
T = TypeVar("T")


class TheaterError(Exception):
    """What the functions below raise. `code` is as in actor.wit: "timeout"."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class Failure(Exception):
    """Raised in handle_request: the requester gets "failed" and this text.

    Whatever else leaves a handler ends the actor, and is logged.
    """


def encoded(data: Data) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _code(code: types.ErrorCode) -> str:
    return code.name.lower().replace("_", "-")


def _ask(host_function: Callable[..., T], *arguments) -> T:
    try:
        return host_function(*arguments)
    except Err as error:
        value = error.value
        raise TheaterError(_code(value.code), value.message) from None


def send(target: str, data: Data) -> None:
    """One-way. No error means accepted: handled once, or one dead letter.

    To a full mailbox it waits or fails, as the manifest's `when_full` says.
    """
    _ask(message_server.send, target, encoded(data))


def send_batch(target: str, messages: List[Data]) -> int:
    """Many messages, in order; answers how many were accepted."""
    return _ask(message_server.send_batch, target, list(map(encoded, messages)))


def broadcast(targets: List[str], data: Data) -> List[Optional[str]]:
    """To 1,024 targets at most, without waiting; answers for each the code of
    why it was refused, or None."""
    refusals = message_server.broadcast(targets, encoded(data))
    return [None if code is None else _code(code) for code in refusals]


def send_after(target: str, data: Data, delay_ms: int) -> str:
    """Sends later, once; answers an id for cancel_send."""
    return _ask(message_server.send_after, target, encoded(data), delay_ms)


def cancel_send(id: str) -> None:
    _ask(message_server.cancel_send, id)


def request(target: str, data: Data, timeout_ms: Optional[int] = None) -> bytes:
    """Waits for the answer, at most `timeout_ms`, or the manifest's
    `request_timeout`; this actor handles nothing meanwhile."""
    if timeout_ms is None:
        return _ask(message_server.request, target, encoded(data))
    return _ask(message_server.request_with, target, encoded(data), timeout_ms)


def defer_response() -> str:
    """In handle_request: the answer comes later, with this id; what the
    handler returns is then ignored."""
    return _ask(message_server.defer_response)


def list_outstanding_requests() -> List[str]:
    """Received and not yet answered."""
    return message_server.list_outstanding_requests()


def respond_to_request(id: str, data: Data) -> None:
    _ask(message_server.respond_to_request, id, encoded(data))


def cancel_request(id: str) -> None:
    """Ends a received request with "cancelled" for its requester."""
    _ask(message_server.cancel_request, id)


def open_channel(target: str, data: Data) -> str:
    """Waits for the target's handle_channel_open; answers the channel's id."""
    return _ask(message_server.open_channel, target, encoded(data))


def send_on_channel(id: str, data: Data) -> None:
    """May wait for the other end's credit."""
    _ask(message_server.send_on_channel, id, encoded(data))


def close_channel(id: str) -> None:
    _ask(message_server.close_channel, id)


def current_channel() -> Optional[str]:
    """The channel whose open, message or close is being handled."""
    return message_server.current_channel()


def close_reason() -> Optional[TheaterError]:
    """In handle_channel_close: why; None for a plain close."""
    reason = message_server.close_reason()
    return reason and TheaterError(_code(reason.code), reason.message)


def sender() -> Optional[str]:
    """Who sent what is being handled; None in run."""
    return message_server.sender()


def log(level: str, line: str) -> None:
    """One line; level is "error", "warn", "info", "debug" or "trace"."""
    runtime.log(runtime.Level[level.upper()], line)


def self_name() -> str:
    return runtime.self_name()


def initial_state() -> Optional[bytes]:
    """What the manifest's `initial_state` (or the system file's) says."""
    return runtime.initial_state()


def now_ms() -> int:
    """Milliseconds since an arbitrary point; never goes back."""
    return runtime.now_ms()


def sleep_ms(ms: int) -> None:
    """Others run meanwhile. Ends early when the actor is asked to stop."""
    runtime.sleep_ms(ms)


def stop(reason: str) -> None:
    """Stops this actor once the current handler has returned."""
    runtime.stop(reason)
