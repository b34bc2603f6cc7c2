"""Hải Đăng: the security watch of a public body, from the log line to the review.

    import haidang

    rules = haidang.load_rules("sigma/")
    for finding in haidang.scan("logs/", rules=rules):
        print(finding.time, finding.rule.title)

What is named in ``__all__`` is the public interface. Importing the package brings none of it in: each
name is loaded when it is first used, so that ``import haidang`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang._version import __version__

if TYPE_CHECKING:
    from haidang.errors import HaidangError
    from haidang.findings.model import Finding, ScanSummary
    from haidang.limits import Limits
    from haidang.scanning import Ruleset, load_rules, scan
    from haidang.scanning._ruleset import Selection

__all__ = [
    "Finding",
    "HaidangError",
    "Limits",
    "Ruleset",
    "ScanSummary",
    "Selection",
    "__version__",
    "load_rules",
    "scan",
]

_PLACES = {
    "Finding": "haidang.findings.model",
    "HaidangError": "haidang.errors",
    "Limits": "haidang.limits",
    "Ruleset": "haidang.scanning",
    "ScanSummary": "haidang.findings.model",
    "Selection": "haidang.scanning._ruleset",
    "load_rules": "haidang.scanning",
    "scan": "haidang.scanning",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    place = _PLACES.get(name)
    if place is None:
        message = f"module 'haidang' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value: object = getattr(import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
