"""Lanes are tested in machine code and in Python: there with projections that are remembered and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang import native
from haidang.detect import projections

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["machine code", "remembering", "looking up"])
def memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Use the library, or let every lane remember projections from its second document on, or never."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "machine code":
            if native.library() is None:
                pytest.skip("The part in machine code was not built: there was no Rust compiler.")
        else:
            patch.setenv("HAIDANG_NATIVE", "0")
            native.library.cache_clear()
            patch.setattr(projections, "_DOCUMENTS", 1 if request.param == "remembering" else 10**9)
        yield
    native.library.cache_clear()
