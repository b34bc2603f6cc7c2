"""How receivers end: what is under way may be done, but not for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["let_end"]


async def let_end(tasks: Iterable[asyncio.Task[None]], seconds: float) -> None:
    """Return when all of ``tasks`` have ended; those that have not after ``seconds`` are cancelled."""
    left = list(tasks)
    if left:
        _, late = await asyncio.wait(left, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
