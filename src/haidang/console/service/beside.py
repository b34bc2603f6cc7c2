"""What is done again and again in a thread of its own, as long as a block lasts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Beside"]


class Beside:
    """Runs :meth:`_keep` in a thread; a context manager that ends it."""

    def __init__(self, name: str) -> None:
        """Not yet; ``name`` is the thread's."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, after what is being done."""
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        """Do it until ``self._ending`` is set, and wait with that event in between."""
        raise NotImplementedError
