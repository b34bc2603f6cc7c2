"""Which labels there are, and how what people write is read.

- TLP 2.0 (FIRST, 2022): ``TLP:CLEAR``, ``TLP:GREEN``, ``TLP:AMBER``, ``TLP:AMBER+STRICT``, ``TLP:RED``.
  ``TLP:WHITE`` is TLP 1.0; it is refused with what it is called today.
- State secrets of Viet Nam: MẬT, TỐI MẬT, TUYỆT MẬT. They are known to every system, so that a system that
  is not cleared for them can refuse them.
- A body's own, from its settings.

Case, spaces and the Unicode form do not matter: ``tlp:amber + strict`` is ``TLP:AMBER+STRICT``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from haidang.errors import PolicyError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SECRETS", "TLP", "Label", "Scheme", "parse_labels"]

Scheme: TypeAlias = Literal["tlp", "secret", "own"]

TLP = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
"""From the widest to the narrowest."""

SECRETS = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
"""From the lowest to the highest."""

_MOST = 8
_LONGEST = 64


class Label(NamedTuple):
    """One label."""

    scheme: Scheme
    name: str

    def __str__(self) -> str:
        """Return how it is written on a document."""
        return f"TLP:{self.name}" if self.scheme == "tlp" else self.name


def parse_labels(written: Iterable[str], own: Iterable[str] = ()) -> tuple[Label, ...]:
    """Return the labels that people wrote, without repetition.

    Args:
        written: e.g. ``["TLP:AMBER", "Lưu hành nội bộ"]``.
        own: the body's own labels.

    Raises:
        PolicyError: A label is unknown, or two of one scheme contradict each other.
    """
    known = {_fold(name): Label("own", name) for name in own}
    known |= {_fold(name): Label("secret", name) for name in SECRETS}
    known |= {_fold(f"TLP:{name}"): Label("tlp", name) for name in TLP}
    found: list[Label] = []
    for text in written:
        label = known.get(_fold(text))
        if label is None:
            raise _unknown(text, known.values())
        if label not in found:
            found.append(label)
    for scheme in ("tlp", "secret"):
        same = [str(label) for label in found if label.scheme == scheme]
        if len(same) > 1:
            raise PolicyError(
                N_("A document cannot be {first} and {second} at once."),
                hint=N_("Choose one of them."),
                first=same[0],
                second=same[1],
            )
    if len(found) > _MOST:
        raise PolicyError(N_("A document has at most {n} labels."), n=_MOST)
    return tuple(found)


def _fold(text: str) -> str:
    """Return a spelling in which what people take for the same is the same."""
    composed = unicodedata.normalize("NFC", text)
    return re.sub(r"\s*([:+])\s*|\s+", lambda m: m[1] or " ", composed).strip().upper()


def _unknown(text: str, known: Iterable[Label]) -> PolicyError:
    shown = text[:_LONGEST]
    if _fold(text) in {"TLP:WHITE", "WHITE"}:
        return PolicyError(N_("TLP:WHITE is called TLP:CLEAR since TLP 2.0."), hint=N_("Write TLP:CLEAR."))
    if _fold(f"TLP:{text}") in {_fold(f"TLP:{name}") for name in TLP}:
        return PolicyError(
            N_("There is no label {label}."),
            hint=N_("Did you mean {meant}?"),
            label=shown,
            meant=f"TLP:{text.strip().upper()}",
        )
    return PolicyError(
        N_("There is no label {label}."),
        hint=N_("Choose one of: {known}. A body adds its own in settings.toml, [marking] labels."),
        label=shown,
        known=", ".join(str(label) for label in known),
    )
