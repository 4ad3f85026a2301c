# SPDX-License-Identifier: Apache-2.0
"""What it does stands in ../README.md."""

import theater
from theater import Failure, TheaterError, log


def failure(ask, *arguments) -> TheaterError:
    try:
        ask(*arguments)
    except TheaterError as error:
        return error
    return TheaterError("no failure")


def visit(peer: str) -> None:
    theater.send(peer, f"hello {peer}")
    log("info", theater.request(peer, f"question for {peer}").decode())
    log("info", f"{peer}: {failure(theater.request, peer, 'fail')}")
    rejection = failure(theater.open_channel, peer, "knock")
    log("info", f"{peer}: {rejection.code}")
    channel = theater.open_channel(peer, f"channel for {peer}")
    theater.send_on_channel(channel, "ping")


def handle_request(data: bytes) -> str:
    question = data.decode()
    if question.startswith("visit "):
        peers = question.split(" ")[1:]
        for peer in peers:
            visit(peer)
        return f"visited {len(peers)}"
    if question == "fail":
        raise Failure("not today")
    return f"{question}, answered by {theater.self_name()}"


def handle_send(data: bytes) -> None:
    log("info", f"{data.decode()}, from {theater.sender()}")


def handle_channel_open(initiator: str, data: bytes) -> bool:
    accepted = data.startswith(b"channel ")
    if accepted:
        log("info", f"{data.decode()}, opened by {initiator}")
    return accepted


def handle_channel_message(channel: str, data: bytes) -> None:
    if data == b"ping":
        theater.send_on_channel(channel, f"pong of {theater.self_name()}")
        return
    log("info", data.decode())
    theater.close_channel(channel)


def handle_channel_close(_channel: str) -> None:
    log("info", "channel closed")
