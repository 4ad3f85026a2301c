# SPDX-License-Identifier: Apache-2.0
"""Every function of the SDK; two actors of this component talk, and the lines
that they say are ../expected.txt."""

import theater
from theater import Failure, TheaterError


def say(line: str) -> None:
    theater.log("info", line)


def failure(call, *arguments) -> TheaterError:
    """What a call raises."""
    try:
        call(*arguments)
    except TheaterError as error:
        return error
    return TheaterError("ok")


def messages(to: str) -> None:
    say(f"batch: {theater.send_batch(to, ['1', b'2', '3'])}")
    refusals = theater.broadcast([to, "nobody", ""], "4")
    say(f"broadcast: {' '.join(code or 'ok' for code in refusals)}")
    timer = theater.send_after(to, "never", 60000)
    for _ in range(2):
        say(f"cancel: {failure(theater.cancel_send, timer).code}")
    theater.send_after(to, b"5", 10)


def requests(to: str) -> None:
    say(f"defer: {theater.request(to, 'defer').decode()}")
    cancelled = failure(theater.request, to, "cancel")
    say(f"request to be cancelled: {cancelled.code}")
    say(f"request-with: {failure(theater.request, to, 'sleep', 1).code}")
    say(f"fail: {failure(theater.request, to, 'fail')}")
    say(f"empty: {len(theater.request(to, ''))}")
    data = bytes(i * 7 % 256 for i in range(100000))
    answer = theater.request(to, data)
    if answer == data:
        say(f"echo: {len(answer)}")


def run() -> None:
    state = theater.initial_state()
    if state is None:
        return
    to = state.decode()
    messages(to)
    requests(to)
    began = theater.now_ms()
    theater.sleep_ms(2)
    if theater.now_ms() - began >= 2:
        say("slept")
    say(f"I am {theater.self_name()}")
    if theater.sender() is None:
        say("no sender")
    if theater.current_channel() is None:
        say("no channel")
    theater.send_on_channel(theater.open_channel(to, "let me in"), "bye")


def handle_send(data: bytes) -> None:
    say(f"message {data.decode()}")


def handle_request(data: bytes) -> bytes:
    if data == b"fail":
        raise Failure("as you wish")
    if data == b"sleep":
        theater.sleep_ms(50)
    if data in (b"defer", b"cancel"):
        request = theater.defer_response()
        requests = theater.list_outstanding_requests()
        if requests[0] == request:
            say(f"outstanding: {len(requests)}")
        if data == b"cancel":
            theater.cancel_request(request)
        else:
            theater.respond_to_request(request, "later")
    return data


def handle_channel_open(initiator: str, data: bytes) -> bool:
    theater.send_on_channel(theater.current_channel(), f"welcome, {initiator}")
    return data == b"let me in"


def handle_channel_message(_channel: str, data: bytes) -> None:
    if data == b"bye":
        theater.stop("done")
        return
    say(data.decode())


def handle_channel_close(_channel: str) -> None:
    reason = theater.close_reason()
    say(f"closed: {reason.code if reason else 'ok'}")


def handle_stop(reason: str) -> None:
    say(f"stop: {reason}")
