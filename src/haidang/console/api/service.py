"""The API as a whole: its operations under ``/api/v1``, described by OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser

from haidang._version import __version__
from haidang.console.api import (
    alerts,
    assets,
    audit,
    channels,
    dead_letters,
    hunts,
    intelligence,
    people,
    rules,
    silences,
    sources,
    tokens,
    units,
)
from haidang.console.api.problems import add_handlers

__all__ = ["api"]


class _StrictParser(Parser):
    """Takes JSON as its standard says: no NaN, no lone surrogates."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body; what is no JSON raises a ValueError, which is answered with 400."""
        return orjson.loads(request.body)


api = NinjaAPI(
    title="Hải Đăng",
    version=__version__,
    description="Everything that the console does, for programs.",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    parser=_StrictParser(),
)
add_handlers(api)
api.add_router("/alerts", hunts.before_router)
api.add_router("/alerts", intelligence.alert_router)
for _prefix, _module in (
    ("/alerts", alerts),
    ("/hunts", hunts),
    ("/intelligence", intelligence),
    ("/silences", silences),
    ("/units", units),
    ("/assets", assets),
    ("/sources", sources),
    ("/channels", channels),
    ("/dead-letters", dead_letters),
    ("/rules", rules),
    ("/people", people),
    ("/tokens", tokens),
    ("/audit", audit),
):
    api.add_router(_prefix, _module.router)
