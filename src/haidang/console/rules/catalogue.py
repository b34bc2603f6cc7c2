"""Which rules are loaded, and how they fare: what fires, and how much of it is false.

Rules are files, those of the service's configuration. They are loaded when somebody first asks, and kept;
whoever asks later has files that changed read again in the background, by the same rules as detection has
(:mod:`haidang.console.rules.reading`).
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from haidang.console.alerts.models import Alert
from haidang.console.rules.models import RuleState
from haidang.console.rules.reading import check, fingerprint
from haidang.console.service import places
from haidang.errors import HaidangError

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.console.people.models import User
    from haidang.console.service.configuration import Configuration
    from haidang.scanning import Ruleset
    from haidang.sigma.ir import RuleInfo, RuleWords

__all__ = [
    "NOISE_DAYS",
    "Noise",
    "RuleEntry",
    "Rules",
    "configuration",
    "entries",
    "entry_of",
    "forget",
    "known",
    "loaded",
    "look_again",
    "noise",
    "one_rule",
    "use",
    "words_of",
]

NOISE_DAYS = 30


class Rules(NamedTuple):
    """The loaded rules."""

    ruleset: Ruleset
    by_name: dict[str, RuleInfo]
    """By what alerts call them: the id, or the title where there is none."""


class Noise(NamedTuple):
    """What a rule made in the last :data:`NOISE_DAYS` days, of what a person may see."""

    alerts: int = 0
    findings: int = 0
    judged: int = 0
    """Alerts that were closed with a disposition."""
    false: int = 0
    """Of them, false positives."""
    last_seen: dt.datetime | None = None

    @property
    def false_ratio(self) -> float | None:
        """False positives among what was judged; None where nothing was."""
        return self.false / self.judged if self.judged else None

    @property
    def false_percent(self) -> int:
        """The same in whole percent, 0 where nothing was judged."""
        return round(100 * (self.false_ratio or 0))


class RuleEntry(NamedTuple):
    """A rule with its state and its noise."""

    name: str
    info: RuleInfo
    state: RuleState | None
    noise: Noise

    @property
    def enabled(self) -> bool:
        """Whether it is on."""
        return self.state is None or self.state.enabled


_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 10.0
_lock = threading.Lock()
_kept: dict[tuple[tuple[Path, ...], bool | None], Rules] = {}
_states: dict[tuple[tuple[Path, ...], bool | None], str] = {}
"""What the files were like when they were read."""
_looks = {"next": 0.0}
_configurations: list[Configuration] = []


def loaded() -> Rules:
    """Return the rules, loaded where they are not yet.

    Raises:
        ConfigurationError: A path is wrong.
    """
    named = _named()
    with _lock:
        if named not in _kept:
            _states[named] = fingerprint(named[0])
            _kept[named] = _read(*named)
            _looks["next"] = time.monotonic() + _LOOK_SECONDS
        elif time.monotonic() >= _looks["next"]:
            _looks["next"] = time.monotonic() + _LOOK_SECONDS
            threading.Thread(target=look_again, name="catalogue", daemon=True).start()
        return _kept[named]


def known() -> Rules | None:
    """Return the rules where they are loaded; nobody waits for that."""
    return loaded() if _kept else None


def _read(paths: tuple[Path, ...], builtin: bool | None) -> Rules:  # noqa: FBT001 -- as configured
    from haidang.scanning import load_rules

    ruleset = load_rules(*paths, builtin=builtin)
    return Rules(ruleset, {info.id or info.title: info for info in ruleset.infos})


def look_again(pause: float = 1.0) -> None:
    """Read files that changed and stand still, and take them where they are no worse than those before."""
    named = _named()
    state = fingerprint(named[0])
    if state == _states.get(named):
        return
    time.sleep(pause)
    if fingerprint(named[0]) != state:
        return  # A copy in progress: the next look sees it whole.
    _states[named] = state
    try:
        rules = _read(*named)
        check(rules.ruleset, _kept[named].ruleset)
    except HaidangError as error:
        _LOG.warning("rules that changed cannot be used: %s", error.diagnostics())
    else:
        _kept[named] = rules


def one_rule(name: str) -> Ruleset:
    """Return a loaded rule alone, with what it refers to.

    Raises:
        ConfigurationError: A path is wrong.
    """
    from haidang import Selection, load_rules

    paths, builtin = _named()
    return load_rules(*paths, builtin=builtin, selection=Selection(include=(name,)))


def use(configuration: Configuration) -> None:
    """Load the rules that a configuration names, in place of those of the file in the data folder."""
    _configurations[:] = [configuration]


def forget() -> None:
    """Use the file in the data folder again."""
    _configurations.clear()


def configuration() -> Configuration:
    """Return the service's configuration.

    Raises:
        ConfigurationError: Its file is wrong.
    """
    from haidang.console.service.configuration import Configuration, read_configuration

    if _configurations:
        return _configurations[0]
    path = places.configuration()
    return read_configuration(path) if path.exists() else Configuration()


def _named() -> tuple[tuple[Path, ...], bool | None]:
    named = configuration()
    return named.rules, True if named.builtin else None


def noise(user: User, rule: str = "") -> dict[str, Noise]:
    """Return what each rule (or one) made lately, by the rule's name in alerts."""
    rows = Alert.objects.visible_to(user).filter(created__gte=timezone.now() - dt.timedelta(days=NOISE_DAYS))
    if rule:
        rows = rows.filter(rule=rule)
    counted = (
        rows.order_by()
        .values("rule")
        .annotate(
            alerts=Count("id"),
            findings=Sum("count"),
            judged=Count("id", filter=Q(state=Alert.State.CLOSED) & ~Q(disposition="")),
            false=Count(
                "id",
                filter=Q(state=Alert.State.CLOSED, disposition=Alert.Disposition.FALSE_POSITIVE),
            ),
            last=Max("last_seen"),
        )
    )
    return {
        row["rule"]: Noise(row["alerts"], row["findings"] or 0, row["judged"], row["false"], row["last"])
        for row in counted
    }


def entry_of(user: User, name: str) -> RuleEntry | None:
    """Return one rule; None where it is not loaded."""
    info = loaded().by_name.get(name)
    if info is None:
        return None
    state = RuleState.objects.filter(rule=name).select_related("by").first()
    return RuleEntry(name, info, state, noise(user, name).get(name, Noise()))


def entries(user: User) -> list[RuleEntry]:
    """Return every rule, those that make most alerts first, then by title."""
    made = noise(user)
    states = {state.rule: state for state in RuleState.objects.select_related("by")}
    found = [
        RuleEntry(name, info, states.get(name), made.get(name, Noise()))
        for name, info in loaded().by_name.items()
    ]
    return sorted(found, key=lambda entry: (-entry.noise.alerts, entry.info.title.lower(), entry.name))


def words_of(info: RuleInfo, language: str) -> RuleWords | None:
    """Return what a rule says in a language, where it says something."""
    base = language.partition("-")[0]
    return next((words for words in info.words if words.lang == base), None)
