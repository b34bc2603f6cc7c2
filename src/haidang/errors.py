"""The errors that Hải Đăng raises: one root, one branch for each party to blame.

    HaidangError
    ├── InputError            a log, file or archive cannot be used
    ├── RuleError             one rule cannot be supported; has file, line and reason
    ├── RuleErrors            several of them at once (strict loading)
    ├── ConfigurationError    an option, pipeline, logsource map or placeholder file is wrong
    ├── VerificationError     a pack is not signed, or not what was signed
    └── OutputError           a result cannot be written

No builtin exception leaves a public function. ``diagnostics()`` says in plain words what
happened and what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ConfigurationError",
    "HaidangError",
    "InputError",
    "OutputError",
    "RuleError",
    "RuleErrors",
    "VerificationError",
]


class HaidangError(Exception):
    """Root of every error that the package raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep what happened (``message``) and what to do about it (``hint``)."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def diagnostics(self) -> str:
        """Return the message and, on a line of its own, what to do."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(HaidangError):
    """A log, file or archive cannot be used at all."""


class ConfigurationError(HaidangError):
    """An option, a pipeline, a logsource map or a placeholder file is wrong."""


class VerificationError(HaidangError):
    """A pack is not signed by a trusted key, or is not what was signed."""


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

    def diagnostics(self) -> str:
        """Return one line for each refused rule."""
        return "\n".join([self.message, *(error.message for error in self.errors)])
