"""From what the user named to findings: the one place where reading, rules and matching meet.

    from haidang.scanning import ScanOptions, run

    summary = run(ScanOptions(paths=("logs/",), builtin=True), print)

``run`` drives a whole scan for the command line; ``Ruleset``, ``load_rules`` and ``scan`` are the Python
API that ``haidang`` exports.
"""

from __future__ import annotations

from haidang.scanning._options import ScanOptions
from haidang.scanning._ruleset import Ruleset, load_rules
from haidang.scanning._runs import run, scan

__all__ = ["Ruleset", "ScanOptions", "load_rules", "run", "scan"]
