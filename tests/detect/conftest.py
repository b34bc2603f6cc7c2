"""Lanes are tested both with projections that are remembered and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.detect import projections

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["remembering", "looking up"])
def memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let every lane remember projections from its second document on, or never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projections, "_DOCUMENTS", 1 if request.param == "remembering" else 10**9)
        yield
