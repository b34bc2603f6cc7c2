"""Which language people are spoken to in, and the words of that language.

Rules:

- Whatever people read (terminal, pages, help) goes through a :class:`Translator`; logs, JSON and code
  are English.
- Message ids are English sentences, with ``{name}`` placeholders that are filled with ``str.format``
  after the translation; the translator is called ``_`` or ``translate``, which is how the tests find
  the messages. The catalogues are ``locale/<lang>/LC_MESSAGES/haidang.po``; the ``.mo`` beside
  it is checked in (``pybabel compile -d src/haidang/locale -D haidang``), and a test holds the two, and
  the source, together.
- ``--lang`` wins over the environment, which is read as GNU gettext reads it.

Example::

    _ = translator("vi")
    _("Tactics")
    _.ngettext("{n} finding", "{n} findings", 3).format(n=3)
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "N_", "Language", "Translator", "choose_language", "translator"]

Language: TypeAlias = Literal["vi", "en"]

LANGUAGES: tuple[Language, ...] = ("vi", "en")

LOCALE_FOLDER = Path(__file__).parent / "locale"


def N_(message: str) -> str:  # noqa: N802 -- the name that gettext's extractors know
    """Mark ``message`` for translation where it is defined; it is translated where it is shown."""
    return message


class Translator:
    """The words of one language: call it with an English message."""

    def __init__(self, lang: Language, catalogue: gettext.NullTranslations) -> None:
        """Speak ``lang`` with the messages of ``catalogue``."""
        self.lang = lang
        self._catalogue = catalogue

    def __call__(self, message: str) -> str:
        """Return ``message`` in this language, or as it is where it has no translation."""
        # The empty id is the catalogue's header, which nobody wants to see.
        return self._catalogue.gettext(message) if message else ""

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Return the form that ``n`` things need; the caller fills the placeholders."""
        return self._catalogue.ngettext(one, many, n)


def choose_language(flag: str | None, environ: Mapping[str, str]) -> Language:
    """Return the language of ``--lang`` (``flag``) or, without it, of the environment.

    Raises:
        ConfigurationError: ``flag`` names a language that there is no catalogue for.
    """
    if flag is not None:
        known = _known(flag)
        if known is None:
            raise ConfigurationError(
                f"there is no language {flag!r}", hint=f"choose one of: {', '.join(LANGUAGES)}"
            )
        return known
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    if locale.partition(".")[0] in {"C", "POSIX"}:
        # A script that asks for the C locale wants plain English, whatever LANGUAGE says.
        return "en"
    for name in (*environ.get("LANGUAGE", "").split(":"), locale):
        known = _known(name)
        if known is not None:
            return known
    return "en"


@cache
def translator(lang: str) -> Translator:
    """Return the words of ``lang``; English where there is no such catalogue."""
    known = _known(lang) or "en"
    try:
        catalogue = gettext.translation("haidang", LOCALE_FOLDER, [known])
    except OSError:
        return Translator(known, gettext.NullTranslations())
    return Translator(known, catalogue)


def _known(name: str) -> Language | None:
    """Return the language of a locale name such as ``vi_VN.UTF-8``, or None."""
    base = name.partition(".")[0].partition("@")[0].replace("-", "_").partition("_")[0].lower()
    return next((lang for lang in LANGUAGES if lang == base), None)
