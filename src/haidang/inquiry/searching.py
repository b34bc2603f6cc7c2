r"""Where a text or an expression occurs in logs of any format.

Rules:

- A pattern is looked for in the values of an event, those inside lists and objects too, or in those of named
  fields alone. A number is looked at as its decimal text. Names of fields are not values.
- A plain text is compared as it is, or without regard to case; expressions are RE2's, which run in linear
  time whatever the log holds.
- A JSON document in whose bytes a plain text cannot be is not decoded. That is decided so that no event is
  missed: where JSON may write a character in another way (``\u0041``), or a number in another form, the
  document is decoded. :func:`Pattern.may_be_in` is tested against decoding every document.

Logs are untrusted; patterns are the user's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.detect.regexes import required_literal
from haidang.detect.semantics import leaves, lookup, text
from haidang.errors import ConfigurationError
from haidang.inquiry.questions import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.inquiry.questions import LogEvent, Question

__all__ = ["Found", "Pattern", "absent_fields", "search"]

_LOOKED_AT = 200_000
"""Events that are gone through to say whether a field exists."""
_NAMES = 10_000
"""Names of fields that are remembered to say which may have been meant."""

_PART_OF_A_NUMBER = re.compile(r"[-+]?\d*\.?\d*(?:e[-+]?\d*)?", re.ASCII | re.IGNORECASE)


class Found(NamedTuple):
    """An event in which the pattern occurs."""

    event: LogEvent
    time: int | None
    host: str
    fields: tuple[tuple[str, str], ...]
    """Field and value of each occurrence at the top of the event."""


@dataclass(frozen=True)
class Pattern:
    """What is looked for."""

    text: str
    fields: tuple[str, ...] = ()
    """Only in these fields; none means all."""
    regex: bool = False
    ignore_case: bool = False

    def occurrences(self, event: dict[str, Any]) -> tuple[tuple[str, str], ...]:
        """Return the fields in which the pattern occurs, each with the first value that it occurs in."""
        holds = self.holds
        named = ((name, lookup(event, name)) for name in self.fields) if self.fields else event.items()
        found = []
        for name, value in named:
            if value.__class__ is str:
                if holds(value):
                    found.append((name, value))
            elif value is not None:
                hit = next((one for leaf in leaves(value) if holds(one := text(leaf))), None)
                if hit is not None:
                    found.append((name, hit))
        return tuple(found)

    @cached_property
    def holds(self) -> Callable[[str], bool]:
        """Whether the pattern occurs in one value.

        Raises:
            ConfigurationError: The expression is none that RE2 can run.
        """
        if self.regex:
            return _expression(self.text, ignore_case=self.ignore_case)
        if self.ignore_case:
            needle = self.text.lower()
            return lambda value: needle in value.lower()
        needle = self.text
        return lambda value: needle in value

    def find(self, value: str) -> tuple[int, int] | None:
        """Return where the pattern first occurs in ``value``: its first character and that behind it."""
        if self.regex:
            spelled = f"(?i){self.text}" if self.ignore_case else self.text
            try:
                # Only to show the place: what holds is decided by RE2 alone.
                found = _search_of(spelled)(value)
            except UnicodeEncodeError:
                return None
            return found.span() if found else None
        at = (value.lower() if self.ignore_case else value).find(
            self.text.lower() if self.ignore_case else self.text
        )
        return (at, at + len(self.text)) if at >= 0 else None

    @cached_property
    def may_be_in(self) -> Callable[[bytes], bool] | None:
        """Whether the pattern may occur in a JSON document of these bytes; None where that says little."""
        if self.regex:
            # A match contains this text, whatever the case of its letters.
            literal = required_literal(self.text)
            return Pattern(literal, ignore_case=True).may_be_in if literal else None
        needle = _written(self.text)
        if not needle or _PART_OF_A_NUMBER.fullmatch(self.text):
            return None
        slash = b"/" in needle
        if not self.ignore_case:

            def accepts(document: bytes) -> bool:
                return needle in document or b"\\u" in document or (slash and b"\\/" in document)

            return accepts
        lowered = needle.lower()

        def accepts_any_case(document: bytes) -> bool:
            # Letters outside ASCII may lower to letters inside it (the Kelvin sign does).
            return (
                not document.isascii()
                or b"\\u" in document
                or lowered in document.lower()
                or (slash and b"\\/" in document)
            )

        return accepts_any_case


def search(question: Question, pattern: Pattern) -> Iterator[Found]:
    """Yield the events in which the pattern occurs, in the order of the files.

    Raises:
        ConfigurationError: The expression is wrong.
        InputError: A path does not exist.
    """
    occurrences = pattern.occurrences
    bounded = question.since is not None or question.until is not None
    _ = pattern.holds  # A wrong expression is said before anything is read.
    may_be_in = pattern.may_be_in
    # What cannot be in many documents together cannot be in one of them.
    for event in question.events(Sieve(may_be_in, may_be_in) if may_be_in else None):
        fields = occurrences(event.fields)
        if not fields:
            continue
        time = question.time(event)
        if bounded and not question.wants_time(time):
            continue
        host = question.host(event)
        if question.wants_host(host):
            yield Found(event, time, host, fields)


def absent_fields(question: Question, fields: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return those of ``fields`` that no event has, and the names of fields that events have.

    Whoever finds nothing may have misspelt a field. The logs are read once more, up to 200,000 events; beyond
    that, nothing is said to be absent. Standard input cannot be read again, and nothing is known of it.
    """
    left = dict.fromkeys(fields)
    names: dict[str, None] = {}
    if not fields or "-" in question.paths:
        return [], []
    again = replace(question, reports=[], on_progress=lambda _size, _events: None)
    for count, event in enumerate(again.events(), 1):
        for name in [name for name in left if lookup(event.fields, name) is not None]:
            del left[name]
        if not left or count >= _LOOKED_AT:
            return [], []
        if len(names) < _NAMES:
            names.update(dict.fromkeys(event.fields))
    return list(left), list(names)


def _written(pattern: str) -> bytes:
    """Return a text as JSON writes it without need; b"" where that cannot be told."""
    try:
        written = orjson.dumps(pattern)[1:-1]
    except (TypeError, orjson.JSONEncodeError):
        return b""
    # Bytes that are no UTF-8 are decoded as U+FFFD; control characters are always escaped, and variously.
    return b"" if "\ufffd" in pattern or b"\\u" in written else written


@lru_cache(maxsize=4)
def _search_of(pattern: str) -> Callable[[str], Any]:
    import re2

    options = re2.Options()
    options.log_errors = False
    search: Callable[[str], Any] = re2.compile(pattern, options).search
    return search


def _expression(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    import re2

    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    options.never_capture = True
    try:
        search: Callable[[str], Any] = re2.compile(pattern, options).search
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ConfigurationError(
            f"{pattern!r} is no regular expression: {reason}",
            hint="Write it for RE2: no look-around, no back-references.",
        ) from None

    literal = required_literal(pattern)

    def holds(value: str) -> bool:
        # Looking for a text costs a tenth of an expression. Outside ASCII, letters fold in more ways.
        if value.isascii() and literal not in value.lower():
            return False
        try:
            return search(value) is not None
        except UnicodeEncodeError:
            return search(value.encode("utf-8", "replace").decode()) is not None

    return holds
