# SPDX-License-Identifier: Apache-2.0
"""Answers "ping N" with "pong N"."""

from theater import Failure, log


def handle_request(data: bytes) -> str:
    question = data.decode()
    log("info", question)
    if not question.startswith("ping"):
        raise Failure("I only know ping")
    return f"pong{question[4:]}"
