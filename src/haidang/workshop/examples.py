"""A rule's own examples, kept beside it: ``name.test.yml`` for ``name.yml``.

    origin: windows                 # whose field names the events have; left out, they are recognised
    base: {Channel: Security}       # what every event has besides its own fields
    fires:                          # single events on which the rule must fire
      - {EventID: 1102}
    quiet:                          # and on which it must not
      - {EventID: 4624}
    sequences:                      # several events in time, for correlations
      - name: eight failures, then a logon
        fires: true
        events:
          - {event: {EventID: 4625}, times: 8, every: 20s}
          - {event: {EventID: 4624}, after: 20s}
    logs:                           # recorded logs, by their path from this file, or as they are
      - {path: recorded.evtx, fires: 2}
      - {text: '<38>1 2026-11-30T01:02:03Z hv-web01 sshd 1 - - Failed password', format: syslog}

Rules of this module:

- ``rule`` names the rule by id, name or title; left out, it is the only rule of the file beside it. One file
  may hold several documents, one for each rule.
- ``after`` is the time since the event before. An event of a sequence may be repeated with ``times`` and
  ``every``; ``{n}`` in a text is then its number, from 1.
- ``fires`` of a log is how many findings there must be at least; 0 says that there must be none.
- Everything that is wrong in a file is told at once, with its line; the same is said by
  ``docs/reference/rule-test.schema.json``.

The content is untrusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import RuleError
from haidang.sigma.yaml_source import Lines, YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Fields
    from haidang.limits import Limits

__all__ = ["Examples", "LogExample", "Sequence", "Single", "Step", "read_examples", "test_file"]

_SUFFIXES = (".test.yml", ".test.yaml")
_KEYS = frozenset({"rule", "origin", "base", "fires", "quiet", "sequences", "logs"})
_SEQUENCE_KEYS = frozenset({"name", "fires", "events"})
_STEP_KEYS = frozenset({"event", "after", "times", "every", "origin"})
_LOG_KEYS = frozenset({"name", "path", "text", "format", "fires"})
_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
_NANOSECONDS = {
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}


@dataclass(frozen=True, slots=True)
class Single:
    """One event on which the rule must fire, or must not."""

    event: Fields
    fires: bool
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a sequence, after repetition."""

    event: Fields
    origin: str
    at: int
    """Nanoseconds since the first."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Events in time on which the rule must fire, or must not."""

    name: str
    steps: tuple[Step, ...]
    fires: bool
    line: int


@dataclass(frozen=True, slots=True)
class LogExample:
    """A recorded log and how many findings it gives at least; 0 for none at all."""

    name: str
    path: Path
    fires: int
    line: int
    text: str = ""
    """The log itself; then ``path`` is the file in which it is written."""
    format: str = ""
    """Name of the reader, "" for recognition."""


@dataclass(slots=True)
class Examples:
    """The examples of one rule."""

    path: str
    line: int
    rule: str = ""
    """Id, name or title; "" for the only rule of the file beside it."""
    origin: str = ""
    optional: bool = False
    """Whether it is no fault that the rule is not loaded: public test data is of many rules."""
    singles: list[Single] = field(default_factory=list)
    sequences: list[Sequence] = field(default_factory=list)
    logs: list[LogExample] = field(default_factory=list)


def test_file(rule_file: str | Path) -> Path | None:
    """Return the file with the examples of the rules in ``rule_file``, None where there is none."""
    path = Path(rule_file)
    for suffix in _SUFFIXES:
        beside = path.with_name(path.stem + suffix)
        if beside.is_file():
            return beside
    return None


test_file.__test__ = False  # type: ignore[attr-defined] # pytest must not take it for a test.


def read_examples(path: Path, limits: Limits) -> tuple[list[Examples], list[RuleError]]:
    """Return the examples in a file, and everything that is wrong with it."""
    shown = str(path)
    try:
        if path.stat().st_size > limits.rule_file_bytes:
            return [], [RuleError(f"larger than {limits.rule_file_bytes} bytes", path=shown, rule="test")]
        data = path.read_bytes()
        found = documents(data)
    except OSError as error:
        return [], [RuleError(f"cannot be read: {error.strerror or error}", path=shown, rule="test")]
    except YamlError as error:
        return [], [RuleError(error.reason, path=shown, line=error.line, rule="test")]
    reader = _Reader(path, Lines(data), limits)
    examples = [reader.examples(index, one) for index, one in enumerate(found) if one is not None]
    return examples, reader.faults


