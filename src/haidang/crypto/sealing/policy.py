"""What the rules of this system say of markings, at the one place where sealing and opening ask.

The decision is :mod:`haidang.crypto.marking`'s; here is only what of it concerns sealed files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.errors import PolicyError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.settings import Marking

__all__ = ["check_labels"]


def check_labels(labels: Iterable[str], marking: Marking) -> None:
    """Refuse a label that this system is not cleared for, when it is sealed and when it is opened.

    Raises:
        PolicyError: A label is forbidden here.
    """
    forbidden = {_plain(label) for label in marking.forbidden}
    for label in labels:
        if _plain(label) in forbidden:
            raise PolicyError(
                N_("This system must not hold what is marked {label}."),
                hint=N_("Take it to a system that is cleared for it."),
                label=label,
            )


def _plain(label: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFC", label).casefold().strip()
    return folded.removeprefix("tlp:").strip()
