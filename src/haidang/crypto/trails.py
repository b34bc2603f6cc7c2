"""Whether a log still is what its checkpoints say, looked at entry by entry, in bounded memory.

- An entry that was altered no longer has its leaf; whoever alters the leaf, too, changes the root that a
  checkpoint states.
- An entry taken away leaves a gap in the numbers; one at the end leaves fewer than a checkpoint says.
- Whoever rewrites all of it, the key in hand, is found by a checkpoint that somebody else kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.crypto.merkle import Tree, read_checkpoint
from haidang.crypto.verdicts import Reason
from haidang.errors import VerificationError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Trail"]

_MOST_REASONS = 50


class Trail:
    """A log that is walked through from its beginning."""

    def __init__(self, public_key: Any, origin: str, own: Iterable[bytes], kept: Iterable[bytes]) -> None:
        """Measure at checkpoints: the log's ``own``, and those that others ``kept``."""
        self.tree = Tree()
        self._reasons: list[Reason] = []
        self._wanted: dict[int, list[tuple[bytes, str]]] = {}
        self._expected = 0
        for notes, whose in ((own, N_("of the service")), (kept, N_("that was kept elsewhere"))):
            for note in notes:
                try:
                    checkpoint = read_checkpoint(note, public_key, origin)
                except VerificationError as error:
                    self._add(
                        "checkpoint-unsound",
                        N_("A checkpoint {whose} does not hold: {detail}."),
                        whose=Message(whose),
                        detail=error.message,
                    )
                else:
                    self._wanted.setdefault(checkpoint.size, []).append((checkpoint.root, whose))

    def walk(self, number: int, leaf: bytes, stated: bytes) -> None:
        """Take the next entry: its number, the hash that it has, and the one that was kept with it."""
        if number != self._expected:
            self._add("log-entry-missing", N_("Entry {number} of the log is missing."), number=self._expected)
        self._expected = number + 1
        if leaf != stated:
            self._add("log-entry-altered", N_("Entry {number} of the log was altered."), number=number)
        self.tree.append_leaf(leaf)
        for root, whose in self._wanted.pop(self.tree.size, ()):
            if root != self.tree.root():
                self._add(
                    "log-altered",
                    N_("The first {size} entries are not those of a checkpoint {whose}: one was altered."),
                    size=self.tree.size,
                    whose=Message(whose),
                )

    def beyond(self, number: int) -> None:
        """Take note of an entry that is there although the log, as it was written, ends before it."""
        self._add(
            "log-entry-beyond",
            N_("Entry {number} of the log was not written by the service."),
            number=number,
        )

    def end(self, size: int, peaks: bytes) -> tuple[Reason, ...]:
        """Return all that is wrong, given the tree as it was when the log was written last."""
        for wanted, roots in sorted(self._wanted.items()):
            for _root, whose in roots:
                self._add(
                    "log-cut",
                    N_(
                        "A checkpoint {whose} is of {size} entries, but the log has {n}: its end was cut off."
                    ),
                    whose=Message(whose),
                    size=wanted,
                    n=self.tree.size,
                )
        if size > self.tree.size:
            self._add(
                "log-cut",
                N_("The log had {size} entries and has {n}: its end was cut off."),
                size=size,
                n=self.tree.size,
            )
        elif (size, peaks) != (self.tree.size, self.tree.peaks):
            self._add(
                "log-head-differs",
                N_("The log does not agree with what it was when it was written last."),
            )
        return tuple(self._reasons)

    def _add(self, code: str, template: str, **values: Any) -> None:
        if len(self._reasons) < _MOST_REASONS:
            hint = Message(N_("Keep the data folder and the database as they are, and look into it."))
            self._reasons.append(Reason(code, Message(template, **values), hint=hint))
