"""What sshd writes of those who try to come in: ``Failed password for root from 192.0.2.7 port 4022 ssh2``.

Fields, where the message says so:

    outcome      accepted, failed
    method       password, publickey, keyboard-interactive/pam …
    user         as written; ``invalid_user`` is "yes" where the host does not know it
    client_ip    who connected

The name of a user is chosen by whoever connects and may look like the rest of the message, so that the last
address counts, which sshd wrote. A line of rsyslog that stands for several (``message repeated 3 times``) is
read as one of them. Input is untrusted; each pattern runs in linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["SSHD", "add_sshd"]

SSHD = frozenset({"sshd", "sshd-session", "sshd-auth"})
"""Names of the program; version 9.8 parted it into several."""
_LONGEST = 1024
_REPEATED = expression(r"message repeated \d{1,9} times: \[ ?(.*)\]\Z", re.DOTALL)
_ADDRESS = r"([0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f.:]{1,44})"
_LOGON = expression(
    r"(Accepted|Failed) ([a-z/-]{1,64}) for (?:(invalid|illegal) user )?(.{0,256}) from " + _ADDRESS + " "
    r"port \d{1,5}(?: ssh\d?)?(?:: .{0,512})?\Z"
)
_OTHER = expression(
    r"(?:(?:Connection (?:closed|reset) by|Disconnected from) (?:authenticating|(invalid)) user (.{0,256}) "
    r"|(I)nvalid user (.{0,256}) from )" + _ADDRESS + r"(?: port \d{1,5})?(?: \[preauth\])?\Z"
)


def add_sshd(fields: Fields) -> None:
    """Add to the fields of a line of sshd who tried to come in, from where, and with what outcome."""
    message = fields.get("message")
    if not isinstance(message, str) or len(message) > _LONGEST:
        return
    repeated = _REPEATED.match(message)
    if repeated is not None:
        message = repeated[1]
    logon = _LOGON.match(message)
    if logon is not None:
        fields["outcome"] = logon[1].lower()
        fields["method"] = logon[2]
        invalid, fields["user"], fields["client_ip"] = logon[3], logon[4], logon[5]
    else:
        other = _OTHER.match(message)
        if other is None:
            return
        invalid = other[1] or other[3]
        fields["user"], fields["client_ip"] = other[2] or other[4] or "", other[5]
    if invalid:
        fields["invalid_user"] = "yes"
