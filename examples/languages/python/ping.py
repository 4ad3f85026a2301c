# SPDX-License-Identifier: Apache-2.0
"""Asks pong three times, says what it hears, and ends."""

from theater import TheaterError, log, request


def run() -> None:
    for number in range(1, 4):
        try:
            log("info", request("pong", f"ping {number}").decode())
        except TheaterError as error:
            log("error", f"pong did not answer: {error}")
            return
