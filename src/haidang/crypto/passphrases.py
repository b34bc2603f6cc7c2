"""Where a passphrase comes from: a prompt, a file of the service, or a systemd credential.

Rules:

- Never from an argument or an environment variable: others on the machine can read those.
- A file must belong to the user who runs the program, or to root, and nobody else may read it. One line
  feed at its end is not part of the passphrase.
- A :class:`Passphrase` shows nothing of itself, whatever prints it.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Passphrase", "from_credential", "from_file", "from_prompt"]

_LONGEST = 4096
SHORTEST = 8


class Passphrase:
    """A secret that neither ``repr`` nor ``str`` nor an error shows."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Keep ``value``."""
        self._value = value

    def reveal(self) -> bytes:
        """Return the secret itself; the name is there to be seen in a review."""
        return self._value

    def __repr__(self) -> str:
        return "Passphrase(…)"

    def __reduce__(self) -> str:
        raise TypeError("a passphrase is not written anywhere")


def from_file(path: Path) -> Passphrase:
    """Return the passphrase that a file holds.

    Raises:
        KeyAccessError: It cannot be read, is empty or too long, or others may read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            content = stream.read(_LONGEST + 2)
    except OSError as error:
        raise KeyAccessError(
            N_("The passphrase file {path} cannot be read: {reason}."),
            hint=N_("Check the name and the permissions."),
            path=path,
            reason=error.strerror or error,
        ) from error
    if status.st_uid not in {os.getuid(), 0} or status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyAccessError(
            N_("Others can read the passphrase file {path}."),
            hint=N_("Give it to the user who runs this, with mode 0600: chmod 600 {path}"),
            path=path,
        )
    return _checked(content, str(path))


def from_credential(name: str, environ: Mapping[str, str]) -> Passphrase:
    """Return the systemd credential ``name`` (``LoadCredential=`` in the unit).

    Raises:
        KeyAccessError: The service was given no such credential.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder or "/" in name or name in {"", ".", ".."}:
        raise KeyAccessError(
            N_("There is no systemd credential {name}."),
            hint=N_("Set LoadCredential={name}:/path in the unit of the service."),
            name=name,
        )
    # systemd makes the folder so that the service alone can read it; the mode of the file is 0400 or 0440.
    path = Path(folder, name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyAccessError(
            N_("There is no systemd credential {name}."),
            hint=N_("Set LoadCredential={name}:/path in the unit of the service."),
            name=name,
        ) from error
    return _checked(content, name)


def from_prompt(
    question: str,
    again: str = "",
    *,
    ask: Callable[[str], str] | None = None,
    otherwise: str = N_("Use --passphrase-file FILE or --credential NAME."),
) -> Passphrase:
    """Ask the person at the terminal, without showing what is typed.

    Args:
        question: what to ask, in the reader's language.
        again: what to ask for the second time, for a new passphrase; "" asks once.
        ask: what asks (``getpass.getpass`` without it).
        otherwise: what to do where there is no terminal, as a template.

    Raises:
        KeyAccessError: There is no terminal, the two answers differ, or a new passphrase is too short.
    """
    if ask is None:
        if not sys.stdin.isatty():
            raise KeyAccessError(
                N_("There is no terminal to ask for the passphrase."),
                hint=otherwise,
            )
        from getpass import getpass

        ask = getpass
    try:
        first = ask(question)
    except EOFError:
        raise KeyAccessError(N_("No passphrase was given.")) from None
    if again:
        if len(first) < SHORTEST:
            raise KeyAccessError(
                N_("The new passphrase is shorter than {n} characters."),
                hint=N_("Choose a longer one: several words are good."),
                n=SHORTEST,
            )
        if ask(again) != first:
            raise KeyAccessError(N_("The two passphrases are not the same."), hint=N_("Type them again."))
    return _checked(first.encode(), "the prompt")


def _checked(content: bytes, source: str) -> Passphrase:
    value = content[:-1] if content.endswith(b"\n") else content
    value = value[:-1] if value.endswith(b"\r") else value
    if not value:
        raise KeyAccessError(N_("The passphrase from {source} is empty."), source=source)
    if len(value) > _LONGEST:
        raise KeyAccessError(
            N_("The passphrase from {source} is longer than {n} bytes."), source=source, n=_LONGEST
        )
    return Passphrase(value)
