"""Assets × horizons → concerns: what is weak, what lapses, what must move before a quantum computer comes.

Signatures that exist are judged by their algorithms alone: when their certificate ends is a question for
``haidang archive``, which keeps them provable.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from haidang.crypto.inventory.algorithms import algorithm_facts
from haidang.crypto.inventory.model import Asset, Concern, Inventory
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.settings import Horizons

__all__ = ["judge"]

_LEAST_BITS = 112
_LEAST_ROUNDS = 100_000
_SEVERITIES = ("error", "warning", "note")


def judge(inventory: Inventory, horizons: Horizons, *, now: dt.datetime) -> Inventory:
    """Return the inventory with its concerns, the gravest first."""
    concerns = [concern for asset in inventory.assets for concern in _concerns(asset, horizons, now)]
    concerns.sort(key=lambda one: (_SEVERITIES.index(one.severity), one.due or dt.date.max, one.asset.where))
    return inventory._replace(concerns=tuple(concerns))


def _concerns(asset: Asset, horizons: Horizons, now: dt.datetime) -> Iterator[Concern]:
    yield from _of_algorithms(asset, horizons, now)
    if asset.kind in {"certificate", "crl"}:
        yield from _of_time(asset, horizons, now)
    if asset.kind == "private-key":
        yield from _of_protection(asset)


def _of_algorithms(asset: Asset, horizons: Horizons, now: dt.datetime) -> Iterator[Concern]:
    facts = algorithm_facts(asset.algorithm)
    if asset.algorithm and 0 <= facts.bits < _LEAST_BITS:
        message = Message(N_("{algorithm} is too weak: replace it now."), algorithm=asset.algorithm)
        yield Concern("weak-algorithm", "error", message, asset, now.date())
        return
    if asset.digest and algorithm_facts(asset.digest).bits == 0:
        message = Message(N_("It relies on {digest}, which is broken: replace it now."), digest=asset.digest)
        yield Concern("broken-digest", "error", message, asset, now.date())
    if facts.bits == _LEAST_BITS:
        message = Message(
            N_("{algorithm} must be replaced before {date}."),
            algorithm=asset.algorithm,
            date=horizons.classical_112,
        )
        late = now.date() >= horizons.classical_112
        yield Concern("ends-112", "error" if late else "warning", message, asset, horizons.classical_112)
    if asset.algorithm and facts.bits > 0 and facts.quantum_level == 0:
        yield _quantum(asset, horizons, now)


def _quantum(asset: Asset, horizons: Horizons, now: dt.datetime) -> Concern:
    """Return what a quantum computer means for an asset: sealed files can be kept and opened later."""
    date = horizons.quantum
    if asset.kind == "sealed-file":
        message = Message(
            N_("Whoever keeps a copy can open it with a quantum computer ({algorithm}); not after {date}."),
            algorithm=asset.algorithm,
            date=date,
        )
    elif asset.ends is not None and asset.ends.date() > date and asset.kind == "certificate":
        message = Message(
            N_("Valid beyond {date}, when {algorithm} must no longer be used: plan its successor."),
            algorithm=asset.algorithm,
            date=date,
        )
        return Concern("quantum-beyond", "warning", message, asset, date)
    else:
        message = Message(
            N_("A quantum computer breaks {algorithm}; it must have moved by {date}."),
            algorithm=asset.algorithm,
            date=date,
        )
    return Concern("quantum", "error" if now.date() >= date else "note", message, asset, date)


def _of_time(asset: Asset, horizons: Horizons, now: dt.datetime) -> Iterator[Concern]:
    if asset.ends is None:
        return
    date = asset.ends.date()
    if asset.ends <= now:
        yield Concern("expired", "error", Message(N_("Ended on {date}."), date=date), asset, date)
    elif asset.kind == "certificate" and asset.ends - now < dt.timedelta(days=horizons.warn_days):
        message = Message(N_("Ends on {date}: renew it."), date=date)
        yield Concern("lapses-soon", "warning", message, asset, date)
    if asset.begins is not None and asset.begins > now:
        message = Message(N_("Valid only from {date}."), date=asset.begins.date())
        yield Concern("not-yet-valid", "note", message, asset, asset.begins.date())


def _of_protection(asset: Asset) -> Iterator[Concern]:
    if asset.protection == "none":
        message = Message(N_("The private key is not locked: anybody who gets the file has it."))
        yield Concern("unprotected-key", "error", message, asset)
    rounds = re.fullmatch(r"pbkdf2-(\d{1,12})", asset.protection)
    if asset.protection in {"md5", "unknown"} or (rounds and int(rounds[1]) < _LEAST_ROUNDS):
        message = Message(
            N_("The passphrase of the key can be guessed quickly ({protection}): lock it anew."),
            protection=asset.protection,
        )
        yield Concern("weak-lock", "warning", message, asset)
    if asset.open_to_others:
        message = Message(N_("Others on this machine can read the file of the key: chmod 600."))
        yield Concern("open-to-others", "warning", message, asset)
