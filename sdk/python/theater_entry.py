# SPDX-License-Identifier: Apache-2.0
"""Stands between the host and an actor's handlers: the world's class is made
of the module `theater_actor`, whose name build.py gives."""

import importlib
import traceback

import theater_world
import wit_world
from componentize_py_types import Err
from theater import Failure, encoded, log

actor = importlib.import_module(theater_world.MODULE)


def guarded(handler, finish):
    def call(_world, *arguments):
        try:
            return finish(handler(*arguments))
        except Failure as failure:
            if finish is answer:
                raise Err(str(failure)) from None
            crash()
        except Exception:
            crash()

    return call


def crash():
    log("error", traceback.format_exc().rstrip())
    raise


def answer(data):
    return encoded(b"" if data is None else data)


def nothing(_result):
    return None


FINISH = {"handle_request": answer, "handle_channel_open": bool}

WitWorld = type(
    "WitWorld",
    (wit_world.WitWorld,),
    {
        name: guarded(getattr(actor, name), FINISH.get(name, nothing))
        for name in theater_world.HANDLERS
    },
)
