"""From example events to a draft of a rule: what they share, and what ordinary logs do not.

Rules of this module:

- The log source is the one that a logsource map gives the events; of several the most particular, so that
  ``process_creation`` goes before a whole channel.
- A field counts where all examples have it: with the same value, or with one of a few, or with a beginning,
  end or part that they share. Of a command line it is the options that count, where it has any: files,
  addresses and names are others the next time. Fields that are new in every event, and those that the log
  source itself fixes, say nothing.
- With background logs, those are kept that few ordinary events have, and no more of them than are needed to
  leave all out; what is still hit is told. Without, the fields that usually tell most are kept.
- A draft is a beginning: its status, level and words are for a person to settle.

Events are untrusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from haidang.errors import InputError
from haidang.workshop.explaining import way_to
from haidang.workshop.tuning import ENVELOPE, TELLING, VOLATILE, escaped
from haidang.workshop.writing import as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.events.model import Fields
    from haidang.sigma.ir import LogSource, LogsourceEntry, LogsourceMap
    from haidang.workshop.reading import ReadEvent

__all__ = ["Draft", "Sign", "draft"]

_PLACES = frozenset({"Computer", "hostname", "host", "node", "Hostname", "computer_name"})
"""Fields that say where it happened: the next time it will be elsewhere."""
_MOST_SIGNS = 3
_MOST_VALUES = 5
_SHORTEST_PART = 6
_LONGEST = 2_000
_MOST_QUIET = 3
_OPTION = re.compile(r"[ \t](?:--?|/)[A-Za-z][A-Za-z-]+(?![\w/\\.])")


class Sign(NamedTuple):
    """One field with what its value must be.

    ``how`` is "", "startswith", "endswith", "contains" or "contains|all".
    """

    field: str
    how: str
    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Return whether a value of the field has it."""
        items = value if isinstance(value, list) else [value]
        return any(self._of(_text(item).lower()) for item in items if item is not None)

    def _of(self, text: str) -> bool:
        if self.how == "contains|all":
            return all(wanted.lower() in text for wanted in self.values)
        for wanted in map(str.lower, self.values):
            if self.how == "contains":
                held = wanted in text
            elif self.how == "startswith":
                held = text.startswith(wanted)
            else:
                held = text.endswith(wanted) if self.how == "endswith" else text == wanted
            if held:
                return True
        return False


@dataclass(slots=True)
class Draft:
    """A rule and its examples, as proposed."""

    logsource: LogSource
    origin: str
    signs: list[Sign]
    fires: list[Fields]
    quiet: list[Fields] = field(default_factory=list)
    """Ordinary events of the same log source that come nearest."""
    background: int = 0
    """Ordinary events of the same log source that were looked at."""
    hit: int = 0
    """How many of these the draft hits all the same."""
    id: str = ""

    def rule_yaml(self, title: str, today: str) -> str:
        """Return the rule."""
        selection: dict[str, Any] = {}
        for sign in self.signs:
            key = f"{sign.field}|{sign.how}" if sign.how else sign.field
            written = [_written(value, whole=not sign.how) for value in sign.values]
            selection[key] = written[0] if len(written) == 1 else written
        document = {
            "title": title,
            "id": self.id,
            "status": "experimental",
            "description": "TODO: what was seen, why it matters, and what to do first.",
            "date": today,
            "logsource": {key: part for key, part in self.logsource._asdict().items() if part},
            "detection": {"selection": selection, "condition": "selection"},
            "falsepositives": ["Unknown"],
            "level": "medium",
        }
        return as_yaml(document)

    def test_yaml(self) -> str:
        """Return the file of examples."""
        document: dict[str, Any] = {"origin": self.origin, "fires": self.fires}
        if self.quiet:
            document["quiet"] = self.quiet
        return as_yaml(document)


def draft(
    examples: Sequence[ReadEvent],
    background: Iterable[ReadEvent],
    maps: Sequence[LogsourceMap],
    new_id: Callable[[], str] = lambda: str(uuid4()),
) -> Draft:
    """Return the draft of a rule that fires on ``examples`` and, as far as can be, not on ``background``.

    Raises:
        InputError: There is no example, or the examples have nothing in common.
    """
    if not examples:
        raise InputError("there is no example event that can be read")
    origins = {one.origin for one in examples}
    if len(origins) > 1:
        raise InputError(f"the examples are of several families of logs: {', '.join(sorted(origins))}")
    origin = examples[0].origin
    logsource, entry = _logsource(examples, maps)
    views = [_view(one.event, logsource, origin, maps) for one in examples]
    signs = _signs(views, entry)
    if not signs:
        raise InputError("the examples share no field that tells them from others")
    ordinary = [
        (one.event, _view(one.event, logsource, origin, maps))
        for one in background
        if one.origin == origin and way_to(logsource, origin, one.event, maps).reached
    ]
    chosen = _chosen(signs, [view for _, view in ordinary])
    found = Draft(logsource, origin, chosen, [one.event for one in examples], id=new_id())
    found.background = len(ordinary)
    near: list[tuple[int, Fields]] = []
    for event, view in ordinary:
        held = sum(sign.holds(view.get(sign.field)) for sign in chosen)
        if held == len(chosen):
            found.hit += 1
        else:
            near.append((held, event))
    near.sort(key=lambda pair: -pair[0])
    found.quiet = [event for _, event in near[:_MOST_QUIET]]
    return found


