# SPDX-License-Identifier: Apache-2.0
"""Greets whoever asks. One whose initial state names another actor asks that
one, and logs the answer."""

from theater import TheaterError, initial_state, log, request, self_name


def handle_request(data: bytes) -> str:
    return f"hello, {data.decode()}"


def run() -> None:
    whom = initial_state()
    if not whom:
        return
    try:
        log("info", request(whom.decode(), self_name()).decode())
    except TheaterError as error:
        log("error", f"no answer: {error}")
