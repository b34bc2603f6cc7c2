"""Which rules are loaded, and how they fare: what fires, and how much of it is false.

Rules are files: those that the detector says it has loaded, or, where it has said nothing yet or has files that
this machine does not, those of the configuration here. They are loaded when somebody first asks, and kept until
the detector loads them anew; a restart takes up changed files.
"""

from __future__ import annotations

import datetime as dt
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Max, Q, Sum, Value
from django.db.models.functions import Concat
from django.utils import timezone

from haidang.console.alerts.models import Alert
from haidang.console.rules.models import DetectorRules, RuleState
from haidang.console.service import places

if TYPE_CHECKING:
    from haidang.console.people.models import User
    from haidang.console.service.configuration import Configuration
    from haidang.scanning import Ruleset
    from haidang.sigma.ir import RuleInfo, RuleWords

__all__ = [
    "NOISE_DAYS",
    "Noise",
    "Origin",
    "RuleEntry",
    "Rules",
    "announce",
    "entries",
    "entry_of",
    "loaded",
    "noise",
    "one_rule",
    "origin",
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


class Origin(NamedTuple):
    """Where rules are loaded from."""

    paths: tuple[Path, ...]
    builtin: bool | None
    """As ``load_rules`` takes it: None where the built-in ones stand in for no others."""
    detector: DetectorRules | None = None
    """What the detector has loaded, None where it has said nothing."""

    @property
    def elsewhere(self) -> bool:
        """Whether the detector has files that this machine does not: what is shown may be other rules."""
        return self.detector is not None and tuple(map(Path, self.detector.paths)) != self.paths


_lock = threading.Lock()
_kept: dict[tuple[tuple[Path, ...], bool | None, dt.datetime | None], Rules] = {}
_configurations: list[Configuration] = []


def loaded(found: Origin | None = None) -> Rules:
    """Return the rules, loaded where they are not yet.

    Args:
        found: From where, if that is known already.

    Raises:
        ConfigurationError: A path is wrong.
    """
    from haidang.scanning import load_rules

    found = found or origin()
    key = (found.paths, found.builtin, found.detector and found.detector.at)
    with _lock:
        if key not in _kept:
            ruleset = load_rules(*found.paths, builtin=found.builtin)
            # Rules are many objects: those of before go.
            _kept.clear()
            _kept[key] = Rules(ruleset, {info.id or info.title: info for info in ruleset.infos})
        return _kept[key]


def one_rule(name: str) -> Ruleset:
    """Return a loaded rule alone, with what it refers to.

    Raises:
        ConfigurationError: A path is wrong.
    """
    from haidang import Selection, load_rules

    found = origin()
    return load_rules(*found.paths, builtin=found.builtin, selection=Selection(include=(name,)))


def use(configuration: Configuration) -> None:
    """Load the rules that a configuration names, in place of those of the file in the data folder."""
    _configurations[:] = [configuration]


def announce(configuration: Configuration) -> None:
    """Let the pages know which rules the detector, which is this process, has loaded."""
    told = {
        "paths": [str(path.absolute()) for path in configuration.rules],
        "builtin": configuration.builtin,
        "host": socket.gethostname()[:255],
    }
    DetectorRules.objects.update_or_create(pk=1, defaults=told)


def origin() -> Origin:
    """Return where the rules are loaded from."""
    detector = DetectorRules.objects.filter(pk=1).first()
    if detector is not None:
        paths = tuple(map(Path, detector.paths))
        if all(path.exists() for path in paths):
            return Origin(paths, True if detector.builtin else None, detector)
    if _configurations:
        configuration = _configurations[0]
    else:
        path = places.configuration()
        if not path.exists():
            return Origin((), None, detector)
        from haidang.console.service.configuration import read_configuration

        configuration = read_configuration(path)
    paths = tuple(path.absolute() for path in configuration.rules)
    return Origin(paths, True if configuration.builtin else None, detector)


def noise(user: User, rule: str = "") -> dict[str, Noise]:
    """Return what each rule (or one) made lately, by the rule's name in alerts."""
    since = timezone.now() - dt.timedelta(days=NOISE_DAYS)
    rows = Alert.objects.visible_by_key(user, enter=False).filter(created__gte=since)
    # Not the rule itself: databases would walk the index of rules, all there ever was, not that of times.
    rows = rows.order_by().annotate(name=Concat("rule", Value("")))
    if rule:
        rows = rows.filter(name=rule)
    closed = Q(state=Alert.State.CLOSED)
    counted = rows.values("name").annotate(
        alerts=Count("*"),
        findings=Sum("count"),
        judged=Count("level", filter=closed & ~Q(disposition="")),
        false=Count("level", filter=closed & Q(disposition=Alert.Disposition.FALSE_POSITIVE)),
        last=Max("last_seen"),
    )
    return {
        row["name"]: Noise(row["alerts"], row["findings"] or 0, row["judged"], row["false"], row["last"])
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
