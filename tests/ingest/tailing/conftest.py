"""The lines with which a followed file begins: many, or few."""

from __future__ import annotations

import pytest

from tests.ingest.tailing.following import START

SHORT = [b"only this"]


@pytest.fixture(params=[START, SHORT], ids=["long", "short"])
def start(request: pytest.FixtureRequest) -> list[bytes]:
    found: list[bytes] = request.param
    return found
