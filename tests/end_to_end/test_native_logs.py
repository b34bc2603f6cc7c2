"""SigmaHQ's rules fire on native logs: an event that a rule describes is written as a product writes it.

The event has the first value of each item of each selection. Rules on regular expressions, on alternatives
that this does not combine, and with filters that the made event falls under do not fire on it; how many do is
counted, so that a field that loses its way from a log to the rules is noticed.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest
import yaml

import haidang
from haidang.findings.model import ScanSummary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Made = dict[str, str]
"""Fields of an event by the names of a rule; "" holds its keywords."""
STARS = "*" * 22


def make(detection: dict[str, Any]) -> Made:
    """Return the fields of an event that a rule describes."""
    parts: dict[str, list[str]] = {}
    for name, selection in detection.items():
        if name in {"condition", "timeframe"} or name.startswith("filter"):
            continue
        first = selection[0] if isinstance(selection, list) and selection else selection
        for key, value in (first if isinstance(first, dict) else {"": first}).items():
            field, *modifiers = key.split("|")
            if value is None or modifiers[:1] == ["re"]:
                continue
            values = value if isinstance(value, list) else [value]
            if field and "all" not in modifiers:
                values = values[:1]
            place = 0 if "startswith" in modifiers else 2 if "endswith" in modifiers else 1
            part = parts.setdefault(field, ["", "", ""])
            text = ("&" if not field else "").join(plain(one) for one in values)
            part[place] = part[place] + text if "contains" in modifiers or not field else text
    return {field: "".join(part) for field, part in parts.items()}


def plain(value: Any) -> str:
    """Return a text that a pattern without alternatives fits."""
    text = str(value).replace("\\\\", "\\")
    return (
        text.replace("\\*", "*").replace("\\?", "?")
        if "\\*" in text or "\\?" in text
        else text.replace("*", "x")
    )


def w3c(made: list[Made], columns: str) -> tuple[str, list[int]]:
    """Return requests, as IIS or a proxy writes them, and the line of each."""
    lines = [
        "#Software: Microsoft Internet Information Services 10.0",
        "#Version: 1.0",
        f"#Fields: {columns}",
    ]
    for one in made:
        uri = one.get("cs-uri-query") or one.get("c-uri") or one.get("cs-uri") or ""
        stem = one.get("cs-uri-stem", "")
        if not stem and uri.startswith("/"):
            stem, _, uri = uri.partition("?")
        values = {
            **one,
            "c-ip": "192.0.2.1",
            "cs-method": one.get("cs-method", "GET"),
            "cs-uri-stem": stem or "/a",
            "cs-uri-query": f"{uri}&{one['']}" if "" in one else uri,
            "cs(User-Agent)": one.get("cs-user-agent") or one.get("c-useragent", ""),
            "cs(Referer)": one.get("cs-referer", ""),
            "sc-status": one.get("sc-status", "200"),
        }
        lines.append(" ".join("+".join(values.get(name, "").split()) or "-" for name in columns.split()))
    return "\n".join(lines), list(range(4, 4 + len(made)))


def web(made: list[Made]) -> tuple[str, list[int]]:
    return w3c(
        made, "cs-method cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) cs(Referer) sc-status"
    )


def proxy(made: list[Made]) -> tuple[str, list[int]]:
    return w3c(
        made, "c-ip s-action cs-method cs-host cs-uri-stem cs-uri-query cs(User-Agent) cs(Cookie) sc-status"
    )


def sysmon(number: int) -> Callable[[list[Made]], tuple[str, list[int]]]:
    """Return what writes events of Sysmon for Linux into syslog."""

    def write(made: list[Made]) -> tuple[str, list[int]]:
        system = (
            f'<System><Provider Name="Linux-Sysmon"/><EventID>{number}</EventID>'
            "<Channel>Linux-Sysmon/Operational</Channel><Computer>web01</Computer></System>"
        )
        lines = []
        for one in made:
            data = "".join(f'<Data Name="{name}">{escape(value)}</Data>' for name, value in one.items())
            event = f"<Event>{system}<EventData>{data}</EventData></Event>"
            lines.append(f"Nov 11 21:58:01 web01 sysmon[812]: {event}")
        return "\n".join(lines), list(range(1, 1 + len(made)))

    return write


def auditd(made: list[Made]) -> tuple[str, list[int]]:
    """Return starts of programs, each after that of its parent."""
    lines: list[str] = []
    places = []
    for at, one in enumerate(made):
        first = 1_794_000_000 + at * 20
        for time, own, parent, image, command in (
            (first, 100_000 + at, 1, "ParentImage", "ParentCommandLine"),
            (first + 10, 200_000 + at, 100_000 + at, "Image", "CommandLine"),
        ):
            stamp = f"msg=audit({time}.000:{time})"
            places.append(len(lines) + 1)
            call = f"arch=c000003e syscall=59 success=yes ppid={parent} pid={own} auid=0 uid=0"
            lines += [
                f'type=SYSCALL {stamp}: {call} exe="{one.get(image, "/bin/x")}"',
                f"type=EXECVE {stamp}: argc=1 a0={one.get(command, 'x').encode().hex().upper()}",
                f'type=CWD {stamp}: cwd="{one.get("CurrentDirectory", "/")}"',
            ]
    return "\n".join(lines), places[1::2]


def transcript(made: list[Made]) -> tuple[str, list[int]]:
    """Return a console in which the commands were typed."""
    lines = [STARS, "PowerShell transcript start", "Host Application: C:\\x.exe", "PSVersion: 5.1", STARS]
    places = []
    for one in made:
        text = one.get("ScriptBlockText") or one.get("Payload") or one.get("ContextInfo") or "x"
        places.append(len(lines) + 1)
        first, *more = text.split("\n")
        lines += [f"PS C:\\> {first}", *(f">> {line}" for line in more)]
    return "\n".join(lines), places


@pytest.mark.slow
@pytest.mark.parametrize(
    ("logsource", "write", "rules", "fire"),
    [
        (("", "webserver"), web, 86, 78),
        (("", "proxy"), proxy, 56, 44),
        (("linux", "process_creation"), sysmon(1), 144, 138),
        (("linux", "process_creation"), auditd, 144, 138),
        (("linux", "network_connection"), sysmon(3), 5, 5),
        (("linux", "file_event"), sysmon(11), 18, 14),
        (("windows", "ps_script"), transcript, 178, 168),
        (("windows", "ps_module"), transcript, 34, 26),
    ],
    ids=lambda value: getattr(value, "__qualname__", str(value)).partition(".")[0],
)
def test_rules_fire_on_the_logs_of_products(
    logsource: tuple[str, str],
    write: Callable[[list[Made]], tuple[str, list[int]]],
    rules: int,
    fire: int,
    corpora: Path,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    titles: list[str] = []
    made: list[Made] = []
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for member in archive.namelist():
            data = archive.read(member) if member.endswith(".yml") else b""
            if f"category: {logsource[1]}".encode() not in data:
                continue
            rule = next(iter(yaml.safe_load_all(data)))
            source = rule.get("logsource", {})
            if (source.get("product", ""), source.get("category")) == logsource:
                (folder / f"{len(titles)}.yml").write_bytes(data)
                titles.append(rule["title"])
                made.append(make(rule["detection"]))
    assert len(titles) == rules
    text, places = write(made)
    (tmp_path / "x.log").write_text(text + "\n")
    summary = ScanSummary()
    found = {
        (finding.rule.title, finding.source.record)
        for finding in haidang.scan(
            tmp_path / "x.log", rules=haidang.load_rules(folder, cache=False), summary=summary
        )
    }
    silent = [title for title, place in zip(titles, places, strict=True) if (title, place) not in found]
    assert rules - len(silent) >= fire, silent
