"""What detection works with, rules and indicators, kept up to date while it runs.

Rules of this module:

- Files of rules and kept indicators are looked at every few seconds. What changed is taken up when it has
  stood still from one look to the next: a copy in progress is no new state.
- What cannot be used leaves what is in use in its place (:mod:`haidang.console.rules.reading`), and is told:
  in the log and, by :mod:`haidang.console.service.telling`, in the console. It is tried again when it
  changes.
- The detector takes a new matcher up between two batches (``haidang.ingest.detecting.Detector.replace``).
"""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, close_old_connections, connections

from haidang import load_rules
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.rules.models import Loaded
from haidang.console.rules.reading import check, fingerprint
from haidang.console.service import telling
from haidang.console.service.beside import Beside
from haidang.console.service.starting import settle
from haidang.errors import HaidangError
from haidang.intel.place import store_folder
from haidang.intel.store import Store
from haidang.scanning.live import LiveMatcher

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from haidang.console.alerts.intake import AlertSink
    from haidang.console.service.configuration import Configuration
    from haidang.ingest.detecting import Detector
    from haidang.intel.store import Intel
    from haidang.scanning import Ruleset

__all__ = ["Kept", "indicators_folder", "indicators_of"]

_LOG = logging.getLogger(__name__)
_SECONDS = 10.0


class _State(NamedTuple):
    """What the files are like."""

    rules: str
    indicators: str


class Kept(Beside):
    """The rules and indicators in use; a context manager that keeps them up to date."""

    def __init__(self, configuration: Configuration, *, seconds: float = _SECONDS) -> None:
        """Load them.

        Args:
            configuration: Names them.
            seconds: Time between two looks at the files.

        Raises:
            ConfigurationError: They cannot be loaded.
        """
        super().__init__("haidang-rules")
        self._configuration = configuration
        self._seconds = seconds
        self._state = self._seen = self._look()
        self._intel = indicators_of(configuration)
        self.ruleset = self._loaded(self._intel)
        RULEBOOK.know(self.ruleset.infos)  # Who is told by mail reads titles in their language.
        self._detector: Detector | None = None
        self._sink: AlertSink | None = None
        settle_memory()

    def serve(self, detector: Detector, sink: AlertSink) -> Self:
        """Keep a detector and its sink up to date."""
        self._detector, self._sink = detector, sink
        return self

    def _look(self) -> _State:
        folder = indicators_folder(self._configuration)
        return _State(
            fingerprint(self._configuration.rules), Store(folder).state() if folder is not None else ""
        )

    def _loaded(self, intel: Intel | None) -> Ruleset:
        configuration = self._configuration
        ruleset = load_rules(
            *configuration.rules, builtin=True if configuration.builtin else None, intel=intel
        )
        _LOG.info("rules loaded", extra={"rules": len(ruleset), "refused": len(ruleset.refused)})
        return ruleset

    def _keep(self) -> None:
        told = False
        while True:
            try:
                close_old_connections()
                if not told:
                    telling.rules(self.ruleset, self._configuration)
                    telling.indicators(self._intel)
                    told = True
                self.look_again()
            except Error as error:
                _LOG.warning("the database is away: what is loaded is not told", extra={"reason": str(error)})
                told = False
            except Exception:  # noqa: BLE001 -- whatever it is, what is in use stays, and is looked at again
                _LOG.exception("rules and indicators cannot be looked at")
            if self._ending.wait(self._seconds):
                break
        connections.close_all()

    def look_again(self) -> bool:
        """Take up what changed and stands still; return whether something was taken up."""
        before, self._seen = self._seen, self._look()
        if self._seen == self._state or self._seen != before:
            return False
        return self._take_up(self._seen)

    def _take_up(self, state: _State) -> bool:
        """Load what changed, and hand it on where it can be used."""
        changed, self._state = state.rules != self._state.rules, state
        try:
            part = Loaded.Part.INDICATORS
            intel = indicators_of(self._configuration)
            if not changed and _same(intel, self._intel):
                telling.indicators(intel)
                return False
            part = Loaded.Part.RULES
            ruleset = self._loaded(intel)
            check(ruleset, self.ruleset)
        except HaidangError as error:
            _LOG.error("what changed cannot be used; what was loaded before is kept: %s", error.diagnostics())
            telling.failed(part, error.message)
            return False
        self._intel, self.ruleset = intel, ruleset
        RULEBOOK.know(ruleset.infos)
        if self._detector is not None:
            self._detector.replace(lambda: LiveMatcher(ruleset), self._taken_up)
        telling.rules(ruleset, self._configuration)
        telling.indicators(intel)
        return True

    def _taken_up(self, matcher: LiveMatcher) -> None:
        if self._sink is not None:
            self._sink.look_back(matcher.looks_back)
        settle_memory()
        _LOG.info("detection goes on with what changed")


def settle_memory() -> None:
    """Let go of rules that are gone; those in use are millions of objects, none of them garbage."""
    gc.unfreeze()
    gc.collect()
    settle(100_000)


def indicators_folder(configuration: Configuration) -> Path | None:
    """Return the folder of the indicators that are looked for; None for none."""
    folder = store_folder(os.environ) if configuration.intel else None
    return folder if folder is not None and folder.is_dir() else None


def indicators_of(configuration: Configuration) -> Intel | None:
    """Return the indicators that ``haidang intel`` keeps for this user.

    Raises:
        ConfigurationError: A source is damaged, or not the user's own.
    """
    folder = indicators_folder(configuration)
    if folder is None:
        return None
    store = Store(folder)
    return store.compiled() if store.names() else None


def _same(one: Intel | None, other: Intel | None) -> bool:
    """Return whether the same is looked for."""
    if one is None or other is None:
        return one is other
    return one.patterns == other.patterns and one.index.encoded() == other.index.encoded()
