r"""Cutting a stream of JSON into the objects that are events, without decoding it.

Rules of this module:

- Outside of objects, brackets, commas and white space mean nothing, so that arrays, arrays in arrays, and
  objects behind one another are all the same. Anything else is noted and passed over.
- Inside an object only strings and brackets are looked at. A line end in a string, which JSON forbids, means
  that the object is broken; reading goes on where the next one seems to begin: on a line with the same
  indentation, or else behind ``},``.
- An object of more than ``limits.line_bytes`` is passed over without being held. One that is never closed is
  found out by then, or at the end of the file; what it swallowed is read again, within bounds.
- An object that wraps an array of events is opened; see :mod:`haidang.events.json_parts`.

All input is untrusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.json_parts import CALM, STRING, cut_all, single_array, wraps
from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["JsonSplitter"]

_SPACE = expression(rb"[\s,\x00\x1e]*+")
_ARRAYS = expression(rb"(?:[\s,]*+\[)++")
_STRAY = expression(STRING + rb'|"|[\]}][\s,\]}]*+|[^\s,\[\]{}"]++')
_INDENTATION = expression(rb"(?:\A|\n)([ \t]*)\Z")
_NEXT = expression(rb"(?:\n[ \t]*|\}\s*,\s*)\{")
_TAIL = 256
"""Bytes kept while looking for the next object; an indentation takes less."""
_RETRIES = 4
"""How many times ``limits.line_bytes`` that broken objects swallowed are read again, in one file."""
_QUOTE, _OPEN_OBJECT, _OPEN_ARRAY, _CLOSE_ARRAY = b'"{[]'


class JsonSplitter:
    """Fed with blocks, yields each object that is complete, with its number (from 1)."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        """Begin outside of any object; what is broken is noted in ``report``."""
        self._report = report
        self._limits = limits
        self._retry = limits.line_bytes * _RETRIES
        self._count = 0
        self._buffer = b""
        self._start = 0  # Where in the buffer the object begins, or what is not looked at yet.
        self._at = 0  # Up to where the buffer was looked at.
        self._final = False
        self._space = b"\n"  # What comes before the next object: its indentation, perhaps.
        self._separator = b""  # What was between two objects, if it has a comma.
        self._fresh = False  # Whether a block came since many objects were cut at once.
        self._next: re.Pattern[bytes] | None = None  # How the object's neighbours begin.
        self._depth = 0  # Open brackets of the object; 0 outside of objects.
        self._held = True  # Whether the object is kept, or only passed over.
        self._arrays = 0  # Open arrays around the object.
        self._wrappers: list[tuple[int, int]] = []  # Depth of each open wrapper, and arrays around its own.
        self._torn = False  # Whether what is no object may go on in the next block.
        self._lost = False  # Whether the next object is looked for behind a broken one.

    def feed(self, block: bytes) -> Iterator[tuple[int, bytes]]:
        """Take one more block and yield the objects that it completes."""
        self._buffer = self._buffer[self._start :] + block
        self._at -= self._start
        self._start = 0
        self._fresh = True
        return self._run()

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """Say that nothing follows, and yield what an object that is never closed had swallowed."""
        self._final = True
        yield from self._run()
        if self._arrays and "truncated" not in self._report.problems and not self._report.skipped:
            self._report.note("truncated", f"record {self._count + 1}", "The file ends inside an array.")

    def _run(self) -> Iterator[tuple[int, bytes]]:
        while True:
            if self._lost:
                going = self._search()
            elif not self._depth:
                for document in self._many():
                    yield from self._complete(document)
                going = self._outside()
            else:
                begin = self._start
                going = self._inside()
                if going and not (self._depth or self._lost) and self._held:
                    yield from self._complete(self._buffer[begin : self._at])
            if not going:
                return

    def _outside(self) -> bool:
        """Look at the next thing outside of objects; return whether there was one."""
        buffer = self._buffer
        match = _SPACE.match(buffer, self._at)
        end = match.end() if match else self._at
        self._space = (self._space + buffer[self._at : end])[-_TAIL:]
        self._start = self._at = end
        if end == len(buffer):
            return False
        mark = buffer[end]
        self._at += 1
        if mark == _OPEN_OBJECT:
            self._begin_object()
        elif mark == _OPEN_ARRAY:
            arrays = _ARRAYS.match(buffer, end)
            self._at = arrays.end() if arrays else self._at
            self._arrays += buffer.count(b"[", end, self._at)
        elif mark == _CLOSE_ARRAY and self._arrays:
            self._arrays -= 1
            if self._wrappers and self._wrappers[-1][1] == self._arrays:
                self._depth = self._wrappers.pop()[0]
                self._held = False
        else:
            return self._pass_stray(end)
        self._torn = False
        self._space = b""
        return True

    def _pass_stray(self, begin: int) -> bool:
        """Pass over what is no object; return whether its end was found."""
        buffer = self._buffer
        stray = _STRAY.match(buffer, begin)
        end = stray.end() if stray else begin + 1
        if stray and stray[0] == b'"':
            # A string that goes on in the next block must not show its brackets.
            end = len(buffer)
            line_end = buffer.find(b"\n", begin)
            if line_end >= 0:
                end = line_end
            elif end - begin <= self._limits.line_bytes and not self._final:
                self._at = begin
                return False
        if not self._torn or self._space:
            self._note("broken-record", "What stands here is no object.")
        self._torn = end == len(buffer)
        self._at = end
        self._space = b""
        return True

    def _many(self) -> list[bytes]:
        """Return the objects up to the last separator in the buffer, once for each block; none in doubt."""
        if not (self._separator and self._fresh):
            return []
        self._fresh = False
        space = _SPACE.match(self._buffer, self._at)
        begin = space.end() if space else self._at
        end = self._buffer.rfind(b"}" + self._separator + b"{", begin) + 1
        if not end or self._buffer[begin] != _OPEN_OBJECT:
            return []
        documents = cut_all(self._buffer[begin:end])
        if documents:
            self._at = end
        return documents

    def _begin_object(self) -> None:
        self._depth = 1
        self._held = True
        if self._space.count(b",") == 1:
            self._separator = self._space
        indentation = _INDENTATION.search(self._space)
        self._next = re.compile(rb"\n" + indentation[1] + rb"\{") if indentation else None

    def _inside(self) -> bool:
        """Go on to the end of the object; return whether it (or something else that ends it) was found."""
        buffer, at, depth = self._buffer, self._at, self._depth
        match = CALM.match
        while True:
            calm = match(buffer, at)
            at = calm.end() if calm else at
            if at == len(buffer):
                break
            mark = buffer[at]
            if mark == _QUOTE:
                break
            if mark == _OPEN_OBJECT:
                depth += 1
            elif mark == _OPEN_ARRAY:
                if depth <= 2 and self._held and wraps(buffer, self._start, at, depth):
                    follows = self._follows(at + 1)
                    if not follows:
                        self._at, self._depth = at, depth
                        return False
                    if follows == b"{":
                        self._open_wrapper(at, depth)
                        return True
                depth += 1
            else:
                depth -= 1
                if not depth:
                    self._at, self._depth = at + 1, 0
                    if mark == _CLOSE_ARRAY and self._held:
                        return self._break("broken-record", "An object is not closed.")
                    return True
            at += 1
        self._at, self._depth = at, depth
        return self._interrupted()

    def _interrupted(self) -> bool:
        """Judge an object that does not end in the buffer; return whether to go on without more data."""
        if self._buffer.find(b"\n", self._at) >= 0:
            # The buffer ends in an open string, and strings hold no line ends.
            return self._break("broken-record", "A string is not closed.")
        if self._final:
            if self._unclosed():
                return self._break("broken-record", "An object is not closed.")
            self._note("truncated", "The file ends inside an object.", counts=self._held)
            self._depth = 0
            self._start = self._at = len(self._buffer)
            return False
        if self._held and len(self._buffer) - self._start > self._limits.line_bytes:
            if self._unclosed():
                return self._break("broken-record", "An object is not closed.")
            self._note("oversized-line", f"longer than {self._limits.line_bytes} bytes")
            self._held = False
        if not self._held:
            self._let_go()
        return False

    def _let_go(self) -> None:
        """Forget what was looked at of an object that is passed over; of an open string keep the quote."""
        if self._at < len(self._buffer):
            backslashes = len(self._buffer) - len(self._buffer.rstrip(b"\\"))
            self._buffer = b'"' + b"\\" * (backslashes & 1)
            self._at = 0
        self._start = self._at

    def _unclosed(self) -> bool:
        """Return whether an object has a neighbour inside it, and may be read again."""
        size = self._at - self._start
        if not self._held or self._next is None or size > self._retry:
            return False
        return self._next.search(self._buffer, self._start + 1) is not None

    def _break(self, kind: str, detail: str) -> bool:
        """Give an object up and look for the next one."""
        self._note(kind, detail, counts=self._held)
        self._retry -= self._at - self._start
        if self._held and self._next is not None and self._retry > 0:
            self._at = self._start + 1
        self._start = self._at
        self._depth = 0
        self._lost = True
        return True

    def _search(self) -> bool:
        """Look for the next object; return whether there is one in the buffer."""
        match = (self._next or _NEXT).search(self._buffer, self._at)
        if match is None:
            end = len(self._buffer)
            self._start = self._at = end if self._final else max(self._at, end - _TAIL)
            return False
        self._lost = False
        self._start = self._at = match.end() - 1
        self._space = match[0][:-1]
        return True

    def _follows(self, at: int) -> bytes:
        """Return the byte that follows, white space aside; b"" where it has not come yet."""
        space = _SPACE.match(self._buffer, at)
        end = space.end() if space else at
        waits = not self._final and len(self._buffer) - self._start <= self._limits.line_bytes
        return self._buffer[end : end + 1] or (b"" if waits else b" ")

    def _open_wrapper(self, at: int, depth: int) -> None:
        """Step into the array at ``at``, which holds the events that the object wraps."""
        self._wrappers.append((depth, self._arrays))
        self._arrays += 1
        self._depth = 0
        self._held = False
        self._start = self._at = at + 1
        self._space = b""

    def _complete(self, document: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield an object, or the events that it wraps."""
        self._start = self._at
        if len(document) > self._limits.line_bytes:
            self._note("oversized-line", f"longer than {self._limits.line_bytes} bytes")
            return
        array = single_array(document)
        if array is None:
            self._count += 1
            yield self._count, document
            return
        inner = JsonSplitter(self._report, self._limits)
        inner._count = self._count
        yield from inner.feed(array)
        self._count = inner._count

    def _note(self, kind: str, detail: str, *, counts: bool = True) -> None:
        if counts:
            self._count += 1
        where = f"record {self._count if counts else self._count + 1}"
        self._report.note(kind, where, detail, skipped=int(counts))
