"""What is wrong with a container, told once: as an error, or as a reason of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.verdicts import Reason
from haidang.errors import ProtectError
from haidang.i18n import N_

if TYPE_CHECKING:
    from typing import Literal

__all__ = ["ContainerError"]

_HINT = N_("Ask the sender for the container again; do not open it with another program.")


class ContainerError(ProtectError):
    """A container that is damaged, or made so that programs would read it differently."""

    def __init__(self, code: str, message: str, *, hint: str = _HINT, **values: object) -> None:
        """Keep ``code`` (for programs; lower case with dashes) beside the template and its values."""
        super().__init__(message, hint=hint, **values)
        self.code = code

    def reason(self, severity: Literal["note", "warning", "error"] = "error") -> Reason:
        """Return it as a verdict has it."""
        return Reason(self.code, self.said_message, self.said_hint, severity)
