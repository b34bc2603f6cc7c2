"""Who and what the story is about: the office of the fictional province Hải Vân on one working day.

Every name is invented. Addresses come from RFC 1918 (inside) and RFC 5737 (outside), domains end in the
reserved ``.example``. Times in the code are minutes after 08:00 local time (UTC+7) of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

__all__ = [
    "CLERK",
    "CONTROLLER",
    "CONTROL_ADDRESS",
    "CONTROL_NAME",
    "DAY",
    "DOMAIN_SID",
    "DROP_ADDRESS",
    "DROP_NAME",
    "NAME_SERVER",
    "PEOPLE",
    "RULES_REMOVED",
    "SERVICE_ACCOUNT",
    "WEB_SERVER",
    "WORKSTATION",
    "Chance",
    "Host",
    "Person",
    "at",
]

T = TypeVar("T")

DAY = datetime(2026, 11, 12, 1, 0, tzinfo=UTC)
"""08:00 in Hải Vân on Thursday 12 November 2026."""

RULES_REMOVED = 171.4
"""The minute at which the intruder removes the audit rules: no program is recorded after it."""

DOMAIN_SID = "S-1-5-21-2846109237-1170548362-3390415578"
CONTROL_ADDRESS = "203.0.113.66"
CONTROL_NAME = "cdn.vanban-dientu.example"
DROP_ADDRESS = "198.51.100.23"
DROP_NAME = "luutru.vanban-dientu.example"


def at(minutes: float) -> datetime:
    """Return the moment that many minutes after 08:00 local time, to the millisecond."""
    return DAY + timedelta(milliseconds=round(minutes * 60_000))


class Chance:
    """A seeded source of choices, built on ``random()`` alone: Python promises that it never changes."""

    def __init__(self, seed: int) -> None:
        """Start from ``seed``."""
        self._random = Random(seed).random

    def between(self, low: float, high: float) -> float:
        """Return a number from ``low`` up to ``high``."""
        return low + (high - low) * self._random()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return low + int(self._random() * (high - low + 1))

    def one_of(self, items: list[T] | tuple[T, ...]) -> T:
        """Return one of ``items``."""
        return items[int(self._random() * len(items))]

    def hex(self, digits: int) -> str:
        """Return that many hexadecimal digits."""
        return "".join("0123456789abcdef"[int(self._random() * 16)] for _ in range(digits))

    def letters(self, count: int, alphabet: str = "abcdefghijklmnopqrstuvwxyz234567") -> str:
        """Return ``count`` letters out of ``alphabet``."""
        return "".join(alphabet[int(self._random() * len(alphabet))] for _ in range(count))


@dataclass(frozen=True, slots=True)
class Host:
    """One computer."""

    name: str
    address: str

    @property
    def full_name(self) -> str:
        """The name with the domain."""
        return f"{self.name}.haivan.example"


@dataclass(frozen=True, slots=True)
class Person:
    """One account of the domain."""

    name: str
    account: str
    number: int
    """Relative id, the last part of the SID."""
    address: str
    """Address of the computer that this person works at."""

    @property
    def sid(self) -> str:
        """The account's SID."""
        return f"{DOMAIN_SID}-{self.number}"

    @property
    def user(self) -> str:
        """The account as Windows writes it."""
        return f"HAIVAN\\{self.account}"


WORKSTATION = Host("VP-PC-017", "10.84.12.37")
CONTROLLER = Host("HV-DC01", "10.84.10.5")
WEB_SERVER = Host("HV-WEB01", "10.84.20.8")
NAME_SERVER = CONTROLLER.address

CLERK = Person("Trần Thị Mai", "mai.tt", 1147, WORKSTATION.address)
SERVICE_ACCOUNT = Person("Dịch vụ sao lưu", "svc_saoluu", 1109, "10.84.10.9")
PEOPLE = (
    CLERK,
    Person("Nguyễn Văn Bình", "binh.nv", 1121, "10.84.12.21"),
    Person("Lê Thị Cúc", "cuc.lt", 1122, "10.84.12.22"),
    Person("Phạm Quốc Dũng", "dung.pq", 1125, "10.84.12.24"),
    Person("Hoàng Minh Đức", "duc.hm", 1128, "10.84.12.25"),
    Person("Vũ Thu Giang", "giang.vt", 1130, "10.84.12.28"),
    Person("Đặng Hồng Hạnh", "hanh.dh", 1133, "10.84.12.30"),
    Person("Bùi Đức Khánh", "khanh.bd", 1136, "10.84.12.31"),
    Person("Đỗ Thùy Linh", "linh.dt", 1139, "10.84.12.34"),
    Person("Ngô Hải Nam", "nam.nh", 1142, "10.84.12.35"),
    Person("Trịnh Kim Oanh", "oanh.tk", 1151, "10.84.12.41"),
    Person("Phan Văn Phúc", "phuc.pv", 1154, "10.84.12.42"),
    Person("Cao Ngọc Quyên", "quyen.cn", 1158, "10.84.12.44"),
    Person("Lý Thanh Sơn", "son.lt", 1160, "10.84.12.47"),
)
