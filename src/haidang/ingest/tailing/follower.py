"""The files of one source: which are there, which content each holds, what is to be taken next.

Rules of this module:

- A file is followed by its device and inode under any name; a content by its bytes, see ``positions``. So
  each byte is taken once through renaming, ``copytruncate``, compression and restarts.
- What is gone from the patterns is still read to its end. A content that was not taken to its end, because
  its file was truncated or was gone after a restart, is looked for in its folder.
- A file that came and went under a followed name while nobody watched is taken under its rotated name.
- Nothing here waits or writes: ``scan`` and ``look`` read; ``taken`` says that a portion is on disk.

A line that was written to a file after it was copied and before it was truncated is lost if it was not read
in between: that is how ``copytruncate`` works.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from haidang.ingest.tailing.between import CameAndWent
from haidang.ingest.tailing.counts import TailCounts
from haidang.ingest.tailing.followed import Followed, stamp_of
from haidang.ingest.tailing.known import KnownContents, begun_name, mark_name
from haidang.ingest.tailing.placing import Placed, Placing, Verdict
from haidang.ingest.tailing.portions import ChangedError, Portion, next_portion
from haidang.ingest.tailing.positions import moved, moved_to, new_position
from haidang.ingest.tailing.seeing import files_beside, files_of
from haidang.ingest.tailing.starting import behind_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from haidang.ingest.tailing.followed import Stamp
    from haidang.ingest.tailing.positions import Content, Key, Position
    from haidang.ingest.tailing.seeing import Seen
    from haidang.ingest.tailing.tail import Tail
    from haidang.limits import Limits

__all__ = ["Follower"]

_LOG = logging.getLogger(__name__)


class Follower:
    """Follows the files of one source; used by one thread at a time."""

    def __init__(
        self,
        source: str,
        tails: Sequence[Tail],
        marks: Mapping[str, bytes],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go on where ``marks`` say; ``source`` is the id of the source."""
        self.marks: dict[str, bytes] = {}
        """Marks that are to be kept though nothing is to be appended; an empty one is to be removed."""
        self._source = source
        self._tails = tails
        self._limits = limits
        self._clock = clock
        self._new_tails = {tail for tail in tails if begun_name(source, tail.pattern) not in marks}
        self._known = KnownContents(marks)
        self._placing = Placing(self._known, self._content_of, limits)
        self._files: dict[Key, Followed] = {}
        self._noted: dict[Key, Stamp] = {}
        self._searched: dict[Key, Stamp] = {}
        self._sought: set[str] = set()
        self._counts = TailCounts(unreadable=self._known.unreadable)
        self._came_and_went = CameAndWent({}, (), 0.0)
        self._is_first_scan = True

    def counts(self) -> TailCounts:
        """Return what was counted so far."""
        self._counts.files = len(self._files)
        self._counts.missing = len(self._known.missing(self._clock()))
        return self._counts

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def mark(self, position: Position) -> dict[str, bytes]:
        """Return the mark of a position."""
        return {mark_name(self._source, position): position.encode()}

    def scan(self) -> None:
        """See which files there are; afterwards ``marks`` are to be kept before anything else is."""
        seen = files_of(self._tails)
        for file in list(self._files.values()):
            self._update(file, seen.get(file.key))
        unknown = [one for one in seen.values() if one.key not in self._files]
        # Whatever is found by its inode comes first: it is not to be taken for a copy of itself.
        unknown = [one for one in unknown if not self._guard(one, self._resume)]
        self._counts.left_out = self._counts.waiting = 0
        for one in unknown:
            if len(self._files) >= self._limits.tail_files:
                self._counts.left_out += 1
            else:
                self._guard(one, self._place)
        now = self._clock()
        if self._is_first_scan:
            self._known.miss(self._missing_until())
            self._came_and_went = CameAndWent(
                self._known.latest(), self._files.values(), self._missing_until()
            )
            self._is_first_scan = False
        self._search(now)
        for tail in self._new_tails:
            self.marks[begun_name(self._source, tail.pattern)] = b"1"
        self._new_tails = set()
        for position in self._known.forget(self._limits.tail_remembered_days):
            self.marks[mark_name(self._source, position)] = b""

    def look(self) -> list[tuple[Followed, Portion]]:
        """Return what is to be taken next: of each file one portion, up to ``limits.tail_turn_bytes``."""
        found: list[tuple[Followed, Portion]] = []
        size = 0
        for file in list(self._files.values()):
            portion = self._look(file)
            if portion is None:
                continue
            found.append((file, portion))
            # Next time the others come first.
            self._files[file.key] = self._files.pop(file.key)
            size += len(portion.data)
            if size >= self._limits.tail_turn_bytes:
                break
        self._close_resting()
        return found

    def taken(self, file: Followed, portion: Portion) -> None:
        """Go on behind a portion, which is on disk together with its mark."""
        file.position = portion.position
        self._known.keep(portion.position)
        self._counts.oversized += portion.oversized

    # --- scanning ---

    def _update(self, file: Followed, seen: Seen | None) -> None:
        """Note what became of a file that is followed."""
        if seen is None:
            if not file.gone:
                file.gone = file.rotated = True
            if not file.is_open:
                self._release(file)
            return
        file.gone = False
        if seen.path != file.path:
            file.rotated = True
            file.path = seen.path
            file.position = moved_to(file.position, seen.key, seen.path)
        if seen.stamp != file.stamp:
            file.touched = True
            if file.done:
                # A compressed file that was taken is another one now.
                self._release(file)

    def _guard(self, seen: Seen, step: Callable[[Seen, Followed, Content], bool]) -> bool:
        """Do something with a new file that is open; one that cannot be read is noted, and tried again."""
        start = new_position(seen.key, seen.path, seen.form)
        file = Followed(seen.path, start, now=self._clock())
        file.stamp = seen.stamp
        try:
            content = file.content(self._limits)
            if content is not None and step(seen, file, content):
                return True
        except OSError as error:
            self._note("unreadable", seen, str(error))
        file.close()
        return False

    def _resume(self, seen: Seen, file: Followed, content: Content) -> bool:
        """Follow a file that still holds what was taken of it before."""
        found = self._known.of_key(seen.key)
        for position in found:
            if position.holds(content):
                file.rotated = file.position.path != position.path
                file.position = moved_to(position, seen.key, seen.path)
                file.done = position.ended and bool(file.packing)
                file.gone = seen.tail is None
                self._follow(file)
                return True
        for position in found:
            self._known.free(position, truncated=True, missing_until=self._missing_until())
        return False

    def _place(self, seen: Seen, file: Followed, content: Content) -> bool:
        """Follow a file that nobody knows, where it can be said what it holds."""
        if seen.tail in self._new_tails and not seen.tail.existing:
            file.position = behind_all(file.position, content, packed=bool(file.packing))
            file.done = file.position.ended
            self.marks |= self.mark(file.position)
            self._follow(file)
            return True
        decision = self._placing.place(seen, content, packed=bool(file.packing), now=self._clock())
        if decision is Verdict.REFUSE:
            self._note("refused", seen, "its first line has a zero byte")
        if not isinstance(decision, Placed):
            self._counts.waiting += decision is Verdict.WAIT and seen.stamp[0] > 0
            return False
        file.position, file.rotated = decision
        self._follow(file)
        return True

    def _search(self, now: float) -> None:
        """Look for what is missing beside where it was."""
        missing = self._known.missing(now)
        sought = {position.id for position in missing}
        if sought - self._sought:
            self._searched.clear()
        self._sought = sought
        paths = {os.fsdecode(position.path) for position in missing}
        for path in paths | self._came_and_went.paths(now):
            for seen in files_beside(path):
                if seen.key not in self._files and self._searched.get(seen.key) != seen.stamp:
                    _ = self._guard(seen, self._resume) or self._guard(seen, self._recover)

    def _recover(self, seen: Seen, file: Followed, content: Content) -> bool:
        """Follow a file that no pattern finds, where it is a copy of what is missing, or came and went."""
        now = self._clock()
        is_wanted = self._came_and_went.has(seen, now)
        decide = self._placing.place if is_wanted else self._placing.recover
        found = decide(seen, content, packed=bool(file.packing), now=now)
        if not isinstance(found, Placed):
            if found is Verdict.REFUSE:
                self._searched[seen.key] = seen.stamp
            return False
        file.position = found.position
        file.rotated = file.gone = True
        self._follow(file)
        return True

    def _follow(self, file: Followed) -> None:
        self._files[file.key] = file
        self._known.keep(file.position)
        self._noted.pop(file.key, None)

    def _release(self, file: Followed, *, complete: bool = False) -> None:
        """Follow a file no more."""
        file.close()
        del self._files[file.key]
        if not complete:
            self._known.free(file.position, missing_until=self._missing_until())
            return
        ended = moved(file.position, ended=True)
        self._known.keep(ended)
        self._known.free(ended)
        if ended.offset:
            self.marks |= self.mark(ended)

    def _note(self, kind: str, seen: Seen, reason: str) -> None:
        """Count and log what is wrong with a file, once for each of its states."""
        if self._noted.get(seen.key) == seen.stamp:
            return
        self._noted[seen.key] = seen.stamp
        setattr(self._counts, kind, getattr(self._counts, kind) + 1)
        _LOG.warning("file not followed", extra={"path": seen.path, "reason": reason})

    def _missing_until(self) -> float:
        return self._clock() + self._limits.tail_missing_seconds

    def _content_of(self, position: Position) -> Content | None:
        file = self._files.get(position.key)
        try:
            return file.content(self._limits) if file else None
        except OSError:
            return None

    # --- looking ---

    def _look(self, file: Followed) -> Portion | None:
        if file.done or not (file.is_open or file.touched or file.more):
            return None
        try:
            content = file.content(self._limits)
            if content is None:
                # Another file has its name; the next scan finds it, or looks for it.
                self._release(file)
                return None
            try:
                return self._next(file, content)
            except ChangedError:
                self._truncated(file)
            return None if file.packing else self._next(file, content)
        except ChangedError:
            # It changes faster than it can be read; the next turn begins anew.
            self._truncated(file)
        except OSError as error:
            self._broken(file, str(error))
            self._release(file)
        return None

    def _next(self, file: Followed, content: Content) -> Portion | None:
        state = file.state()
        now = self._clock()
        stamp = stamp_of(state)
        if stamp != file.stamp:
            file.stamp, file.changed, file.finished = stamp, now, False
            file.more = True
        rests = now - file.changed >= self._limits.tail_settle_seconds
        final = bool(file.packing) or (file.rotated and rests)
        if not file.more and (file.finished or not final):
            if file.gone and rests and (not state.st_nlink or self._rests_long(file, now)):
                self._release(file, complete=True)
            return None
        if not file.packing and state.st_size < file.position.offset:
            raise ChangedError
        portion = next_portion(content, file.position, self._limits, final=final)
        file.more = portion is not None and portion.more
        if portion is None:
            file.finished = final
            if file.packing:
                self._end(file)
        return portion

    def _rests_long(self, file: Followed, now: float) -> bool:
        return now - file.changed >= self._limits.tail_missing_seconds

    def _end(self, file: Followed) -> None:
        """Note that a compressed file was taken to its end."""
        if file.damage:
            self._broken(file, file.damage)
        file.position = moved(file.position, ended=True)
        file.done = True
        file.close()
        self._known.keep(file.position)
        self.marks |= self.mark(file.position)
        if file.gone:
            self._release(file, complete=True)

    def _truncated(self, file: Followed) -> None:
        """Begin anew with a file of which the content was replaced; look for what it held."""
        self._counts.truncated += 1
        if file.packing:
            self._release(file)
            return
        old = file.position
        self._known.free(old, truncated=True, missing_until=self._missing_until())
        file.position = new_position(old.key, file.path, old.form)
        file.more = True
        self._known.keep(file.position)

    def _broken(self, file: Followed, reason: str) -> None:
        """Count and log a file that cannot be read on."""
        self._counts.unreadable += 1
        _LOG.warning("file cannot be read on", extra={"path": file.path, "reason": reason})

    def _close_resting(self) -> None:
        """Close the files that rest longest, where too many are open."""
        opened = [file for file in self._files.values() if file.is_open]
        too_many = len(opened) - self._limits.tail_open
        if too_many > 0:
            for file in sorted(opened, key=lambda one: one.changed)[:too_many]:
                file.close()
