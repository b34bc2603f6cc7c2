"""The account of an authority: what is written into its log, and whether the log still agrees with itself.

Each entry is one JSON object with sorted keys: ``act``, ``time`` and what the act was about, certificates and
CRLs by their SHA-256. :func:`audit` compares four things: the entries, the tree over them, the checkpoints
that the authority signed after every act, and the records that the entries speak of. A checkpoint that
somebody else kept shows more: that the whole file was put back to an older state.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from haidang.crypto.certificates import fingerprint, parse_certificates
from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import key_id
from haidang.crypto.merkle import Checkpoint, Tree, read_checkpoint, sign_checkpoint
from haidang.crypto.verdicts import Reason
from haidang.errors import AuthorityError, InputError, VerificationError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from haidang.crypto.keys import SigningKey
    from haidang.crypto.pki.records import Records

__all__ = ["Account", "audit", "decode_entry", "log_origin", "public_key_of", "stamp"]

_ACTS_OF_ISSUE = frozenset({"issue", "renew"})
_ACTS_OF_OWN = frozenset({"root", "accept"})


def stamp(moment: dt.datetime) -> str:
    """Return a moment as the records write it."""
    import datetime as dt

    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def log_origin(public_key: Any) -> str:
    """Return the name of the log of the authority that has this key."""
    return f"haidang/authority/{key_id(public_key)[:16]}"


def public_key_of(records: Records) -> Any:
    """Return the public key that signs the log.

    Raises:
        AuthorityError: The records do not say it.
    """
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    try:
        return load_der_public_key(base64.b64decode(records.fact("public_key"), validate=True))
    except ValueError as error:
        raise _damaged(Message(N_("the public key is missing"))) from error


class Account:
    """Writes one act into the log, inside the transaction of the act."""

    def __init__(self, records: Records, key: SigningKey) -> None:
        """Continue the log of ``records``, whose checkpoints ``key`` signs.

        Raises:
            AuthorityError: The log does not agree with its last checkpoint: nothing may be added to it.
        """
        self._records = records
        self._key = key
        self._origin = log_origin(key)
        self._tree = Tree()
        self.last = ""
        for number, entry in records.entries():
            if number != self._tree.size:
                raise _damaged(Message(N_("entry {number} of the log is missing"), number=self._tree.size))
            self._tree.append(entry)
            self.last = str(decode_entry(entry).get("time", ""))
        if self._tree.size:
            self._check_last()

    def write(self, act: str, moment: dt.datetime, **about: Any) -> None:
        """Append one entry."""
        entry = msgspec.json.encode({"act": act, "time": stamp(moment), **about}, order="sorted")
        self._records.append(self._tree.size, entry)
        self._tree.append(entry)

    def close(self) -> bytes:
        """Sign and keep the checkpoint after the act; return it."""
        checkpoint = Checkpoint(self._origin, self._tree.size, self._tree.root())
        note = sign_checkpoint(checkpoint, self._key)
        self._records.add_checkpoint(checkpoint.size, note)
        return note

    def _check_last(self) -> None:
        try:
            last = read_checkpoint(self._records.last_checkpoint(), self._key.public_key(), self._origin)
        except VerificationError as error:
            raise _damaged(error.message) from error
        if (last.size, last.root) != (self._tree.size, self._tree.root()):
            raise _damaged(Message(N_("the log does not agree with its last checkpoint")))


class Audited(NamedTuple):
    """What :func:`audit` found."""

    entries: int
    root: bytes
    reasons: tuple[Reason, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return all(reason.severity != "error" for reason in self.reasons)


def audit(records: Records, kept: Iterable[bytes] = ()) -> Audited:
    """Return what is wrong with the log of ``records``, measured at the checkpoints that others ``kept``."""
    public_key = public_key_of(records)
    origin = log_origin(public_key)
    found = [
        _error("records-damaged", N_("The file of the records is damaged: {detail}."), detail=detail)
        for detail in records.check()
    ]
    entries = records.entries()
    found += _gaps(entries)
    roots = _roots([entry for _, entry in entries])
    own = records.checkpoints()
    for _, note in own:
        found += _judge(note, public_key, origin, roots, N_("of the authority"))
    if not own or own[-1][0] != len(entries):
        found.append(
            _error(
                "log-not-signed",
                N_("The log has {n} entries, but its newest checkpoint is of {size}."),
                n=len(entries),
                size=own[-1][0] if own else 0,
            )
        )
    for note in kept:
        found += _judge(note, public_key, origin, roots, N_("that was kept elsewhere"))
    found += _against_records(records, [decode_entry(entry) for _, entry in entries])
    return Audited(len(entries), roots[-1], tuple(found))


def decode_entry(entry: bytes) -> dict[str, Any]:
    """Return an entry as an object; one that is none is empty."""
    try:
        found = msgspec.json.decode(entry)
    except msgspec.MsgspecError:
        return {}
    return found if isinstance(found, dict) else {}


def _gaps(entries: Sequence[tuple[int, bytes]]) -> list[Reason]:
    for expected, (number, _) in enumerate(entries):
        if number != expected:
            return [_error("log-entry-missing", N_("Entry {number} of the log is missing."), number=expected)]
    return []


def _roots(entries: Sequence[bytes]) -> list[bytes]:
    """Return the root after none, one, two … entries."""
    tree = Tree()
    roots = [tree.root()]
    for entry in entries:
        tree.append(entry)
        roots.append(tree.root())
    return roots


def _judge(note: bytes, public_key: Any, origin: str, roots: Sequence[bytes], whose: str) -> list[Reason]:
    try:
        checkpoint = read_checkpoint(note, public_key, origin)
    except VerificationError as error:
        return [
            _error(
                "checkpoint-unsound",
                N_("A checkpoint {whose} does not hold: {detail}."),
                whose=Message(whose),
                detail=error.message,
            )
        ]
    if checkpoint.size >= len(roots):
        return [
            _error(
                "log-cut",
                N_("A checkpoint {whose} is of {size} entries, but the log has {n}: its end was cut off."),
                whose=Message(whose),
                size=checkpoint.size,
                n=len(roots) - 1,
            )
        ]
    if roots[checkpoint.size] != checkpoint.root:
        return [
            _error(
                "log-altered",
                N_("The first {size} entries are not those of a checkpoint {whose}: one was altered."),
                whose=Message(whose),
                size=checkpoint.size,
            )
        ]
    return []


def _against_records(records: Records, entries: Sequence[dict[str, Any]]) -> list[Reason]:
    """Compare what the log speaks of with what is there."""
    issued = {
        str(e.get("serial")): (e.get("sha256"), e.get("recipient", ""))
        for e in entries
        if e.get("act") in _ACTS_OF_ISSUE
    }
    there = {
        kept.serial: (hashlib.sha256(kept.der).hexdigest(), kept.recipient) for kept in records.certificates()
    }
    own = {str(e.get("chain")): e.get("sha256") for e in entries if e.get("act") in _ACTS_OF_OWN}
    kept_own = {
        chain: digest for chain in ("first", "second") if (digest := _own_certificate(records, chain))
    }
    revoked = {
        str(e.get("serial")): (e.get("time"), e.get("reason")) for e in entries if e.get("act") == "revoke"
    }
    kept_revoked = {r.serial: (r.moment, r.reason) for r in records.revocations()}
    crls = {(e.get("chain"), e.get("number")): e.get("sha256") for e in entries if e.get("act") == "crl"}
    kept_crls = {(chain, number): hashlib.sha256(der).hexdigest() for chain, number, der in records.crls()}
    found = []
    for kind, said, has in (
        (N_("certificate of the authority"), own, kept_own),
        (N_("certificate"), issued, there),
        (N_("revocation"), revoked, kept_revoked),
        (N_("revocation list"), crls, kept_crls),
    ):
        found += [
            _error(
                "records-differ",
                N_("The log and the records do not agree about the {kind} {name}."),
                kind=Message(kind),
                name=name if isinstance(name, str) else f"{name[0]} {name[1]}",
            )
            for name in sorted({*said, *has}, key=str)
            if said.get(name) != has.get(name)
        ]
    return found


def _own_certificate(records: Records, chain: str) -> str:
    text = records.fact(f"chain:{chain}")
    try:
        return fingerprint(parse_certificates(text.encode(), "")[0]) if text else ""
    except InputError:
        return "unreadable"


def _error(code: str, template: str, **values: object) -> Reason:
    return Reason(
        code,
        Message(template, **values),
        hint=Message(N_("Stop working with this authority, keep its folder, and look into it.")),
    )


def _damaged(reason: object) -> AuthorityError:
    return AuthorityError(
        N_("The log of the authority was altered: {reason}."),
        hint=N_("Nothing was done. See haidang pki log verify, and look into it before going on."),
        reason=reason,
    )
