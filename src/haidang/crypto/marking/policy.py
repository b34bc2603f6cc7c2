"""Which labels this system may hold, and which documents may leave it only sealed.

The rules are the section ``[marking]`` of the settings: names there are labels as they are written on
documents; a TLP name may stand without its prefix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from haidang.crypto.marking.labels import TLP, Label, parse_labels
from haidang.errors import ConfigurationError, PolicyError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.settings import Marking

__all__ = ["Act", "check_labels", "labels_for"]

Act: TypeAlias = Literal["sign", "seal", "open"]
"""What is about to be done. Signing leaves a document readable by all; sealing does not."""


def labels_for(written: Iterable[str], rules: Marking, act: Act) -> tuple[Label, ...]:
    """Return the labels that people wrote, if ``act`` may be done with a document that has them.

    Raises:
        PolicyError: A label is unknown, forbidden here, or demands sealing.
        ConfigurationError: The rules name a label that there is not.
    """
    labels = parse_labels(written, rules.labels)
    check_labels(labels, rules, act)
    return labels


def check_labels(labels: Iterable[Label], rules: Marking, act: Act) -> None:
    """Refuse what the rules of this system forbid.

    Raises:
        PolicyError: A label is forbidden on this system, or demands sealing and ``act`` is to sign.
        ConfigurationError: The rules name a label that there is not.
    """
    forbidden, sealed = _named(rules.forbidden, rules), _named(rules.sealed, rules)
    for label in labels:
        if label in forbidden:
            raise PolicyError(
                N_("This system must not hold documents marked {label}."),
                hint=N_(
                    "Take it to a system that is cleared for them, and delete it here as your rules say."
                ),
                label=label,
            )
        if act == "sign" and label in sealed:
            raise PolicyError(
                N_("Documents marked {label} leave this system only sealed."),
                hint=N_("Use haidang seal; it signs the document, too."),
                label=label,
            )


def _named(names: Iterable[str], rules: Marking) -> frozenset[Label]:
    written = [f"TLP:{name}" if name in TLP else name for name in names]
    try:
        # One by one: a list of rules may well name two labels of one scheme.
        return frozenset(label for name in written for label in parse_labels([name], rules.labels))
    except PolicyError as error:
        raise ConfigurationError(
            f"the settings name a label that there is not: {error.message}",
            hint="See [marking] in settings.toml.",
        ) from error
