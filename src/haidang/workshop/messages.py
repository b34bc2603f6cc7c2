"""A sentence that machines get in English and people in their language.

Message(N_("the field {name} is unknown"), {"name": "Imgae"}).text(translate)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Message"]


class Message(NamedTuple):
    """A message id with what fills its placeholders, other messages among it."""

    template: str
    values: Mapping[str, Any] = {}

    def text(self, translate: Callable[[str], str] | None = None) -> str:
        """Return the sentence, in English where no translation is given."""
        template = translate(self.template) if translate is not None else self.template
        values = {
            key: value.text(translate) if isinstance(value, Message) else value
            for key, value in self.values.items()
        }
        return template.format(**values) if values else template
