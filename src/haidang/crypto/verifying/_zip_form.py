"""Whether a container is still the zip that its signed manifest says it is.

Only a manifest of ours says so (:mod:`haidang.crypto.containers.zip_form`); of any other, nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.containers.manifest import Manifest
    from haidang.crypto.containers.zip_form import ZipForm

__all__ = ["altered_form"]


def altered_form(form: ZipForm, name: str, manifest: Manifest) -> Iterator[Reason]:
    """Yield that the zip is another than the manifest ``name`` says, where it says anything of it."""
    if manifest.listed is not None and not form.kept(name, manifest.signature, manifest.listed):
        yield Reason(
            "container-altered",
            Message(N_("The container was altered after it was made, though the files in it were not.")),
            Message(
                N_("Fetch the container again from whoever sent it. Do not unpack it and pack it again.")
            ),
        )