def _logsource(
    examples: Sequence[ReadEvent], maps: Sequence[LogsourceMap]
) -> tuple[LogSource, LogsourceEntry | None]:
    """Return the most particular log source that all examples are of."""
    from haidang.sigma.ir import LogSource

    origin = examples[0].origin
    fitting = [
        entry
        for one in maps
        if one.origin == origin
        for entry in one.entries
        if all(way_to(entry.logsource, origin, example.event, maps).reached for example in examples)
    ]
    if not fitting:
        return LogSource(service=origin or "unknown"), None

    def particular(entry: LogsourceEntry) -> tuple[bool, int, int]:
        return bool(entry.logsource.category), len(entry.when), sum(map(bool, entry.logsource))

    best = max(fitting, key=particular)
    return best.logsource, best


def _view(event: Fields, logsource: LogSource, origin: str, maps: Sequence[LogsourceMap]) -> dict[str, Any]:
    """Return the fields of an event under the names that rules use."""
    binding = way_to(logsource, origin, event, maps).binding
    found = dict(_flat(event))
    taken: set[str] = set()
    for one in maps:
        if one.origin != origin:
            continue
        for entry in one.entries:
            if entry.logsource == logsource:
                for name in entry.fields:
                    value = binding.get(event, name)
                    if value is not None:
                        found[name] = value
                        taken.update(source for source in binding.accessor(name).sources if source != name)
    return {name: value for name, value in found.items() if name not in taken}


def _flat(event: Fields, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in event.items():
        if isinstance(value, dict):
            if prefix.count(".") < 6:
                yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _signs(views: Sequence[dict[str, Any]], entry: LogsourceEntry | None) -> list[Sign]:
    """Return what all examples share, field by field."""
    fixed = {*ENVELOPE, *_PLACES, *(entry.when if entry is not None else ())}
    found = []
    for name in views[0]:
        if name in fixed or VOLATILE.fullmatch(name.replace(".", "").replace("_", "")):
            continue
        values = [_text(view.get(name)) for view in views]
        if all(values) and max(map(len, values)) <= _LONGEST:
            found += list(_shared(name, values))
    return found


def _shared(name: str, values: Sequence[str]) -> Iterator[Sign]:
    distinct = tuple(dict.fromkeys(values))
    if len(distinct) == 1 and "\\" not in distinct[0] and len(distinct[0].split()) == 1:
        yield Sign(name, "", distinct)
        return
    options = _options(distinct)
    if options:
        yield Sign(name, "contains|all" if len(options) > 1 else "contains", options)
        return
    endings = tuple(dict.fromkeys(_last(value) for value in values))
    if all(endings) and len(endings) <= _MOST_VALUES:
        yield Sign(name, "endswith", endings)
    elif len(distinct) == 1:
        yield Sign(name, "contains", distinct)
    elif part := _common_part(distinct):
        yield Sign(name, "contains", (part,))
    elif len(distinct) <= _MOST_VALUES:
        yield Sign(name, "", distinct)


def _last(value: str) -> str:
    r"""Return the last part of a path (``\cmd.exe``), "" for what is none."""
    match = re.fullmatch(r"(?:[A-Za-z]:|\\|/|%)[^\"<>|]*([\\/][^\\/\s]+)", value)
    return match[1] if match else ""


def _options(values: Sequence[str]) -> tuple[str, ...]:
    """Return the options that all command lines have, with the space before them, but no single letters."""
    found: list[dict[str, str]] = [
        {option.lower(): option for option in _OPTION.findall(value)} for value in values
    ]
    return tuple(option for key, option in found[0].items() if all(key in others for others in found[1:]))[
        :_MOST_VALUES
    ]


def _common_part(values: Sequence[str]) -> str:
    """Return the longest run of whole words that all values have, "" where it says little."""
    shortest = min(values, key=len)
    words = re.findall(r"\S+|\s+", shortest)
    folded = [value.lower() for value in values]
    best = ""
    for start in range(len(words)):
        for end in range(len(words), start, -1):
            part = "".join(words[start:end]).strip()
            if len(part) <= len(best):
                break
            if all(part.lower() in value for value in folded):
                best = part
                break
    return best if len(best) >= _SHORTEST_PART else ""


def _chosen(signs: Sequence[Sign], ordinary: Sequence[dict[str, Any]]) -> list[Sign]:
    """Return the fewest signs that leave out most ordinary events."""
    order = {name: at for at, name in enumerate(TELLING)}
    ranked = sorted(signs, key=lambda sign: (order.get(sign.field, len(order)), sign.field))
    if not ordinary:
        return ranked[:_MOST_SIGNS]
    left = list(ordinary)
    chosen: list[Sign] = []
    while left and len(chosen) < _MOST_SIGNS:
        open_signs = [sign for sign in ranked if sign not in chosen]
        if not open_signs:
            break
        counts = [sum(sign.holds(view.get(sign.field)) for view in left) for sign in open_signs]
        least = min(counts)
        if chosen and least == len(left):
            break
        best = open_signs[counts.index(least)]
        chosen.append(best)
        left = [view for view in left if best.holds(view.get(best.field))]
    # One sign alone is easily met by accident, or evaded.
    for sign in ranked:
        if len(chosen) >= 2:
            break
        if sign not in chosen and sign.field in order:
            chosen.append(sign)
    return chosen


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and len(value) == 1:
        return _text(value[0])
    return str(value) if isinstance(value, str | int | float) else ""


def _written(value: str, *, whole: bool) -> str | int:
    plain = whole and value.isascii() and value.isdecimal() and str(int(value)) == value
    return int(value) if plain else escaped(value)
