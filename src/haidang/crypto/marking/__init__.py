"""Labels on documents: TLP 2.0, state secrets and a body's own, carried in what is signed.

labels.py      which labels there are, and how what people write is read
policy.py      which of them this system may hold, and which must be sealed
attribute.py   how a signature carries them: the ESS security label of RFC 2634
"""

from __future__ import annotations

from haidang.crypto.marking.labels import Label, parse_labels
from haidang.crypto.marking.policy import check_labels

__all__ = ["Label", "check_labels", "parse_labels"]
