"""Makes the stretching of passphrases cheap: how long it takes is no matter of these tests."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from haidang.crypto import envelopes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="module")
def _cheap_stretching() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelopes, "lock", functools.partial(envelopes.lock, memory_kib=64, passes=1))
        yield
