"""Encrypts or decrypts standard input to standard output with age; run as a program, not imported.

    python _age_process.py encrypt age1… age1…
    python _age_process.py decrypt FD           secret keys come from this file descriptor

It imports nothing of the package, so that it starts at once and stays small. Secrets are neither in its
arguments nor in its environment. What went wrong is on standard error, in one line.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

_PIPE = 1 << 20
"""Bytes that go through a pipe at once. age itself asks for 8 KiB: to wake the other process for each of them
would cost both more than the encryption."""
_FILE = 1 << 18
"""Bytes that are read from a file at once: so few that they stay in a processor's own cache."""
_REST = 1 << 15
"""Bytes that are held back when a file is written: pieces of 64 KiB pass by. pyrage says nothing when its
last write fails; what is held back is written when the file is closed, which does."""


def main() -> int:
    """Do what the arguments say; return the exit code."""
    import pyrage

    act, *words = sys.argv[1:]
    try:
        if act == "encrypt":
            # Into the file that is open: to open it anew would let go of its lock.
            recipients = [pyrage.x25519.Recipient.from_str(one) for one in words]
            with os.fdopen(0, "rb", _PIPE) as source, os.fdopen(1, "wb", _REST) as target:
                pyrage.encrypt_io(source, target, recipients)
        else:
            with os.fdopen(int(words[0]), "r", encoding="ascii") as secrets:
                identities = [pyrage.x25519.Identity.from_str(one) for one in secrets.read().split()]
            with os.fdopen(0, "rb", _FILE) as source, os.fdopen(1, "wb", _PIPE) as target:
                pyrage.decrypt_io(source, target, identities)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 -- the parent makes a sentence of it
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
