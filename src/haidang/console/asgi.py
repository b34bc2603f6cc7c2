"""The console as an ASGI application."""

from __future__ import annotations

import os
import threading
from importlib import import_module

from django.core.asgi import get_asgi_application

__all__ = ["application"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haidang.console.settings")
application = get_asgi_application()
# Rules are read in the background from the start on, so that the first pages have their words.
_RULEBOOK = import_module("haidang.console.alerts.rulebook").RULEBOOK
threading.Thread(target=_RULEBOOK.begin, name="rulebook-begin", daemon=True).start()
