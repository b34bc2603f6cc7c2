"""JSON of objects that each hold an indicator: a list, lines, or lists inside objects, under names that tell.

As Spamhaus (``cidr``), abuse.ch (``ioc``, ``ioc_type``, ``sha256_hash`` …), AlienVault OTX (``indicators`` of
pulses) and others write them; keys are read as the columns of a table are. What holds a list gives its name
and TLP to what is in it. Input is not trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from haidang.errors import InputError
from haidang.intel.feeds._columns import Cells, add_row, columns_of
from haidang.intel.model import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["FEED"]

_KEYS = re.compile(
    rb'"(?:indicator|ioc|ioc_value|cidr|ip_address|url|sha256_hash|md5_hash|domain|ip)"\s*:', re.IGNORECASE
)
_DEEPEST = 8
_HANDED_DOWN = ("name", "tlp")


class _JsonObjects:
    name = "json"
    title = "JSON: objects that each hold an indicator, as Spamhaus, abuse.ch and OTX write them"

    def recognises(self, data: bytes) -> int:
        return 40 if data.lstrip()[:1] in {b"{", b"["} and _KEYS.search(data[:65536]) else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        reading = Reading()
        for number, cells in enumerate(_found(_documents(data), {}, _DEEPEST), start=1):
            add_row(reading, limits, f"object {number}", cells)
        return reading


def _documents(data: bytes) -> list[Any]:
    try:
        return [orjson.loads(data)]
    except orjson.JSONDecodeError as error:
        try:
            return [orjson.loads(line) for line in data.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise InputError(f"not valid JSON: {error.msg} at byte {error.pos}") from None


def _found(inside: Any, above: Cells, left: int) -> Iterator[Cells]:
    """Yield what each object says that holds an indicator, with what those around it hand down."""
    if not left:
        return
    for one in inside if isinstance(inside, list) else inside.values():
        if isinstance(one, list):
            yield from _found(one, above, left - 1)
        if not isinstance(one, dict):
            continue
        cells, holds = _cells(one)
        cells = {**above, **cells}
        if holds:
            yield cells
        else:
            down = {meaning: cells[meaning] for meaning in _HANDED_DOWN if meaning in cells}
            yield from _found(one, down, left - 1)


def _cells(one: dict[str, Any]) -> tuple[Cells, bool]:
    """Return what an object says, and whether it holds an indicator."""
    texts = {key: _texts(value) for key, value in one.items()}
    header = [key for key, said in texts.items() if said]
    # A column that tells nothing makes names and TLP be found in objects that hold no indicator.
    columns = columns_of(header)
    holds = bool(columns)
    columns = columns or columns_of([*header, "value"])
    rows = [texts[key] for key in header]
    return {
        meaning: [text for at in places if at < len(rows) for text in rows[at]]
        for meaning, places in columns.items()
    }, holds


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts(one) if not isinstance(one, list)]
    return (
        [str(value)]
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value)
        else []
    )


FEED = _JsonObjects()
