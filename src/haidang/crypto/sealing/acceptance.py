"""Everything that must hold before what was decrypted gets its name; the first that does not refuses it.

Rules:

- The signature holds, the signer is the sender that the envelope names, what is inside is what the envelope
  lists, the opener is among the recipients whom the sender named, and the rules of this system allow its
  labels.
- The envelope is read before the signature is judged, so that refusals can say of whom they speak; it is
  believed only after that.
- Expiry and "for your eyes" are the sender's wishes; they are reported, not enforced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.crypto.sealing.envelope import CONTENT, ENVELOPE, SealedEnvelope, decode_envelope
from haidang.crypto.sealing.policy import labels_to_open
from haidang.crypto.settings import DEFAULT_MARKING, Marking
from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.errors import SealError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from haidang.crypto.sealing.keys import SealingKey
    from haidang.crypto.verifying.asic_contents import Contents

__all__ = ["DEFAULT_OPTIONS", "Acceptance", "OpenOptions", "RefusedError"]


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What the opener accepts."""

    marking: Marking = DEFAULT_MARKING
    """Which labels this system may hold."""
    accept_indeterminate: bool = False
    """Open although it cannot be determined whether the signature holds, e.g. without a current CRL."""
    accept_forwarded: bool = False
    """Open although the sender did not name the opener among the recipients."""


DEFAULT_OPTIONS = OpenOptions()


class RefusedError(SealError):
    """It was decrypted, but something about it does not hold; nothing of it was left on the disk."""

    def __init__(
        self,
        reason: Reason,
        *,
        verdict: DocumentVerdict | None = None,
        envelope: SealedEnvelope | None = None,
    ) -> None:
        """Keep why, and what is known of it."""
        super().__init__(
            reason.message.template, hint=reason.hint.template, **reason.message.values | reason.hint.values
        )
        self.reason = reason
        self.verdict = verdict
        self.envelope = envelope

    @property
    def indeterminate(self) -> bool:
        """Whether it may hold, and only cannot be determined."""
        return self.reason.code == "signature-indeterminate"


class Acceptance:
    """Asks of one decrypted container whether it may be opened."""

    def __init__(
        self,
        contents: Contents,
        verdict: DocumentVerdict,
        keys: Sequence[SealingKey],
        options: OpenOptions,
        now: dt.datetime,
    ) -> None:
        """Ask of what was decrypted.

        Args:
            contents: what the container held.
            verdict: whether its signatures hold.
            keys: the opener's.
            options: what the opener accepts.
            now: the moment of opening.
        """
        self._contents = contents
        self._verdict = verdict
        self._keys = keys
        self._options = options
        self._now = now
        self._reasons: list[Reason] = []

    def checked(self, stanzas: int) -> tuple[SealedEnvelope, tuple[Reason, ...]]:
        """Return the envelope and what to tell the opener, or refuse."""
        content = self._contents.kept.get(ENVELOPE)
        if content is None:
            raise SealError(
                N_("This is an age file, but not one that Hải Đăng sealed: nobody signed an envelope in it."),
                hint=N_("If you trust it all the same, open it with the age program."),
            )
        envelope = decode_envelope(content)
        self._signature(envelope)
        self._sender(envelope)
        self._content(envelope)
        self._recipients(envelope, stanzas)
        for label in labels_to_open(envelope.labels, self._options.marking):
            self._note(
                "label-unknown", N_("The label {label} is not known here; ask the sender."), label=label
            )
        self._wishes(envelope)
        return envelope, tuple(self._reasons)

    def key(self, envelope: SealedEnvelope) -> str:
        """Return the opener's key that the sender named."""
        named = {one.key for one in envelope.recipients}
        return next((key.recipient for key in self._keys if key.recipient in named), "")

    def _signature(self, envelope: SealedEnvelope) -> None:
        if self._verdict.holds:
            return
        if self._verdict.indication == "TOTAL-FAILED":
            raise self._refused(
                "signature-failed",
                N_("The signature of the sealed file does not hold."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
            )
        if not self._options.accept_indeterminate:
            raise self._refused(
                "signature-indeterminate",
                N_("It cannot be determined whether the signature of the sealed file holds."),
                N_("See why below; renew the revocation lists, or open it with --accept-indeterminate."),
                envelope,
            )
        self._note(
            "signature-indeterminate",
            N_("It was opened although it cannot be determined whether the signature holds."),
        )

    def _sender(self, envelope: SealedEnvelope) -> None:
        signers = {one.signer.sha256 for one in self._verdict.signatures if one.signer}
        if envelope.sender.certificate not in signers:
            raise self._refused(
                "sender-mismatch",
                N_("The envelope names {name} as the sender, but somebody else signed it."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
                name=envelope.sender.name,
            )

    def _content(self, envelope: SealedEnvelope) -> None:
        listed = {f"{CONTENT}{one.path}" for one in envelope.content.files}
        found = set(self._contents.digests) - {ENVELOPE}
        odd = sorted(listed ^ found)
        if odd:
            raise self._refused(
                "content-mismatch",
                N_("What is inside is not what the envelope lists: {name}."),
                N_("Do not use it. Ask the sender to seal it again."),
                envelope,
                name=odd[0],
            )

    def _recipients(self, envelope: SealedEnvelope, stanzas: int) -> None:
        if not self.key(envelope):
            if not self._options.accept_forwarded:
                raise self._refused(
                    "not-a-recipient",
                    N_("{sender} did not seal this to you: somebody else passed it on, encrypted anew."),
                    N_("Ask {sender} whether you may have it. To open it all the same: --accept-forwarded"),
                    envelope,
                    sender=envelope.sender.name,
                )
            self._note(
                "not-a-recipient", N_("The sender did not name you among the recipients; it was passed on.")
            )
        elif stanzas > len({one.key for one in envelope.recipients}):
            self._note(
                "more-keys-than-recipients",
                N_("It was encrypted to more keys than the sender names: somebody else may read it, too."),
            )

    def _wishes(self, envelope: SealedEnvelope) -> None:
        if envelope.expires is not None and envelope.expires < self._now:
            self._note(
                "expired",
                N_("The sender wished that it is not used after {date}."),
                date=envelope.expires.isoformat(timespec="minutes"),
            )
        if envelope.for_your_eyes:
            self._note("for-your-eyes", N_("It is for the eyes of the named recipients only."))

    def _note(self, code: str, message: str, **values: object) -> None:
        self._reasons.append(Reason(code, Message(message, **values), severity="warning"))

    def _refused(
        self, code: str, message: str, hint: str, envelope: SealedEnvelope, **values: object
    ) -> RefusedError:
        reason = Reason(code, Message(message, **values), Message(hint, **values))
        return RefusedError(reason, verdict=self._verdict, envelope=envelope)
