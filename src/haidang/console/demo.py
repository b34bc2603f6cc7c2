"""A province that does not exist, for trying the console out: units, assets, sources, people, and alerts.

The alerts of the story are findings of the built-in rules in ``samples/logs``, moved to the morning that has
just passed. Those around it repeat the same findings on other hosts in the days before, most of them long
closed: it is made data and says so in its names (``.example``).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.db import transaction

from haidang.console.alerts.models import (
    Alert,
    Channel,
    Example,
    Level,
    Note,
    Outgoing,
    Risk,
    SavedView,
    Silence,
)
from haidang.console.people.models import User
from haidang.console.people.roles import Role
from haidang.console.sources.models import Source
from haidang.console.units.models import Asset, AssetName, Contact, Criticality, Unit
from haidang.findings.words import techniques

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from haidang.findings.model import Finding

__all__ = ["Demo", "find_story", "make_demo"]

_LEVELS = {
    name.lower(): value for value, name in ((v, n) for v, n in zip(Level.values, Level.names, strict=True))
}

_UNITS = (
    ("HV", "", "Tỉnh Hải Vân"),
    ("HV-VP", "HV", "Văn phòng UBND tỉnh"),
    ("HV-YT", "HV", "Sở Y tế"),
    ("HV-BV", "HV-YT", "Bệnh viện Đa khoa tỉnh"),
    ("HV-GD", "HV", "Sở Giáo dục và Đào tạo"),
    ("HV-TC", "HV", "Sở Tài chính"),
    ("HV-TTDL", "HV", "Trung tâm Dữ liệu tỉnh"),
)
_ASSETS = (
    ("HV-VP", "VP-PC-017", "Máy trạm văn thư", Criticality.MEDIUM),
    ("HV-TTDL", "HV-DC01", "Máy chủ quản lý miền", Criticality.CRITICAL),
    ("HV-TTDL", "hv-web01", "Máy chủ web và thư", Criticality.HIGH),
    ("HV-BV", "BV-HIS01", "Hệ thống thông tin bệnh viện", Criticality.CRITICAL),
    ("HV-BV", "BV-PC-102", "Máy trạm khoa Khám bệnh", Criticality.LOW),
    ("HV-YT", "YT-PC-008", "Máy trạm Sở Y tế", Criticality.LOW),
    ("HV-GD", "GD-PC-031", "Máy trạm Sở Giáo dục", Criticality.LOW),
    ("HV-GD", "GD-FS01", "Máy chủ tệp Sở Giáo dục", Criticality.MEDIUM),
    ("HV-TC", "TC-PC-005", "Máy trạm kế toán", Criticality.HIGH),
    ("HV-TC", "TC-APP01", "Máy chủ ngân sách", Criticality.CRITICAL),
)
_SOURCES = (
    ("HV-VP", "winlogbeat-vanphong", 1),
    ("HV-TTDL", "winlogbeat-dc", 1),
    ("HV-TTDL", "syslog-web01", 2),
    ("HV-TTDL", "zeek-cong-mang", 1),
    ("HV-BV", "winlogbeat-benhvien", 190),
    ("HV-GD", "winlogbeat-giaoduc", 3),
    ("HV-TC", "winlogbeat-taichinh", 26 * 60),
)
"""Unit, name, and minutes since it was last seen: two are quiet."""
_PEOPLE = (
    ("quantri", "Phạm Thị Hạnh", Role.ADMINISTRATOR, ""),
    ("truongca", "Lê Văn Đức", Role.LEAD, ""),
    ("an", "Nguyễn Thu An", Role.ANALYST, ""),
    ("khoa", "Trần Đăng Khoa", Role.ANALYST, ""),
    ("binh", "Đỗ Thanh Bình", Role.LIAISON, "HV-BV"),
    ("kiemtoan", "Vũ Minh Châu", Role.AUDITOR, ""),
    ("lanhdao", "Hoàng Gia Lâm", Role.READER, ""),
)
_NOTES = (
    "Đã gọi đơn vị: là việc bảo trì theo kế hoạch.",
    "Người dùng xác nhận tự chạy. Đã nhắc nhở.",
    "Đã cách ly máy và báo lãnh đạo.",
)


class Demo(NamedTuple):
    """What was made."""

    units: int
    people: list[str]
    alerts: int


def find_story(logs: Path) -> list[Finding]:
    """Return the findings of the built-in rules in the sample logs."""
    from haidang.scanning import load_rules, scan

    return list(scan(logs, rules=load_rules()))


@transaction.atomic
def make_demo(
    story: Iterable[Finding], password: str, *, now: datetime | None = None, others: int = 360, seed: int = 7
) -> Demo:
    """Fill an empty database.

    Args:
        story: Findings, as :func:`find_story` returns them; they end a few minutes before ``now``.
        password: What everybody signs in with.
        now: When it is; by default the moment of the call.
        others: Alerts of the seven days before.
        seed: Of what is left to chance.
    """
    now = now or datetime.now(UTC)
    chance = random.Random(seed)  # noqa: S311 -- made data wants a seed, not secrecy  # nosec B311
    place = _Place(now)
    people = _people(place.units, password)
    findings = sorted(story, key=lambda finding: finding.time or "")
    last = max((_time(finding.time) for finding in findings if finding.time), default=now)
    shift = now - timedelta(minutes=4) - last
    maker = _Maker(place, people, chance)
    for number in range(others):
        finding = chance.choice(findings)
        maker.earlier(finding, chance.choice(place.assets), now, number)
    for finding in findings:
        maker.of_story(finding, shift)
    _silences(findings, people, now)
    _channels(place.units, now)
    SavedView.objects.create(
        owner=people["an"], name="Nghiêm trọng, chưa ai nhận", query="level=3&level=4&owner=none", shared=True
    )
    return Demo(len(place.units), [user.username for user in people.values()], Alert.objects.count())


def _channels(units: dict[str, Unit], now: datetime) -> None:
    """Make channels that reach nobody: mail is written to a folder, and the webhook is out of use."""
    night = {"quiet_from": time(22), "quiet_until": time(6)}
    Channel.objects.create(
        name="Trực an toàn thông tin", kind="email", last_sent=now - timedelta(minutes=50), **night,
        target="truc.attt@haivan.example, lanhdao.ttdl@haivan.example", digest_minutes=30,
    )  # fmt: skip
    Channel.objects.create(
        name="Đầu mối bệnh viện", kind="email", target="cntt@benhvien.haivan.example", unit=units["HV-BV"]
    )
    siem = Channel.objects.create(
        name="SIEM quốc gia", kind="webhook", target="https://siem.example/haivan/nhan", min_level=2,
        enabled=False, failing_since=now - timedelta(hours=30), problem="answered|503",
    )  # fmt: skip
    Outgoing.objects.bulk_create(
        Outgoing(
            channel=siem, alert=alert, state=Outgoing.State.DEAD, attempts=8, problem="answered|503",
            due=now - timedelta(hours=12), created=now - timedelta(hours=30),
        )
        for alert in Alert.objects.filter(level=Level.CRITICAL).order_by("-last_seen")[:5]
    )  # fmt: skip


class _Place:
    """Units, assets and sources."""

    def __init__(self, now: datetime) -> None:
        self.units: dict[str, Unit] = {}
        for code, parent, name in _UNITS:
            self.units[code] = Unit.objects.create(code=code, name=name, parent=self.units.get(parent))
        self.assets: list[Asset] = []
        self.by_name: dict[str, Asset] = {}
        for code, name, said, criticality in _ASSETS:
            asset = Asset.objects.create(
                unit=self.units[code],
                name=f"{name} ({said})",
                criticality=criticality,
                owner=self.units[code].name,
            )
            AssetName.objects.create(asset=asset, kind=AssetName.Kind.HOST, value=name.lower())
            self.assets.append(asset)
            self.by_name[name.lower()] = asset
        self.sources: dict[str, Source] = {}
        for code, name, minutes in _SOURCES:
            source = Source(unit=self.units[code], name=name, last_seen=now - timedelta(minutes=minutes))
            source.save()
            self.sources.setdefault(code, source)
        Contact.objects.create(
            unit=self.units["HV-BV"], name="Đỗ Thanh Bình", role="Tổ trưởng CNTT", on_call=True,
            email="binh@benhvien.example", phone="0236 000 0102",
        )  # fmt: skip

    def asset_of(self, host: str) -> Asset | None:
        """Return the asset of a host, by the first part of its name."""
        return self.by_name.get(host.split(".", maxsplit=1)[0].lower())


class _Maker:
    """Makes alerts of findings."""

    def __init__(self, place: _Place, people: dict[str, User], chance: random.Random) -> None:
        self._place, self._people, self._chance = place, people, chance

    def of_story(self, finding: Finding, shift: timedelta) -> None:
        """Make an open alert of a finding of the story."""
        at = (_time(finding.time) if finding.time else datetime.now(UTC)) + shift
        asset = self._place.asset_of(finding.host)
        unit = asset.unit if asset else self._place.units["HV-TTDL"]
        self._save(
            finding,
            (finding.host or "zeek").lower(),
            unit,
            asset,
            at,
            count=1 + (finding.count > 1) * finding.count,
        )

    def earlier(self, finding: Finding, asset: Asset, now: datetime, number: int) -> None:
        """Make an alert of the days before, closed more often than not."""
        hours = self._chance.uniform(3, 7 * 24)
        at = now - timedelta(hours=hours)
        host = asset.names.all()[0].value
        alert = self._save(
            finding, host, asset.unit, asset, at,
            count=self._chance.choice((1, 1, 1, 2, 3, 8, 21)), key=f"{number:06x}",
        )  # fmt: skip
        analyst = self._people[self._chance.choice(("an", "khoa"))]
        if hours > 20 or self._chance.random() < 0.7:
            self._close(alert, analyst)
        elif self._chance.random() < 0.5:
            alert.state, alert.owner = Alert.State.ACKNOWLEDGED, analyst
            alert.acknowledged_at = at + timedelta(minutes=self._chance.uniform(2, 50))
            alert.save()

    def _close(self, alert: Alert, analyst: User) -> None:
        alert.acknowledged_at = alert.created + timedelta(minutes=self._chance.uniform(2, 60))
        alert.closed_at = alert.acknowledged_at + timedelta(minutes=self._chance.uniform(10, 300))
        alert.state, alert.owner = Alert.State.CLOSED, analyst
        alert.disposition = self._chance.choice(Alert.Disposition.values)
        alert.save()
        if self._chance.random() < 0.3:
            Note.objects.create(alert=alert, by=analyst, text=self._chance.choice(_NOTES))

    def _save(
        self,
        finding: Finding,
        entity: str,
        unit: Unit,
        asset: Asset | None,
        at: datetime,
        *,
        count: int,
        key: str = "",
    ) -> Alert:
        said: dict[str, Any] = msgspec.to_builtins(finding)
        if key:
            said = _elsewhere(said, finding.host, entity)
        _, _, inside = said["source"]["path"].rpartition("samples/logs/")
        said["source"]["path"] = inside
        said["rule"]["path"] = said["rule"]["path"].rpartition("/builtin/")[2]
        said["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rule, tags = finding.rule, list(finding.rule.tags)
        values = " ".join(str(match["value"])[:300] for match in said["matched"])
        level = _LEVELS.get(rule.level, Level.MEDIUM)
        alert: Alert = Alert.objects.create(
            rule=rule.id or rule.title, title=rule.title, level=level, tags=tags,
            techniques=list(techniques(tags)), entity=entity, unit=unit, asset=asset,
            source=self._place.sources.get(unit.code), count=count, created=at, last_seen=at,
            first_seen=at - timedelta(minutes=2 * (count - 1)), risk=10 * (level + 1),
            search=f"{rule.title} {entity} {values}".lower(),
        )  # fmt: skip
        Example.objects.create(alert=alert, finding_id=(key + finding.id)[:32], at=at, finding=said)
        risk, _ = Risk.objects.get_or_create(entity=entity, defaults={"unit": unit, "updated": at})
        risk.score, risk.updated = risk.score * 0.9 + 5 * (level + 1), at
        risk.save()
        return alert


def _elsewhere(said: dict[str, Any], host: str, other: str) -> dict[str, Any]:
    """Return a finding with another host's name in it."""
    if not host:
        return said
    text = msgspec.json.encode(said).decode().replace(msgspec.json.encode(host).decode()[1:-1], other)
    made: dict[str, Any] = msgspec.json.decode(text)
    return made


def _people(units: dict[str, Unit], password: str) -> dict[str, User]:
    made = {}
    for name, said, role, unit in _PEOPLE:
        first, _, last = said.rpartition(" ")
        # Vietnamese names are said family name first; Django joins first and last name.
        made[name] = User.objects.create_user(
            name,
            f"{name}@haivan.example",
            password,
            role=role,
            unit=units.get(unit),
            first_name=first,
            last_name=last,
        )
    return made


def _silences(findings: list[Finding], people: dict[str, User], now: datetime) -> None:
    if not findings:
        return
    silence = Silence.objects.create(
        rule=findings[0].rule.id, entity="bv-pc-102", by=people["truongca"], until=now + timedelta(days=5),
        reason="Phần mềm kiểm kê của bệnh viện, đã xác minh với nhà cung cấp.",
    )  # fmt: skip
    Silence.objects.filter(pk=silence.pk).update(hits=42, last_hit=now - timedelta(hours=2))


def _time(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")
