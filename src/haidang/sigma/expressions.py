"""Whether a rule's regular expression can be run at all: by RE2, else by ``regex``.

pySigma compiles each expression through the policy it is given; this one asks the two engines that the
matcher uses, so that an expression that neither knows is refused when the rule is loaded.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sigma.policy import SigmaPolicy

__all__ = ["ExpressionError", "check_expression", "rule_policy"]


class ExpressionError(Exception):
    """No engine can run an expression; internal to the package."""


@cache
def rule_policy() -> SigmaPolicy:
    """Return the policy that pySigma's objects are made with: no templates, no outside sources."""
    from sigma.policy import SigmaPolicy
    from sigma.policy.regex_engine import RegexEngine

    class EitherEngine(RegexEngine):
        """RE2 where it can, ``regex`` where it must."""

        error = ExpressionError

        def compile(self, pattern: str, flags: int = 0) -> Any:
            return _compiled(pattern, flags)

    return SigmaPolicy(regex_engine=EitherEngine())


def check_expression(pattern: str) -> str:
    """Return why an expression cannot be run, "" for one that can."""
    try:
        _compiled(pattern, 0)
    except ExpressionError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1024)
def _compiled(pattern: str, flags: int) -> Any:
    import re2
    import regex

    options = re2.Options()
    options.log_errors = False
    letters = "".join(
        letter
        for flag, letter in ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
        if int(flags) & flag.value
    )
    prefix = f"(?{letters})" if letters else ""
    try:
        return re2.compile(prefix + pattern, options)
    except re2.error as refused:
        try:
            return regex.compile(prefix + pattern)
        except (regex.error, RecursionError, OverflowError):
            reason = refused.args[0] if refused.args else refused
            raise ExpressionError(reason.decode() if isinstance(reason, bytes) else str(reason)) from None
