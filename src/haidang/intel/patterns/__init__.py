r"""STIX 2.1 patterns: from text to look-ups, conditions and correlations.

    [ipv4-addr:value = '198.51.100.7']                               one look-up
    [file:name = 'a.exe' AND process:command_line LIKE '%-enc%']     a condition on one event
    ([domain-name:value = 'a.example'] FOLLOWEDBY [file:name = 'b.dll']) WITHIN 300 SECONDS
                                                                     conditions, joined by a correlation

    >>> compile_pattern("[ipv4-addr:value = '198.51.100.7']").lookups
    [('ip', '198.51.100.7')]

``tokens`` cuts the text, ``reading`` makes a tree of it, ``compiling`` says what the tree asks of logs, with
the object paths of ``paths``. Section numbers are those of the STIX 2.1 specification, part 9.

A pattern is read as its grammar says, and refused otherwise. What the grammar allows and no log can answer
is refused with the reason (``refusals``): an alternative alone (``OR``, ``left_out``), anything else with the
whole pattern, for to leave it out would change what that means. Patterns are not trusted: length and depth
are bounded, and reading is linear.
"""

from haidang.intel.patterns.compiling import compile_pattern
from haidang.intel.patterns.model import Compiled, PatternError, Sequence_
from haidang.intel.patterns.paths import PATHS
from haidang.intel.patterns.reading import read_pattern
from haidang.intel.patterns.refusals import REFUSALS

__all__ = ["PATHS", "REFUSALS", "Compiled", "PatternError", "Sequence_", "compile_pattern", "read_pattern"]
