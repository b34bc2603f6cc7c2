"""What the rules of this system say of labels, at the one place where sealing and opening ask.

The rules are those of :mod:`haidang.crypto.marking`. A sealed file of another body may have a label that is
not known here: it is told to the opener, not refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.marking.labels import parse_labels
from haidang.crypto.marking.policy import check_labels, labels_for
from haidang.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.settings import Marking

__all__ = ["labels_to_open", "labels_to_seal"]


def labels_to_seal(written: Iterable[str], rules: Marking) -> tuple[str, ...]:
    """Return the labels as they are written on documents.

    Raises:
        PolicyError: One is unknown, or forbidden on this system.
        ConfigurationError: The rules name a label that there is not.
    """
    return tuple(str(label) for label in labels_for(written, rules, "seal"))


def labels_to_open(written: Iterable[str], rules: Marking) -> tuple[str, ...]:
    """Return those of the labels of a sealed file that are not known here.

    Raises:
        PolicyError: One is forbidden on this system.
        ConfigurationError: The rules name a label that there is not.
    """
    unknown = []
    for one in written:
        try:
            labels = parse_labels([one], rules.labels)
        except PolicyError:
            unknown.append(one)
        else:
            check_labels(labels, rules, "open")
    return tuple(unknown)
