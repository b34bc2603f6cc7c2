"""What is known of each algorithm: its strength, its standard, and what a quantum computer does to it.

Strengths are those of NIST SP 800-57 part 1 (table 2) in bits, 0 where an algorithm is broken; quantum levels
are NIST's categories 1 to 5 (FIPS 203, 204), 0 where a large quantum computer breaks the algorithm (Shor).
Names are those of :func:`haidang.crypto.keys.algorithm_of`.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["ALGORITHMS", "AlgorithmFacts", "Primitive", "algorithm_facts"]

Primitive: TypeAlias = Literal["signature", "key-agree", "kem", "pke", "hash", "ae", "kdf", "unknown"]


class AlgorithmFacts(NamedTuple):
    """One algorithm."""

    name: str
    primitive: Primitive
    bits: int
    """Classical strength in bits; 0 where it is broken."""
    quantum_level: int
    """NIST's category; 0 where a quantum computer breaks it."""
    standard: str


_RSA_STEPS = ((15_360, 256), (7_680, 192), (3_072, 128), (2_048, 112), (1_024, 80))

ALGORITHMS = {
    facts.name: facts
    for facts in (
        AlgorithmFacts("ecdsa-p256", "signature", 128, 0, "FIPS 186-5"),
        AlgorithmFacts("ecdsa-p384", "signature", 192, 0, "FIPS 186-5"),
        AlgorithmFacts("ecdsa-p521", "signature", 256, 0, "FIPS 186-5"),
        AlgorithmFacts("ecdsa-secp256k1", "signature", 128, 0, "SEC 2"),
        AlgorithmFacts("ecdsa-secp224r1", "signature", 112, 0, "FIPS 186-4"),
        AlgorithmFacts("ecdsa-secp192r1", "signature", 80, 0, "FIPS 186-2"),
        AlgorithmFacts("ed25519", "signature", 128, 0, "RFC 8032"),
        AlgorithmFacts("ed448", "signature", 224, 0, "RFC 8032"),
        AlgorithmFacts("dsa", "signature", 80, 0, "FIPS 186-4 (withdrawn)"),
        AlgorithmFacts("ml-dsa-44", "signature", 128, 2, "FIPS 204"),
        AlgorithmFacts("ml-dsa-65", "signature", 192, 3, "FIPS 204"),
        AlgorithmFacts("ml-dsa-87", "signature", 256, 5, "FIPS 204"),
        AlgorithmFacts("x25519", "key-agree", 128, 0, "RFC 7748"),
        AlgorithmFacts("x448", "key-agree", 224, 0, "RFC 7748"),
        AlgorithmFacts("mlkem768x25519", "kem", 128, 3, "FIPS 203, RFC 7748"),
        AlgorithmFacts("mlkem768p256", "kem", 128, 3, "FIPS 203, SP 800-186"),
        AlgorithmFacts("ml-kem-768", "kem", 192, 3, "FIPS 203"),
        AlgorithmFacts("scrypt", "kdf", 128, 1, "RFC 7914"),
        AlgorithmFacts("argon2id", "kdf", 128, 1, "RFC 9106"),
        AlgorithmFacts("aes-128", "ae", 128, 1, "FIPS 197"),
        AlgorithmFacts("aes-256", "ae", 256, 5, "FIPS 197"),
        AlgorithmFacts("3des", "ae", 112, 0, "SP 800-67 (withdrawn)"),
        AlgorithmFacts("md5", "hash", 0, 0, "RFC 1321"),
        AlgorithmFacts("sha1", "hash", 0, 0, "FIPS 180-4"),
        AlgorithmFacts("sha224", "hash", 112, 1, "FIPS 180-4"),
        AlgorithmFacts("sha256", "hash", 128, 2, "FIPS 180-4"),
        AlgorithmFacts("sha384", "hash", 192, 4, "FIPS 180-4"),
        AlgorithmFacts("sha512", "hash", 256, 5, "FIPS 180-4"),
    )
}


def algorithm_facts(name: str) -> AlgorithmFacts:
    """Return what is known of the algorithm ``name``; an unknown one has no strength that could be named."""
    rsa = re.fullmatch(r"rsa-(\d{1,6})", name)
    if rsa:
        size = int(rsa[1])
        bits = next((bits for least, bits in _RSA_STEPS if size >= least), 0)
        return AlgorithmFacts(name, "signature", bits, 0, "RFC 8017")
    return ALGORITHMS.get(name) or AlgorithmFacts(name, "unknown", -1, 0, "")
