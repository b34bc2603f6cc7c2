"""Until when a document is provable, and by when something must be done.

A proof lasts as long as what it rests on: the certificate of its newest timestamp, and that certificate's
algorithm (:class:`haidang.crypto.settings.Horizons`). Whether the proof holds is for ``haidang verify``; here
is only looked at dates, so that thousands of documents are looked at quickly.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from haidang.crypto.embedded import UNSOUND, certificates_of, signatures_in
from haidang.crypto.inventory.algorithms import algorithm_facts
from haidang.crypto.keys import algorithm_of
from haidang.crypto.verifying.archives import read_steps
from haidang.crypto.verifying.archives import recognises as is_package
from haidang.crypto.verifying.chains import certificate_name
from haidang.errors import HaidangError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from haidang.crypto.settings import Horizons

__all__ = ["Protection", "State", "protection_of"]

State: TypeAlias = Literal["kept", "due", "lapsed", "not-kept", "not-signed", "unreadable"]

_HEAD = 256
_NOTHING = Message("")


class Protection(NamedTuple):
    """What is known of one file."""

    path: str
    kind: str
    """``pdf``, ``archive`` (a package), ``signed`` (anything else that is signed), or "" for others."""
    state: State
    stamped: dt.datetime | None = None
    """When it was archived last."""
    until: dt.datetime | None = None
    """Until when it is provable."""
    due: dt.date | None = None
    """By when it must be renewed."""
    why: Message = _NOTHING
    """What ends then."""

    @property
    def must_act(self) -> bool:
        """Whether something must be done now."""
        return self.state in {"due", "lapsed", "not-kept"}


def protection_of(path: Path, horizons: Horizons, *, now: dt.datetime) -> Protection:
    """Return until when the document in ``path`` is provable."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
        if is_package(head, path):
            newest = read_steps(path)[-1]
            return _judged(path, "archive", [_token(newest.token)], horizons, now)
        infos = signatures_in(path)
    except (OSError, HaidangError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Protection(str(path), "", "unreadable", why=Message(N_("{reason}"), reason=reason))
    kind = "pdf" if head.startswith(b"%PDF-") else "signed"
    if not infos:
        return Protection(str(path), kind if kind == "pdf" else "", "not-signed")
    if kind == "pdf":
        # Document timestamps stand in the order in which they were added; the last covers all before it.
        tokens = [info for info in infos if _is_token(info)]
        if tokens and _is_token(infos[-1]):
            return _judged(path, kind, tokens[-1:], horizons, now)
    found = _judged(path, kind, infos, horizons, now)
    return found._replace(state="lapsed" if found.state == "lapsed" else "not-kept", stamped=None)


def _judged(path: Path, kind: str, infos: Iterable[Any], horizons: Horizons, now: dt.datetime) -> Protection:
    """Return what the earliest end of the certificates and algorithms in ``infos`` means."""
    ends: list[tuple[dt.datetime, Message]] = []
    stamped: dt.datetime | None = None
    for info in infos:
        if info is None:
            continue
        stamped = _time(info) or stamped
        for certificate in _signers(info):
            ends += _ends(certificate, horizons)
    if not ends:
        return Protection(str(path), kind, "unreadable", why=Message(N_("Its signer cannot be told.")))
    until, why = min(ends, key=lambda one: one[0])
    due = (until - dt.timedelta(days=horizons.warn_days)).date()
    state: State = "lapsed" if until <= now else "due" if due <= now.date() else "kept"
    return Protection(str(path), kind, state, stamped, until, due, why)


def _ends(certificate: Any, horizons: Horizons) -> list[tuple[dt.datetime, Message]]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    name = certificate_name(certificate)
    ends = [
        (certificate.not_valid_after, Message(N_("The certificate of {name} ends."), name=name)),
    ]
    try:
        key = x509.load_der_x509_certificate(certificate.dump()).public_key()
        facts = algorithm_facts(algorithm_of(key))
    except (ValueError, UnsupportedAlgorithm):
        return ends
    if 0 <= facts.bits <= 112:
        said = Message(N_("{algorithm} must no longer be used."), algorithm=facts.name)
        ends.append((_midnight(horizons.classical_112), said))
    if facts.quantum_level == 0:
        said = Message(N_("{algorithm} must no longer be used (quantum computers)."), algorithm=facts.name)
        ends.append((_midnight(horizons.quantum), said))
    return ends


def _signers(info: Any) -> list[Any]:
    """Return the certificates of those who signed, not of the authorities above them."""
    certificates = certificates_of(info)
    try:
        numbers = {
            signer["sid"].chosen["serial_number"].native
            for signer in info["content"]["signer_infos"]
            if signer["sid"].name == "issuer_and_serial_number"
        }
    except UNSOUND:
        return []
    return [one for one in certificates if one.serial_number in numbers]


def _is_token(info: Any) -> bool:
    try:
        return bool(info["content"]["encap_content_info"]["content_type"].native == "tst_info")
    except UNSOUND:
        return False


def _token(der: bytes) -> Any:
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(der)
        return info if info["content_type"].native == "signed_data" else None
    except UNSOUND:
        return None


def _time(info: Any) -> dt.datetime | None:
    if not _is_token(info):
        return None
    try:
        moment: dt.datetime = info["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    except UNSOUND:
        return None
    return moment


def _midnight(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), dt.UTC)
