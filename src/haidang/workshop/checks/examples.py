"""Examples: a rule that nobody has seen fire is a guess."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, NOTE, Check, Issue
from haidang.workshop.examples import read_examples, test_file
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Pack

__all__ = ["CHECKS", "run"]

NO_TEST = Check("no-test", NOTE, N_("no example shows the rule fire"))
BROKEN = Check("test-broken", ERROR, N_("the file of examples cannot be understood"))
CHECKS = (NO_TEST, BROKEN)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each rule without example, and for each fault in a file of examples."""
    tested: dict[str, set[str]] = {}
    for path in dict.fromkeys(subject.written.info.path for subject in pack.subjects):
        beside = None if "!" in path else test_file(Path(path))
        if beside is None:
            continue
        found, faults = read_examples(beside, pack.limits)
        tested[path] = {examples.rule.lower() for examples in found}
        for fault in faults:
            message = Message("{reason}", {"reason": fault.reason})
            yield Issue(BROKEN.code, BROKEN.severity, message, fault.path, fault.line)
    for subject in pack.subjects:
        info = subject.written.info
        names = {"", info.id.lower(), info.name.lower(), info.title.lower()}
        is_filter = "filter" in subject.written.document
        if not is_filter and info.id not in pack.regression and not names & tested.get(info.path, set()):
            yield subject.issue(NO_TEST)
