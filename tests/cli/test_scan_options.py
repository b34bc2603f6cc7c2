"""The options of ``haidang scan``: what they leave out, what is refused, what reaches the engine."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from haidang.cli._command import Context, parse
from haidang.cli._scan_options import scan_options
from haidang.cli.main import main
from haidang.cli.scan import COMMAND
from haidang.errors import ConfigurationError
from haidang.i18n import translator
from tests.cli._scanning import scan, titles

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.scanning import ScanOptions

NOW = 1_772_352_000_000_000_000  # 2026-03-01T08:00:00Z


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--min-level", "medium"), ["Rule a"]),
        (("--min-level", "LOW"), ["Rule a", "Rule b"]),
        (("--status", "experimental"), ["Rule b"]),
        (("--status", "experimental", "--status", "stable"), ["Rule a", "Rule b"]),
        (("--tag", "attack.t1003.001"), ["Rule b"]),
        (("--rule", "Rule b"), ["Rule b"]),
        (("--rule", "00000097-0000-4000-8000-000000000000"), ["Rule a"]),
        (("--rule", "*b"), ["Rule b"]),
        (("--exclude-rule", "Rule b"), ["Rule a"]),
        (("--since", "2026-03-02"), ["Rule b"]),
        (("--until", "2026-03-01"), ["Rule a"]),
        (("--since", "2026-03-01T08:00:00Z", "--until", "2026-03-03T08:00:00Z"), ["Rule a", "Rule b"]),
        (("--since", "2026-03-01T08:00:01Z", "--until", "2026-03-03T07:59:59Z"), []),
    ],
)
@pytest.mark.usefixtures("case")
def test_filters_keep_what_they_say(
    options: tuple[str, ...], found: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert scan("--format", "ndjson", *options) == 0
    assert titles(capsysbinary.readouterr().out) == found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["scan"], "nothing to scan"),
        (["scan", "logs", "--no-builtin"], "no rules"),
        (["scan", "logs", "--since", "yesterday"], "no moment in time"),
        (["scan", "logs", "--input-format", "pdf"], "no input format 'pdf'"),
        (["scan", "logs", "--password-file", "nosuch"], "--password-file nosuch: No such file"),
        (["scan", "logs", "--password", "--password-file", "x"], "not allowed with"),
        (["scan", "logs", "--password=secret"], "--password"),
        (["scan", "logs", "--output", "nowhere/x.csv"], "cannot write the output"),
        (["scan", "nosuch"], "nosuch"),
        (["scan", "logs", "--rules", "nosuch"], "nosuch"),
        (["scan", "logs", "--rule", "no such rule"], "there is no rule to look for"),
        (["scan", "logs", "--rules", "logs", "--output", "x.csv"], "there is no rule to look for"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_writes_nothing(
    options: list[str], said: str, case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = sorted(case.rglob("*"))
    assert main([*options, "--lang", "en"]) == 2
    captured = capsysbinary.readouterr()
    assert captured.out == b""
    assert said in captured.err.decode()
    assert sorted(case.rglob("*")) == before


def options_of(*arguments: str, environ: dict[str, str] | None = None) -> ScanOptions:
    context = Context(translator("en"), environ or {}, sys.stdout.buffer, sys.stderr, lambda: NOW)
    return scan_options(parse(COMMAND, arguments, context.translate), context)


def test_built_in_rules_are_used_where_no_others_are_named() -> None:
    assert options_of("x").builtin
    assert not options_of("x", "--rules", "r").builtin
    assert options_of("x", "--rules", "r", "--builtin").builtin
    with pytest.raises(ConfigurationError):
        options_of("x", "--no-builtin")


def test_every_option_reaches_the_engine() -> None:
    options = options_of(
        *("a", "--rules", "r", "b", "--rules", "s", "--pipeline", "p", "--placeholders", "h"),
        *("--logsource-map", "m", "--input-format", "zeek", "--min-level", "High", "--status", "test"),
        *("--tag", "t", "--rule", "i", "--exclude-rule", "e", "--since", "1h", "--until", "2026-03-01"),
        *("--full-event", "--processes", "3", "--no-cache"),
    )
    assert (options.paths, options.rules) == (("a", "b"), ("r", "s"))
    assert (options.pipelines, options.placeholders, options.logsource_maps) == (("p",), ("h",), ("m",))
    assert (options.input_format, options.min_level, options.statuses) == ("zeek", "high", ("test",))
    assert (options.tags, options.include, options.exclude) == (("t",), ("i",), ("e",))
    assert options.since == NOW - 3_600_000_000_000
    assert options.until == 1_772_409_599_999_999_999
    assert (options.full_event, options.processes, options.cache) == (True, 3, False)


def test_defaults_are_every_core_and_the_cache() -> None:
    options = options_of("x")
    assert options.processes == len(os.sched_getaffinity(0))
    assert options.cache
    assert (options.password, options.since, options.until) == (None, None, None)


def test_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes("bí mật \r\n".encode())
    assert options_of("x", "--password-file", str(file)).password == "bí mật ".encode()
    variable = {"HAIDANG_ARCHIVE_PASSWORD": "infected"}
    assert options_of("x", environ=variable).password == b"infected"
    assert options_of("x", "--password-file", str(file), environ=variable).password == "bí mật ".encode()
