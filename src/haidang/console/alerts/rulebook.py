"""What the rules say: their words in the reader's language, their references, their known false positives.

Rules are read in the background when somebody first asks, because that takes seconds and a page must not;
until then, and for rules that are not among them, an alert's own words stand.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from django.db import Error, connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from haidang.console.alerts.alarms import ALARMS
from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.console.rules.catalogue import Origin
    from haidang.sigma.ir import RuleInfo, RuleWords

__all__ = ["RULEBOOK", "Rulebook"]

_LOG = logging.getLogger(__name__)


class Rulebook:
    """The loaded rules by what alerts call them."""

    def __init__(self) -> None:
        """Begin empty."""
        self._given: dict[str, RuleInfo] | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def info(self, rule: str) -> RuleInfo | None:
        """Return what is known of a rule; None as long as nothing is."""
        from haidang.console.rules import catalogue

        if self._given is not None:
            return self._given.get(rule)
        with self._lock:
            if self._thread is None:
                # The database is asked here: a thread of one's own would have a connection of its own.
                given = (catalogue.origin(),)
                self._thread = threading.Thread(target=self.load, args=given, name="rulebook", daemon=True)
                self._thread.start()
        rules = catalogue.known()
        return rules.by_name.get(rule) if rules is not None else None

    def words(self, rule: str) -> RuleWords | None:
        """Return the words of a rule in the language of the page, where it has some."""
        info = self.info(rule)
        lang = (get_language() or "").split("-")[0]
        return next((words for words in info.words if words.lang == lang), None) if info else None

    def title(self, rule: str, title: str) -> str:
        """Return the title of a rule in the language of the page, ``title`` where it has none."""
        if rule in ALARMS:
            return _(ALARMS[rule].title)
        words = self.words(rule)
        return (words and words.title) or title

    def begin(self) -> None:
        """Read the rules before anybody asks, from a thread that ends with it.

        Where there are no tables yet, they are read when somebody asks.
        """
        try:
            self.info("")
        except Error:
            _LOG.info("rules-not-begun")
        finally:
            connection.close()

    def know(self, infos: Iterable[RuleInfo]) -> None:
        """Take rules that are loaded already; they are read no more."""
        self._given = {info.id or info.title: info for info in infos}

    def load(self, origin: Origin) -> None:
        """Read the rules."""
        from haidang.console.rules import catalogue

        try:
            catalogue.loaded(origin)
        except HaidangError:
            _LOG.exception("rules-not-read")


RULEBOOK = Rulebook()