class _Fault(Exception):  # noqa: N818 - it is not an error of the program
    def __init__(self, reason: str, *place: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


class _Reader:
    """Checks one file while it is taken over."""

    def __init__(self, path: Path, lines: Lines, limits: Limits) -> None:
        self._path = path
        self._lines = lines
        self._most = limits.test_events
        self._index = 0
        self.faults: list[RuleError] = []

    def examples(self, index: int, document: Any) -> Examples:
        self._index = index
        examples = Examples(str(self._path), self._lines.first(index))
        if not isinstance(document, dict):
            self._note(_Fault("examples must be a map of keys"))
            return examples
        for key in document:
            if key not in _KEYS:
                self._note(_Fault(f"unknown key {key!r}; there are {', '.join(sorted(_KEYS))}", key))
        examples.rule = self._text(document, "rule")
        examples.origin = self._text(document, "origin")
        base = document.get("base") or {}
        if not isinstance(base, dict):
            self._note(_Fault("'base' must be a map of fields", "base"))
            base = {}
        for key in ("fires", "quiet"):
            for at, event in self._listed(document, key):
                if isinstance(event, dict):
                    single = Single({**base, **event}, key == "fires", self._line(key, at))
                    examples.singles.append(single)
                else:
                    self._note(_Fault("an event must be a map of fields", key, at))
        for at, sequence in self._listed(document, "sequences"):
            self._try(examples.sequences, self._sequence, sequence, base, at)
        for at, log in self._listed(document, "logs"):
            self._try(examples.logs, self._log, log, base, at)
        if not (examples.singles or examples.sequences or examples.logs or self.faults):
            self._note(_Fault("there is no example: write 'fires', 'quiet', 'sequences' or 'logs'"))
        return examples

    def _try(self, kept: list[Any], take: Any, item: Any, base: Fields, at: int) -> None:
        try:
            kept.append(take(item, base, at))
        except _Fault as fault:
            self._note(fault)

    def _note(self, fault: _Fault) -> None:
        line = self._line(*fault.place)
        self.faults.append(RuleError(fault.reason, path=str(self._path), line=line, rule="test"))

    def _line(self, *place: str | int) -> int:
        return self._lines.of(self._index, place)

    def _text(self, document: dict[str, Any], key: str) -> str:
        value = document.get(key)
        if value is not None and not isinstance(value, str):
            self._note(_Fault(f"{key!r} must be a text", key))
        return value if isinstance(value, str) else ""

    def _listed(self, document: dict[str, Any], key: str) -> Iterator[tuple[int, Any]]:
        value = document.get(key)
        if value is None:
            return
        if isinstance(value, list):
            yield from enumerate(value)
        else:
            self._note(_Fault(f"{key!r} must be a list", key))

    def _sequence(self, item: Any, base: Fields, at: int) -> Sequence:
        place = ("sequences", at)
        _known(item, _SEQUENCE_KEYS, *place)
        fires = item.get("fires")
        if not isinstance(fires, bool):
            raise _Fault("'fires' must be true or false", *place, "fires")
        events = item.get("events")
        if not isinstance(events, list) or not events:
            raise _Fault("'events' must be a list of events", *place, "events")
        steps: list[Step] = []
        now = 0
        for number, one in enumerate(events):
            inner = (*place, "events", number)
            _known(one, _STEP_KEYS, *inner)
            event = one.get("event", {})
            if not isinstance(event, dict):
                raise _Fault("'event' must be a map of fields", *inner, "event")
            times, every = one.get("times", 1), _duration(one.get("every", "0s"), *inner, "every")
            if not isinstance(times, int) or isinstance(times, bool) or times < 1:
                raise _Fault("'times' must be a number from 1", *inner, "times")
            if len(steps) + times > self._most:
                raise _Fault(f"a sequence may have at most {self._most} events", *inner)
            now += _duration(one.get("after", "0s"), *inner, "after")
            origin = str(one.get("origin") or "")
            whole = {**base, **event}
            steps += [Step(_numbered(whole, n + 1), origin, now + n * every) for n in range(times)]
            now += (times - 1) * every
        return Sequence(str(item.get("name") or ""), tuple(steps), fires, self._line(*place))

    def _log(self, item: Any, _base: Fields, at: int) -> LogExample:
        place = ("logs", at)
        _known(item, _LOG_KEYS, *place)
        path, text, fires = item.get("path"), item.get("text"), item.get("fires", 1)
        form = item.get("format", "")
        if (path is None) is (text is None):
            raise _Fault("a log has either 'path' or 'text'", *place)
        if not isinstance(path or text, str) or not (path or text):
            key = "path" if text is None else "text"
            raise _Fault(f"{key!r} must be a text", *place, key)
        if not isinstance(form, str):
            raise _Fault("'format' must name a reader", *place, "format")
        if not isinstance(fires, int) or isinstance(fires, bool) or fires < 0:
            raise _Fault("'fires' must be a number of findings", *place, "fires")
        name = str(item.get("name") or path or text.splitlines()[0][:80])
        where = self._path if path is None else self._path.parent / path
        return LogExample(name, where, fires, self._line(*place), text or "", form)


def _known(item: Any, keys: frozenset[str], *place: str | int) -> None:
    if not isinstance(item, dict):
        raise _Fault(f"a map is expected here, with {', '.join(sorted(keys))}", *place)
    for key in item:
        if key not in keys:
            raise _Fault(f"unknown key {key!r}; there are {', '.join(sorted(keys))}", *place, str(key))


def _duration(value: Any, *place: str | int) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _Fault(f"{value!r} is no span of time; write a number and one of ms s m h d", *place)
    return int(match[1]) * _NANOSECONDS[match[2]]


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(inner, number) for key, inner in value.items()}
    return [_numbered(inner, number) for inner in value] if isinstance(value, list) else value
