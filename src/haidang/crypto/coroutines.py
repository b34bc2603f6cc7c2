"""Runs pyHanko's coroutines to their end.

pyHanko is written for servers; here nothing is awaited that is not ready: nothing is fetched while verifying,
and our time stamping clients answer before they return.

``asyncio.run`` would cost more than it looks: in the main thread it sets a signal handler that holds the
task, and Python 3.11 asks for its ``repr`` when it takes the handler away. The ``repr`` of the result, nested
ASN.1 values, can take minutes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["finished"]

_T = TypeVar("_T")


def finished(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Return what ``coroutine`` returns, whether or not the caller is itself inside an event loop.

    Inside one (pyHanko asks our timestamp client, which verifies the answer) a second loop cannot run; the
    coroutine is then driven by hand, and must not wait for anything.

    Raises:
        RuntimeError: It waits inside a loop. That is a defect of the program.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.close()
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine waits inside an event loop")
