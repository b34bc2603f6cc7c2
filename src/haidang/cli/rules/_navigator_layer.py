"""A layer of the ATT&CK Navigator: the techniques that rules cover, scored by how many rules do.

The form is that of layer format 4.5. Techniques come from the rules' tags (``attack.t1059.001``); tags of
tactics, groups and software say nothing of a technique and are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haidang.scanning.coverage import Coverage
    from haidang.workshop.sighting import Sighting

__all__ = ["layer"]

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_VERSIONS = {"attack": "19", "navigator": "5.1.0", "layer": "4.5"}
"""Rules are tagged with what version 19 made of defence evasion (T1685 and on): an older matrix lacks it."""
_COLOURS = ["#d7e8f7", "#5a9bd4", "#1f4e79"]


def layer(found: Coverage, seen: Sighting | None = None) -> dict[str, Any]:
    """Return the layer; with what was ``seen`` in logs, a technique says how many of its rules had events."""
    rules: Counter[str] = Counter()
    routed: Counter[str] = Counter()
    fed: Counter[str] = Counter()
    for one in found.rules:
        techniques = {match[1].upper() for tag in one.info.tags if (match := _TECHNIQUE.fullmatch(tag))}
        rules.update(techniques)
        if one.routes:
            routed.update(techniques)
            if seen is not None and seen.seen[one.logsource]:
                fed.update(techniques)

    def comment(technique: str) -> str:
        can = f"{routed[technique]} of {rules[technique]} rules can fire"
        return can if seen is None else f"{can}; the logs have events for {fed[technique]}"

    return {
        "name": "Hai Dang: rules by technique",
        "versions": _VERSIONS,
        "domain": "enterprise-attack",
        "description": f"{len(found.rules)} rules; {len(found.routed)} can fire on the logs that are read",
        "sorting": 3,
        "hideDisabled": False,
        "techniques": [
            {
                "techniqueID": technique,
                "score": rules[technique],
                "comment": comment(technique),
                "enabled": True,
                "showSubtechniques": "." in technique,
            }
            for technique in sorted(rules)
        ],
        "gradient": {"colors": _COLOURS, "minValue": 0, "maxValue": max(rules.values(), default=1)},
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }
