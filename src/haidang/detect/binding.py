r"""How the fields that rules name are found in the events of one logsource entry.

A field of a rule is, in the events, a field of the same name, one of several candidates (the first that
is present counts), or a value put together from several (``{ObjectName}\{ObjectValueName}``, see
:mod:`haidang.sigma.templates`); its value may be translated (``S-1-16-12288`` → ``High``).
"""

from __future__ import annotations

from functools import lru_cache
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from haidang.detect.semantics import lookup, text
from haidang.detect.templates import template
from haidang.sigma.templates import template_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from haidang.events.model import Fields
    from haidang.sigma.ir import LogsourceEntry

__all__ = ["Accessor", "Binding", "Gathered"]


class Accessor(NamedTuple):
    """Where a value comes from: candidate names or templates, and translations of values."""

    sources: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()

    @property
    def plain_name(self) -> str:
        """The one event field that this is, unchanged; "" when it is anything more."""
        return (
            self.sources[0]
            if len(self.sources) == 1 and not self.values and "{" not in self.sources[0]
            else ""
        )

    @property
    def gathers(self) -> bool:
        """Whether the value may be a list though no field is one."""
        return False

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from accessors that may give another value for an event."""
        return (self.sources, self.values)

    @property
    def getter(self) -> Callable[[Fields], Any]:
        """What gives the value, the quickest way that there is."""
        name = self.plain_name
        return methodcaller("get", name) if name and "." not in name else self.get

    def get(self, event: Fields) -> Any:
        """Return the value, or None."""
        for source in self.sources:
            value = template(source)(event) if "{" in source else lookup(event, source)
            if value is not None:
                return self._translate(value) if self.values else value
        return None

    def needs(self) -> tuple[str, ...]:
        """Return every event field that the value may come from."""
        return tuple(
            name
            for source in self.sources
            for name in (template_fields(source) if "{" in source else (source,))
        )

    def _translate(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._translate(item) for item in value]
        whole, beginnings, endings = _table(self.values)
        written = text(value)
        spelled = written.lower()
        if spelled in whole:
            return whole[spelled]
        for beginning, meant in beginnings:
            if spelled.startswith(beginning):
                return meant + written[len(beginning) :]
        for ending, meant in endings:
            if spelled.endswith(ending):
                return meant
        return value


Pairs = tuple[tuple[str, str], ...]


@lru_cache(maxsize=1024)
def _table(values: Pairs) -> tuple[dict[str, str], Pairs, Pairs]:
    """Return the translations of whole values, beginnings (``x*``) and endings (``*x``), longest first."""
    beginnings = [(seen[:-1], meant) for seen, meant in values if seen.endswith("*")]
    endings = [(seen[1:], meant) for seen, meant in values if seen.startswith("*") and not seen.endswith("*")]
    whole = {seen: meant for seen, meant in values if not (seen.endswith("*") or seen.startswith("*"))}
    return whole, tuple(sorted(beginnings, key=_shortness)), tuple(sorted(endings, key=_shortness))


def _shortness(pair: tuple[str, str]) -> int:
    return -len(pair[0])


class Gathered(Accessor):
    """All values of several fields at once, each in the spellings that ``spell`` gives it."""

    spell: Callable[[object], list[str]] | None

    def __new__(cls, sources: tuple[str, ...], spell: Callable[[object], list[str]] | None = None) -> Self:
        """Gather ``sources``."""
        made = super().__new__(cls, sources)
        made.spell = spell
        return made

    @property
    def plain_name(self) -> str:
        """Return "", for this is never one field, unchanged."""
        return ""

    @property
    def gathers(self) -> bool:
        """Whether the value may be a list though no field is one."""
        return True

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from accessors that may give another value for an event."""
        return (self.sources, self.values, "gathered", self.spell)

    def get(self, event: Fields) -> Any:
        """Return the list of all values, or None where there is none."""
        found: list[Any] = []
        for source in self.sources:
            value = template(source)(event) if "{" in source else lookup(event, source)
            if value is not None:
                found.extend(value if isinstance(value, list | tuple) else (value,))
        if self.spell is not None:
            found = [
                spelled
                for value in found
                if not isinstance(value, dict | list)
                for spelled in self.spell(value)
            ]
        else:
            found = [value for value in found if not isinstance(value, dict | list)]
        return found or None


class Binding:
    """The accessors of one logsource entry, each made once.

    A name that begins with "=" is the event's own: ``=EventType`` is EventType whatever the entry says,
    unless the map says where its routing field of that name is.
    """

    __slots__ = ("_entry", "_known", "_routing")

    def __init__(self, entry: LogsourceEntry | None, routing: Mapping[str, Accessor] | None = None) -> None:
        """Bind to ``entry`` (None: every field keeps its name); ``routing`` says where routing fields are."""
        self._entry = entry
        self._routing = routing or {}
        self._known: dict[str, Accessor] = {}

    def accessor(self, name: str) -> Accessor:
        """Return where the rules' field ``name`` is."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._make(name)
        return known

    def _make(self, name: str) -> Accessor:
        if name.startswith("="):
            return self._routing.get(name[1:]) or Accessor((name[1:],))
        if self._entry is None:
            return Accessor((name,))
        values = tuple(sorted(self._entry.values.get(name, {}).items()))
        return Accessor(self._entry.fields.get(name, (name,)), values)

    def get(self, event: Fields, name: str) -> Any:
        """Return the value of the rules' field ``name`` in ``event``."""
        return self.accessor(name).get(event)
