"""What an export is to the tests of them, and when all of theirs happened."""

from __future__ import annotations

from typing import Any, TypeAlias

__all__ = ["PORTAL", "TIME", "Export"]

Export: TypeAlias = tuple[str, dict[str, Any], bool, str, str]
"""What it is, its row or object, whether it is a table, the log source of a rule, and what that selects."""
TIME = "2026-05-11T03:14:15Z"
PORTAL = "5/11/2026, 3:14:15.000 AM"
"""The same as a portal of Microsoft writes it."""
