"""The inventory as a CycloneDX cryptography bill of materials (CBOM, CycloneDX 1.6).

Each algorithm is a component; certificates, keys, signatures and sealed files are components that refer to
theirs. Where each was found stands in its evidence, what is to be done in properties named ``haidang:…``.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.inventory.algorithms import algorithm_facts

if TYPE_CHECKING:
    import datetime as dt

    from haidang.crypto.inventory.model import Asset, Inventory

__all__ = ["to_cbom"]

_CURVES = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1", "ecdsa-p521": "secp521r1"}
_FUNCTIONS = {
    "signature": ("sign", "verify"),
    "key-agree": ("keyderive",),
    "kem": ("encapsulate", "decapsulate"),
    "pke": ("encrypt", "decrypt"),
    "hash": ("digest",),
    "ae": ("encrypt", "decrypt"),
    "kdf": ("keyderive",),
}


def to_cbom(inventory: Inventory, *, now: dt.datetime, version: str) -> str:
    """Return the inventory as CycloneDX 1.6 JSON.

    Args:
        inventory: what was found and judged.
        now: when; it stands in the metadata, and with the content makes the serial number.
        version: the version of the program.
    """
    with needs_extra():
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    bom = Bom()
    bom.metadata = BomMetaData(timestamp=now)
    bom.metadata.tools.components.add(
        Component(name="haidang", type=ComponentType.APPLICATION, version=version)
    )
    algorithms = {
        name: _algorithm(name)
        for asset in inventory.assets
        for name in (asset.algorithm, asset.digest)
        if name
    }
    for component in algorithms.values():
        bom.components.add(component)
    concerns: dict[Asset, list[str]] = {}
    for concern in inventory.concerns:
        due = f" ({concern.due.isoformat()})" if concern.due else ""
        concerns.setdefault(concern.asset, []).append(f"{concern.severity}: {concern.message}{due}")
    digest = hashlib.sha256()
    for asset, places in _by_identity(inventory).items():
        said = [text for place in places for text in concerns.get(place, ())]
        component = _component(asset, [place.where for place in places], said, algorithms)
        digest.update(component.bom_ref.value.encode())
        bom.components.add(component)
    bom.serial_number = uuid.UUID(bytes=digest.digest()[:16], version=4)
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    return text


def _by_identity(inventory: Inventory) -> dict[Asset, list[Asset]]:
    """Return the assets, those that differ by their place alone taken together."""
    grouped: dict[Asset, list[Asset]] = {}
    for asset in inventory.assets:
        # Keys and sealed files are themselves where they are; a certificate is the same in each of its files.
        same = asset._replace(where="") if asset.kind == "certificate" else asset
        grouped.setdefault(same, []).append(asset)
    return grouped


def _algorithm(name: str) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.crypto import (
        AlgorithmProperties,
        CryptoAssetType,
        CryptoFunction,
        CryptoPrimitive,
        CryptoProperties,
    )

    facts = algorithm_facts(name)
    properties = AlgorithmProperties(
        primitive=CryptoPrimitive(facts.primitive),
        parameter_set_identifier=name.rpartition("-")[2] if "-" in name else None,
        curve=_CURVES.get(name),
        crypto_functions=[CryptoFunction(one) for one in _FUNCTIONS.get(facts.primitive, ())],
        classical_security_level=facts.bits if facts.bits >= 0 else None,
        nist_quantum_security_level=facts.quantum_level,
    )
    return Component(
        name=name,
        type=ComponentType.CRYPTOGRAPHIC_ASSET,
        bom_ref=f"algorithm:{name}",
        crypto_properties=CryptoProperties(
            asset_type=CryptoAssetType.ALGORITHM, algorithm_properties=properties
        ),
    )


def _component(asset: Asset, places: list[str], said: list[str], algorithms: dict[str, Any]) -> Any:
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence

    parts = [asset.kind, asset.name, asset.issuer, asset.serial, asset.key_id, asset.where]
    identity = "|".join(parts)
    return Component(
        name=asset.name or asset.kind,
        type=ComponentType.CRYPTOGRAPHIC_ASSET,
        bom_ref=f"{asset.kind}:{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        crypto_properties=_properties(asset, algorithms),
        evidence=ComponentEvidence(
            occurrences=[Occurrence(location=where, bom_ref=where) for where in sorted(set(places))]
        ),
        properties=[
            Property(name="haidang:kind", value=asset.kind),
            *(Property(name="haidang:concern", value=text) for text in sorted(set(said))),
            *([Property(name="haidang:protection", value=asset.protection)] if asset.protection else []),
        ],
    )


def _properties(asset: Asset, algorithms: dict[str, Any]) -> Any:
    from cyclonedx.model.crypto import (
        CertificateProperties,
        CryptoAssetType,
        CryptoProperties,
        RelatedCryptoMaterialProperties,
        RelatedCryptoMaterialSecuredBy,
        RelatedCryptoMaterialType,
    )

    reference = algorithms[asset.algorithm].bom_ref if asset.algorithm else None
    if asset.kind == "certificate":
        return CryptoProperties(
            asset_type=CryptoAssetType.CERTIFICATE,
            certificate_properties=CertificateProperties(
                subject_name=asset.name,
                issuer_name=asset.issuer,
                not_valid_before=asset.begins,
                not_valid_after=asset.ends,
                subject_public_key_ref=reference,
                certificate_format="X.509",
            ),
        )
    kinds = {
        "private-key": RelatedCryptoMaterialType.PRIVATE_KEY,
        "public-key": RelatedCryptoMaterialType.PUBLIC_KEY,
        "request": RelatedCryptoMaterialType.PUBLIC_KEY,
        "signature": RelatedCryptoMaterialType.SIGNATURE,
        "timestamp": RelatedCryptoMaterialType.TOKEN,
        "sealed-file": RelatedCryptoMaterialType.CIPHERTEXT,
        "crl": RelatedCryptoMaterialType.OTHER,
    }
    return CryptoProperties(
        asset_type=CryptoAssetType.RELATED_CRYPTO_MATERIAL,
        related_crypto_material_properties=RelatedCryptoMaterialProperties(
            type=kinds[asset.kind],
            id=asset.key_id or None,
            algorithm_ref=reference,
            activation_date=asset.begins,
            expiration_date=asset.ends,
            secured_by=RelatedCryptoMaterialSecuredBy(mechanism=asset.protection)
            if asset.protection
            else None,
        ),
    )
