"""Which names mean one machine: its own logs, those of others and each shipper spell it differently.

Rules:

- Case does not count, nor does a full stop at the end.
- A name without a domain means the machine of the same first label with one. Where there are several
  (``dc01.north.example``, ``dc01.south.example``), nothing tells which, and it stays by itself.
- Names with different domains are different machines, and so are addresses: nothing in a log says safely
  whose they are.
- The name that most findings have stands for the machine.

This is for counts that people read; findings themselves keep the name that their event has. The page does
the same in its script. Names are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["machines"]


def machines(names: Mapping[str, int]) -> dict[str, int]:
    """Return the machines that ``names`` (with their findings) mean, with the findings of each."""
    full: dict[str, set[str]] = {}
    for name in map(_folded, names):
        if "." in name:
            full.setdefault(_label(name), set()).add(name)
    spelled: dict[str, list[str]] = {}
    for name in names:
        key = _folded(name)
        among = full.get(key, ())
        spelled.setdefault(next(iter(among)) if len(among) == 1 else key, []).append(name)
    return {
        min(same, key=lambda name: (-names[name], name)): sum(names[name] for name in same)
        for same in spelled.values()
    }


def _folded(name: str) -> str:
    return name.lower().removesuffix(".")


def _label(name: str) -> str:
    """Return the first label of a name with a domain; of an address, which has no labels, the whole."""
    label = name.partition(".")[0]
    return name if label.isdecimal() or ":" in label else label
