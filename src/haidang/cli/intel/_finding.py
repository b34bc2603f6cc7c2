"""The action of ``haidang intel`` that tells what is known of a value: find."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from haidang.cli.intel._asking import DONE, now_of, store_of, write
from haidang.errors import ConfigurationError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.cli._command import Context
    from haidang.i18n import Translator
    from haidang.intel.index import Row
    from haidang.intel.store import Intel

__all__ = ["find"]

_KINDS = {
    "ip": N_("address"),
    "network": N_("network"),
    "domain": N_("domain name"),
    "url": N_("URL"),
    "hash": N_("file hash"),
    "email": N_("mail address"),
}


def find(args: argparse.Namespace, context: Context) -> int:
    """Say which indicators values meet, as they would in a log."""
    if not args.what:
        raise ConfigurationError(
            "haidang intel find: name at least one address, name, URL, hash or mail address"
        )
    intel = store_of(context).compiled()
    for value in args.what:
        found = list(_met(value, intel, now_of(context), context.translate))
        for line in found:
            write(context, neutralise(f"{value}: {line}"))
        if not found:
            write(
                context,
                neutralise(context.translate("{value}: no indicator that is kept").format(value=value)),
            )
    return DONE


def _met(value: str, intel: Intel, now: int, translate: Translator) -> Iterator[str]:
    from haidang.intel.observables import EXTRACT, refang

    plain = refang(value)
    keys = dict.fromkeys(key for extract in EXTRACT.values() for key in extract(plain))
    for row in map(intel.index.row, intel.index.rows_of(keys)):
        said = "; ".join([row.of.source, *_known(row, now, translate)])
        yield f"{translate(_KINDS[row.kind])} {row.value} ({said})"
    for source, pattern in intel.patterns:
        if plain.lower() in pattern.value.lower():
            yield f"{pattern.value} ({'; '.join(filter(None, (source, pattern.name, pattern.id)))})"


def _known(row: Row, now: int, translate: Translator) -> Iterator[str]:
    yield from filter(None, (row.name, row.id))
    if row.confidence >= 0:
        yield translate("confidence {n}").format(n=row.confidence)
    if row.of.tlp:
        yield f"TLP:{row.of.tlp.upper()}"
    if row.valid_until is not None:
        ended = row.valid_until <= now
        template = translate("ended {day}") if ended else translate("until {day}")
        yield template.format(day=_day(row.valid_until))


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "?"
