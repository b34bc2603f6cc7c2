"""Settings from the environment: typed, each with a default that needs nothing else installed.

A variable ``NAME`` may be given as ``NAME_FILE``, a file with the value (secrets, systemd credentials). A
wrong value is an error that names the variable.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Environment"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000"
_SESSION = "-c jit=off -c work_mem=16MB"
"""What connections to PostgreSQL ask for: pages are short, and bitmaps of common words must fit."""
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_POSTGRESQL = frozenset({"postgres", "postgresql"})


class Environment:
    """Reads settings out of environment variables."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """Read ``values``, by default those of the process."""
        self._values = os.environ if values is None else values

    def text(self, name: str, default: str = "") -> str:
        """Return a text; ``NAME_FILE`` names a file that holds it."""
        file = self._values.get(f"{name}_FILE")
        if file is not None:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(
                    f"{name}_FILE: {file}: {error.strerror}", hint="Name a file that the service may read."
                ) from None
        return self._values.get(name, default)

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return a truth value: 1, true, yes, on, or their opposites."""
        value = self.text(name, str(int(default))).lower()
        if value not in _TRUE | _FALSE:
            raise ConfigurationError(f"{name}={value}", hint="Give 1 or 0.")
        return value in _TRUE

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        value = self.text(name, str(default))
        try:
            return int(value)
        except ValueError:
            raise ConfigurationError(f"{name}={value}", hint="Give a whole number.") from None

    def words(self, name: str, default: str = "") -> list[str]:
        """Return texts with commas between them."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def identity_provider(self) -> dict[str, Any] | None:
        """Return allauth's description of the OpenID Connect provider, None where none is named.

        Raises:
            ConfigurationError: It has no client, or is asked without TLS.
        """
        url = self.text("HAIDANG_OIDC_URL").rstrip("/")
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
            raise ConfigurationError(
                f"HAIDANG_OIDC_URL={url}",
                hint="Give the address of the provider (its issuer), with https://.",
            )
        client = self.text("HAIDANG_OIDC_CLIENT")
        if not client:
            raise ConfigurationError(
                "HAIDANG_OIDC_CLIENT is missing", hint="Give the client's name that the provider knows."
            )
        return {
            "provider_id": "oidc",
            "name": self.text("HAIDANG_OIDC_NAME", "OpenID Connect"),
            "client_id": client,
            "secret": self.text("HAIDANG_OIDC_SECRET"),
            "settings": {
                "server_url": url,
                "claim": self.text("HAIDANG_OIDC_CLAIM", "preferred_username"),
                "oauth_pkce_enabled": True,
            },
        }

    def place(self) -> Path:
        """Return where the folder of everything that the service keeps is, or would be."""
        home = Path(self._values.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
        return Path(self.text("HAIDANG_DATA") or home / "haidang" / "serve").absolute()

    def folder(self) -> Path:
        """Return the folder of everything that the service keeps, made where it is missing."""
        folder = self.place()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: {error.strerror}", hint="Name a folder that may be written in HAIDANG_DATA."
            ) from None
        return folder

    def secret_key(self, folder: Path) -> str:
        """Return the key that sessions are signed with; one is made for a new service."""
        given = self.text("HAIDANG_SECRET_KEY")
        if given:
            return given
        path, made = folder / "secret-key", folder / f"secret-key.{os.getpid()}"
        if not path.exists():
            made.touch(mode=0o600)
            made.write_text(secrets.token_urlsafe(64), encoding="utf-8")
            # Of several that start together, the first one's holds.
            with suppress(FileExistsError):
                path.hardlink_to(made)
            made.unlink()
        return path.read_text(encoding="utf-8")

    def old_secret_keys(self, folder: Path) -> list[str]:
        """Return keys that are no longer used for anything new, but still open what they sealed or signed.

        Those are ``HAIDANG_SECRET_KEY_OLD`` (several with commas between), the file ``secret-key.old``, and
        the file ``secret-key`` where ``HAIDANG_SECRET_KEY`` has taken its place.
        """
        now = self.secret_key(folder)
        old = self.words("HAIDANG_SECRET_KEY_OLD")
        for path in (folder / "secret-key", folder / "secret-key.old"):
            with suppress(FileNotFoundError):
                old.append(path.read_text(encoding="utf-8").strip())
        return [key for key in dict.fromkeys(old) if key and key != now]

    def database(self, folder: Path) -> dict[str, Any]:
        """Return Django's description of the database: SQLite in ``folder``, or what DATABASE_URL names."""
        url = self.text("DATABASE_URL")
        if not url:
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "console.sqlite3",
                "OPTIONS": {
                    # Whoever is going to write says so at once: nobody finds the database locked half-way.
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    "init_command": _PRAGMAS,
                },
                # A file like the real one: a database in memory locks tables, not itself.
                "TEST": {"NAME": folder / "test.sqlite3"},
            }
        parts = urlsplit(url)
        if parts.scheme not in _POSTGRESQL or not parts.path.strip("/"):
            raise ConfigurationError(
                "DATABASE_URL names no PostgreSQL database",
                hint="Write postgresql://USER:PASSWORD@HOST:PORT/NAME.",
            )
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": parts.port or "",
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {"options": _SESSION, **dict(parse_qsl(parts.query, keep_blank_values=True))},
        }
