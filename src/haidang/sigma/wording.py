"""What a rule says in other languages than the one that it is written in: its ``haidang`` attribute.

::

    haidang:
      en:
        advice: What to do first …
      vi:
        title: …
        description: …
        advice: …

Rules of this module:

- Sigma lets a rule carry attributes of its own; other tools pass over this one. A rule's ``title`` and
  ``description`` stay English, because data names rules by them.
- ``description`` says what a finding means, ``advice`` what to do first. Each is a sentence or a few.
- What a language leaves out is taken from the rule itself; a rule has no ``advice`` of its own.
- A section that is wrong is left out and noted: the rule itself works without.

The content is untrusted.
"""

from __future__ import annotations

from typing import Any

from haidang.sigma.ir import RuleWords
from haidang.sigma.translate import Refusal

__all__ = ["read_words"]

_PARTS = RuleWords.__struct_fields__[1:]


def read_words(section: Any) -> tuple[RuleWords, ...]:
    """Return what a ``haidang`` section says in each language; raise Refusal with the place in it."""
    if section is None:
        return ()
    if not isinstance(section, dict):
        raise Refusal("the haidang section must map languages to texts")
    return tuple(_words(str(lang), texts) for lang, texts in section.items())


def _words(lang: str, texts: Any) -> RuleWords:
    if not isinstance(texts, dict):
        raise Refusal(f"the haidang section has no texts for the language {lang!r}", lang)
    for name, text in texts.items():
        if name not in _PARTS:
            raise Refusal(f"the haidang section knows no {str(name)!r}; there are {', '.join(_PARTS)}", lang)
        if not isinstance(text, str):
            raise Refusal(f"the {name} of the haidang section must be a text", lang, name)
    # Line breaks in YAML are for those who edit it.
    return RuleWords(lang, **{name: " ".join(text.split()) for name, text in texts.items()})
