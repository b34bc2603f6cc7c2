"""The words of an inventory that its table and its page share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.inventory.algorithms import algorithm_facts
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.crypto.inventory.model import Asset, Concern
    from haidang.i18n import Translator

__all__ = ["KINDS", "PROTECTIONS", "SEVERITIES", "algorithm_rows", "by_place", "ends_text", "protection_text"]

KINDS = {
    "certificate": N_("certificate"),
    "private-key": N_("private key"),
    "public-key": N_("public key"),
    "signature": N_("signature"),
    "sealed-file": N_("sealed file"),
    "timestamp": N_("timestamp"),
    "crl": N_("revocation list"),
    "request": N_("certificate request"),
}

SEVERITIES = {"error": N_("act now"), "warning": N_("plan"), "note": N_("know")}

PROTECTIONS = {"none": N_("not locked"), "token": N_("in a token"), "unknown": N_("unknown")}


def by_place(concerns: Iterable[Concern]) -> list[tuple[Concern, list[str]]]:
    """Return concerns with all the files that each is about: a certificate lies in many."""
    grouped: dict[tuple[str, str, str, str], tuple[Concern, list[str]]] = {}
    for one in concerns:
        key = (one.code, str(one.message), one.asset.name, one.asset.key_id)
        # Without a name and a key, only the file says what it is about.
        if not any(key[2:]):
            key = (*key[:3], one.asset.where)
        places = grouped.setdefault(key, (one, []))[1]
        if one.asset.where not in places:
            places.append(one.asset.where)
    return list(grouped.values())


def ends_text(asset: Asset) -> str:
    """Return until when an asset is valid, as an ISO date; "" where it has no end."""
    return asset.ends.date().isoformat() if asset.ends is not None else ""


def protection_text(asset: Asset, translate: Translator) -> str:
    """Return what protects a private key, in the reader's language."""
    return translate(PROTECTIONS.get(asset.protection, asset.protection))


def algorithm_rows(assets: Iterable[Asset], translate: Translator) -> list[tuple[str, str, str, str, str]]:
    """Return a row for each algorithm: name, how often, strength, quantum computer, standard."""
    counts: dict[str, int] = {}
    for asset in assets:
        for name in filter(None, (asset.algorithm, asset.digest)):
            counts[name] = counts.get(name, 0) + 1
    rows = []
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        facts = algorithm_facts(name)
        if facts.bits < 0:
            strength, quantum = translate("unknown"), translate("unknown")
        else:
            strength = translate("{n} bits").format(n=facts.bits) if facts.bits else translate("broken")
            quantum = (
                translate("withstands it (category {n})").format(n=facts.quantum_level)
                if facts.quantum_level
                else translate("is broken by it")
            )
        rows.append((name, str(count), strength, quantum, facts.standard))
    return rows
