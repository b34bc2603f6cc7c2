"""Corrections that change nothing of what a rule finds, and a check that they do not.

Rules of this module:

- Only whitespace, the case of tags, the form of dates, a missing id and the spelling of level and status are
  corrected, line by line, so that the rest of a file stays as its author wrote it.
- Afterwards both texts are read again: logsource, detection, correlation and filter must be equal, and every
  other key but those that were corrected equal but for white space. Otherwise nothing is changed.
- A file is written beside itself and renamed, with the rights that it had.
"""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from haidang.errors import OutputError
from haidang.i18n import N_
from haidang.sigma.ir import LEVELS, STATUSES
from haidang.sigma.yaml_source import YamlError, documents
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Correction", "corrected", "corrections", "difference", "write_back"]

_SHORT = {"info": "informational", "med": "medium", "crit": "critical", "testing": "test"}
_KEY = re.compile(r"([A-Za-z_-]+)[ \t]*:(.*)", re.DOTALL)
_DATE = re.compile(r"""([ \t]*)(["']?)(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})\2([ \t]*(?:\#.*)?)""")
_WORD = re.compile(r"""([ \t]*)(["']?)([A-Za-z-]+)\2([ \t]*(?:\#.*)?)""")
_TAG = re.compile(r"""([ \t]*-[ \t]+["']?)([\w.-]*[A-Z][\w.-]*)(["']?[ \t]*(?:\#.*)?)""")
_MEANING = ("logsource", "detection", "correlation", "filter", "action")
_CORRECTED = frozenset({"id", "level", "status", "date", "modified", "tags"})


class Correction(NamedTuple):
    """One line that is corrected."""

    line: int
    code: str
    message: Message | None = None


def corrections(data: bytes) -> list[Correction]:
    """Return what would be corrected in a rule file."""
    return corrected(data, lambda: "00000000-0000-4000-8000-000000000000")[1]


def corrected(
    data: bytes, new_id: Callable[[], str] = lambda: str(uuid4())
) -> tuple[bytes, list[Correction]]:
    """Return a rule file corrected, and what was; the file as it is where its meaning would change.

    Args:
        data: The file.
        new_id: Gives an id for a rule that has none.
    """
    try:
        text = data.decode("utf-8")
        before = documents(data)
    except (UnicodeDecodeError, YamlError):
        return data, []
    for spaces in (True, False):
        fixer = _Fixer(
            new_id, spaces=spaces, whole="action" not in {k for d in before if isinstance(d, dict) for k in d}
        )
        changed = fixer.text(text).encode("utf-8")
        if changed == data:
            return data, []
        if _same_meaning(before, changed):
            return changed, fixer.made
    return data, []


class _Fixer:
    """Corrects one text, line by line."""

    def __init__(self, new_id: Callable[[], str], *, spaces: bool, whole: bool) -> None:
        self._new_id = new_id
        self._spaces = spaces
        self._whole = whole
        """Whether each document is a rule of its own."""
        self.made: list[Correction] = []

    def text(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        out: list[str] = []
        key = ""
        keys = self._keys(lines)
        document = 0
        for number, line in enumerate(lines, 1):
            body, end = _parted(line)
            if body.startswith("---"):
                document += 1
                key = ""
            elif body[:1].isalpha() and (match := _KEY.fullmatch(body)):
                key = match[1]
            fixed = self._line(number, key, body)
            out.append(fixed + end)
            if key == "title" and body.startswith("title") and self._whole and "id" not in keys[document]:
                out.append(f"id: {self._new_id()}{end or chr(10)}")
                self.made.append(Correction(number, "id-missing"))
        if out and not _parted(out[-1])[1] and self._spaces:
            out.append("\n")
            self.made.append(Correction(len(lines), "whitespace"))
        return "".join(out)

    @staticmethod
    def _keys(lines: list[str]) -> list[set[str]]:
        """Return the top keys of each document."""
        found: list[set[str]] = [set()]
        for line in lines:
            if line.startswith("---"):
                found.append(set())
            elif line[:1].isalpha() and (match := _KEY.match(line)):
                found[-1].add(match[1])
        return found

    def _line(self, number: int, key: str, body: str) -> str:
        fixed = body
        if key in {"date", "modified"} and body.startswith(key):
            fixed = self._date(number, body)
        elif key in {"level", "status"} and body.startswith(key):
            fixed = self._word(number, key, body)
        elif key == "tags" and (match := _TAG.fullmatch(body)):
            fixed = match[1] + match[2].lower() + match[3]
            self.made.append(Correction(number, "tag-case"))
        if self._spaces and fixed != fixed.rstrip(" \t"):
            fixed = fixed.rstrip(" \t")
            self.made.append(Correction(number, "whitespace"))
        return fixed

    def _date(self, number: int, body: str) -> str:
        key, colon, value = body.partition(":")
        match = _DATE.fullmatch(value)
        if match is None:
            return body
        try:
            day = date(int(match[3]), int(match[4]), int(match[5])).isoformat()
        except ValueError:
            return body
        if day in value:
            return body
        message = Message(N_("the date {word} is not written as year-month-day"), {"word": value.strip()})
        self.made.append(Correction(number, "date-format", message))
        return f"{key}{colon}{match[1] or ' '}{day}{match[6]}"

    def _word(self, number: int, key: str, body: str) -> str:
        name, colon, value = body.partition(":")
        known = LEVELS if key == "level" else STATUSES
        match = _WORD.fullmatch(value)
        if match is None or match[3] in known:
            return body
        word = match[3].lower()
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.75)
        meant = word if word in known else _SHORT.get(word) or (close[0] if close else "")
        if meant not in known:
            return body
        template = N_("the {key} {word} is not one of the specification; {meant} is meant")
        message = Message(template, {"key": key, "word": repr(match[3]), "meant": meant})
        self.made.append(Correction(number, f"{key}-spelling", message))
        return f"{name}{colon}{match[1] or ' '}{meant}{match[4]}"


def _parted(line: str) -> tuple[str, str]:
    """Return a line and its end."""
    body = line.rstrip("\r\n")
    return body, line[len(body) :]


def _same_meaning(before: list[Any], changed: bytes) -> bool:
    try:
        after = documents(changed)
    except YamlError:
        return False
    return len(before) == len(after) and all(map(_same_document, before, after))


def _same_document(before: Any, after: Any) -> bool:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return bool(before == after)
    if before.keys() - after.keys() or after.keys() - before.keys() - {"id"}:
        return False
    if any(before.get(key) != after.get(key) for key in _MEANING):
        return False
    others = before.keys() - _CORRECTED
    return all(_spaceless(before[key]) == _spaceless(after[key]) for key in others)


def _spaceless(value: Any) -> Any:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [_spaceless(one) for one in value]
    return {key: _spaceless(one) for key, one in value.items()} if isinstance(value, dict) else value


def difference(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """Yield the lines of a unified diff."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
    yield from difflib.unified_diff(old, new, path, path, lineterm="")


def write_back(path: str, data: bytes) -> None:
    """Replace a file in one step; raise OutputError where that cannot be."""
    place = Path(path).resolve()
    name = ""
    try:
        mode = place.stat().st_mode
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".haidang-", delete=False) as file:
            name = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & 0o7777)  # noqa: PTH101 - by name, as it was made
        os.replace(name, place)  # noqa: PTH105 - by name, as it was made
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
