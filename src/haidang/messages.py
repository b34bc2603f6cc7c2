"""A sentence for people: an English template with the values that fill it.

Whoever finds something out (an error, a verdict) states it once, in English, with :func:`haidang.i18n.N_`
around the template; whoever shows it to a person says it in that person's language.

Example::

    Message(N_("{path} is empty."), path="a.pdf").said(translator("vi"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Message"]


class Message:
    """A template and its values. The values may hold what others wrote; they are never templates."""

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: object) -> None:
        """Keep ``template``, whose ``{name}`` placeholders ``values`` fill."""
        self.template = template
        self.values = values

    def said(self, translate: Callable[[str], str]) -> str:
        """Return the sentence in the language of ``translate``. A value that is a Message is said, too."""
        if not self.template:
            return ""
        values = {
            name: value.said(translate) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return translate(self.template).format(**values)

    def __str__(self) -> str:
        """Return the sentence in English, as logs and JSON have it."""
        return self.said(str)

    def __repr__(self) -> str:
        return f"Message({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and (self.template, self.values) == (other.template, other.values)

    def __hash__(self) -> int:
        return hash(self.template)
