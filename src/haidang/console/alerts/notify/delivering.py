"""Handing one message over: to the receivers of a channel, in the channel's language, with what went wrong.

Nothing is written to the database here; who calls keeps what became of it.
"""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING, NamedTuple

from django.core.mail import EmailMessage, get_connection

from haidang.console.alerts.notify.problems import DeliveryError
from haidang.console.alerts.notify.webhook import post
from haidang.console.lockbox import LockboxError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.core.mail.backends.base import BaseEmailBackend

    from haidang.console.alerts.notify.models import Channel

__all__ = ["Mail", "MissedError", "mail_to", "post_to"]

_MAIL_SECONDS = 20


class Mail(NamedTuple):
    """What a mail says."""

    subject: str
    text: str


class MissedError(DeliveryError):
    """Some of several recipients did not take a mail; the others have it."""

    def __init__(self, refusals: dict[str, str]) -> None:
        """Name who did not, and why."""
        self.missed = list(refusals)
        super().__init__("recipients", "; ".join(f"{name} ({why})" for name, why in refusals.items()))


def post_to(channel: Channel, delivery: str, now: datetime, body: bytes) -> None:
    """Send JSON to the webhook of a channel.

    Raises:
        DeliveryError: It was not taken.
    """
    try:
        secret = channel.signing_secret
    except LockboxError:
        raise DeliveryError("secret") from None
    post(channel.target.strip(), secret, delivery, int(now.timestamp()), body)


def mail_to(recipients: Sequence[str], delivery: str, mail: Mail) -> None:
    """Send a mail to each recipient by itself: one that is refused does not keep it from the others.

    Raises:
        MissedError: Some or all did not take it.
        DeliveryError: The server cannot be used, and nobody got it.
    """
    if not recipients:
        raise DeliveryError("nobody")
    connection = _connection()
    refusals: dict[str, str] = {}
    lost = ""
    try:
        connection.open()
    except (OSError, ValueError) as error:
        raise DeliveryError("server", _answer(error)) from None
    try:
        for address in recipients:
            if lost:
                refusals[address] = lost
                continue
            message = EmailMessage(
                mail.subject,
                mail.text,
                to=[address],
                connection=connection,
                headers={"Message-ID": f"<{delivery}@haidang>", "Auto-Submitted": "auto-generated"},
            )
            try:
                message.send()
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
                refusals[address] = _answer(error)
            except (
                OSError,
                ValueError,
            ) as error:  # SMTPException is an OSError: the server is not to be had.
                refusals[address] = lost = _answer(error)
    finally:
        _close(connection)
    if lost and len(refusals) == len(recipients):
        raise DeliveryError("server", lost)
    if refusals:
        raise MissedError(refusals)


def _connection() -> BaseEmailBackend:
    """Return a connection that stays open for several mails, with a time-out where the backend knows one."""
    try:
        connection: BaseEmailBackend = get_connection(timeout=_MAIL_SECONDS)
    except TypeError:  # Such as that which writes files.
        connection = get_connection()
    return connection


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        return  # Whatever is wrong with saying goodbye, each mail has its answer.


def _answer(error: Exception) -> str:
    """Return what a server said."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return f"{code} {_text(said)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return str(error) or type(error).__name__


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return text.strip()[:150]
