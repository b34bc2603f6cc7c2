"""Which rules are loaded, and how they fare: what fires, and how much of it is false.

Rules are files: those that the detector says it works with, or, where it has said nothing yet or has files
that this machine does not, those of the configuration here. They are loaded when somebody first asks, and
kept; whoever asks later has files that changed read again in the background, by the same rules as detection
has (:mod:`haidang.console.rules.reading`).
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Max, Q, Sum, Value
from django.db.models.functions import Concat
from django.utils import timezone

from haidang.console.alerts.models import Alert
from haidang.console.rules.models import Loaded, RuleState
from haidang.console.rules.reading import check, fingerprint
from haidang.console.service import places
from haidang.errors import HaidangError

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
    "configuration",
    "entries",
    "entry_of",
    "forget",
    "known",
    "loaded",
    "look_again",
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
    detector: Loaded | None = None
    """What the detector says it works with, None where it has said nothing."""

    @property
    def elsewhere(self) -> bool:
        """Whether the detector has files that this machine does not: what is shown may be other rules."""
        return self.detector is not None and _told_paths(self.detector) != self.paths


class _Kept:
    """Rules that are loaded, and what their files were like then."""

    def __init__(self, paths: tuple[Path, ...], builtin: bool | None) -> None:  # noqa: FBT001 -- as configured
        self.paths, self.builtin = paths, builtin
        self.state = fingerprint(paths)
        self.rules = _read(paths, builtin)
        self.next_look = time.monotonic() + _LOOK_SECONDS


_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 10.0
_lock = threading.Lock()
_kept: list[_Kept] = []
"""None or one: rules are many objects."""
_configurations: list[Configuration] = []


def loaded(found: Origin | None = None) -> Rules:
    """Return the rules, loaded where they are not yet.

    Args:
        found: From where, if that is known already.

    Raises:
        ConfigurationError: A path is wrong.
    """
    found = found or origin()
    with _lock:
        if not _kept or (_kept[0].paths, _kept[0].builtin) != (found.paths, found.builtin):
            _kept[:] = [_Kept(found.paths, found.builtin)]
        return _current()


def known() -> Rules | None:
    """Return the rules where they are loaded; nobody waits for that, and the database is not asked."""
    return _current() if _kept else None


def _current() -> Rules:
    kept = _kept[0]
    if time.monotonic() >= kept.next_look:
        kept.next_look = time.monotonic() + _LOOK_SECONDS
        threading.Thread(target=look_again, name="catalogue", daemon=True).start()
    return kept.rules


def _read(paths: tuple[Path, ...], builtin: bool | None) -> Rules:  # noqa: FBT001 -- as configured
    from haidang.scanning import load_rules

    ruleset = load_rules(*paths, builtin=builtin)
    return Rules(ruleset, {info.id or info.title: info for info in ruleset.infos})


def look_again(pause: float = 1.0) -> None:
    """Read files that changed and stand still, and take them where they are no worse than those before."""
    kept = _kept[0]
    state = fingerprint(kept.paths)
    if state == kept.state:
        return
    time.sleep(pause)
    if fingerprint(kept.paths) != state:
        return  # A copy in progress: the next look sees it whole.
    kept.state = state
    try:
        rules = _read(kept.paths, kept.builtin)
        check(rules.ruleset, kept.rules.ruleset)
    except HaidangError as error:
        _LOG.warning("rules that changed cannot be used: %s", error.diagnostics())
    else:
        kept.rules = rules


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


def origin() -> Origin:
    """Return where the rules are loaded from.

    Raises:
        ConfigurationError: The configuration's file is wrong.
    """
    detector = Loaded.objects.filter(part=Loaded.Part.RULES, about__has_key="paths").first()
    if detector is not None:
        paths = _told_paths(detector)
        if all(path.exists() for path in paths):
            return Origin(paths, True if detector.about["builtin"] else None, detector)
    named = configuration()
    paths = tuple(path.absolute() for path in named.rules)
    return Origin(paths, True if named.builtin else None, detector)


def _told_paths(detector: Loaded) -> tuple[Path, ...]:
    return tuple(map(Path, detector.about["paths"]))


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
