"""The errors that Hải Đăng raises: one root, one branch for each party to blame.

    HaidangError
    ├── InputError            a log, file or archive cannot be used
    ├── RuleError             one rule cannot be supported; has file, line and reason
    ├── RuleErrors            several of them at once (strict loading)
    ├── ConfigurationError    an option, pipeline, logsource map or placeholder file is wrong
    ├── VerificationError     a pack is not signed, or not what was signed
    ├── ProtectError          a key, certificate, signature, seal or timestamp; see haidang.crypto
    │   ├── KeyAccessError    a key, passphrase, share or token cannot be used
    │   ├── AuthorityError    an authority cannot or must not do what it was asked for
    │   ├── SealError         a file cannot be sealed or opened
    │   ├── SigningError      a file cannot be signed, or a timestamp cannot be had
    │   └── PolicyError       a rule of this system forbids it: a label, a weak algorithm
    ├── StorageError          the disk, or a database, cannot take what is to be kept
    └── OutputError           a result cannot be written

No builtin exception leaves a public function. ``diagnostics()`` says in plain words what
happened and what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "AuthorityError",
    "ConfigurationError",
    "HaidangError",
    "InputError",
    "KeyAccessError",
    "OutputError",
    "PolicyError",
    "ProtectError",
    "RuleError",
    "RuleErrors",
    "SealError",
    "SigningError",
    "StorageError",
    "VerificationError",
]


class HaidangError(Exception):
    """Root of every error that the package raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep what happened (``message``) and what to do about it (``hint``)."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def diagnostics(self, translate: Callable[[str], str] = str) -> str:
        """Return the message and, on a line of its own, what to do.

        Errors that know their template (:class:`ProtectError`) say it with the words of ``translate``.
        """
        del translate
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(HaidangError):
    """A log, file or archive cannot be used at all."""


class ConfigurationError(HaidangError):
    """An option, a pipeline, a logsource map or a placeholder file is wrong."""


class VerificationError(HaidangError):
    """A pack is not signed by a trusted key, or is not what was signed."""


class StorageError(HaidangError):
    """The disk, or a database, cannot take (or give) what is to be kept; nothing was half-written."""


class OutputError(HaidangError):
    """A result cannot be written where it was asked for."""


class RuleError(HaidangError):
    """One rule cannot be supported; it names the rule, its file, its line and the reason."""

    def __init__(self, reason: str, *, path: str, line: int = 0, rule: str = "") -> None:
        """Keep ``reason`` with ``path``, 1-based ``line`` (0: unknown) and the rule's title or id."""
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {rule or 'rule'}: {reason}")
        self.reason = reason
        self.path = path
        self.line = line
        self.rule = rule

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts: errors travel between processes and into the cache."""
        return _rule_error, (self.reason, self.path, self.line, self.rule)


def _rule_error(reason: str, path: str, line: int, rule: str) -> RuleError:
    return RuleError(reason, path=path, line=line, rule=rule)


class RuleErrors(HaidangError):
    """Every rule that was refused, reported at once."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        """Keep all ``errors``, in the order of the files."""
        super().__init__(f"{len(errors)} rules cannot be supported")
        self.errors = tuple(errors)

    def diagnostics(self, translate: Callable[[str], str] = str) -> str:
        """Return one line for each refused rule."""
        del translate
        return "\n".join([self.message, *(error.message for error in self.errors)])


class ProtectError(HaidangError):
    """What is wrong with a key, certificate, signature, seal or timestamp, sayable in every language.

    Example::

        raise KeyAccessError(N_("{path} is not a key file."), hint=N_("Name another."), path=path)
    """

    def __init__(self, message: str, *, hint: str = "", **values: object) -> None:
        """Fill the templates ``message`` and ``hint`` with ``values``; never put a secret into them."""
        self.said_message = Message(message, **values)
        self.said_hint = Message(hint, **values)
        super().__init__(str(self.said_message), hint=str(self.said_hint))

    def diagnostics(self, translate: Callable[[str], str] = str) -> str:
        """Return the message and, on a line of its own, what to do, in the language of ``translate``."""
        lines = (self.said_message.said(translate), self.said_hint.said(translate))
        return "\n".join(filter(None, lines))


class KeyAccessError(ProtectError):
    """A key, passphrase, share or token cannot be used."""


class AuthorityError(ProtectError):
    """An authority cannot, or must not, do what it was asked for."""


class SealError(ProtectError):
    """A file cannot be sealed, or not be opened."""


class SigningError(ProtectError):
    """A file cannot be signed, or a timestamp cannot be had."""


class PolicyError(ProtectError):
    """A rule of this system forbids it: a label that it is not cleared for, an algorithm that is too weak."""
