"""The entry point: commands, help, errors, exit codes."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from haidang import _version
from haidang.cli._command import Context, build_parser
from haidang.cli.main import commands, main
from haidang.i18n import translator

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.cli._command import Command


def every_command() -> dict[str, Command]:
    """Every command by its words, those of groups too."""
    found = dict(commands())
    for command in commands().values():
        if command.group is not None:
            found.update({one.name: one for one in command.group().values()})
    return found


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)


def test_an_answer_with_a_name_that_is_no_text_is_escaped() -> None:
    out = io.BytesIO()
    context = Context(translator("en"), {}, out, sys.stderr, lambda: 0)
    context.answer("a\udcff\n")
    context.answer_json({"path": "a\udcff"}, indent=0)
    assert out.getvalue() == b'a\\udcff\n{"path": "a\\\\udcff"}\n'


def test_version_is_said_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"haidang {_version.__version__}\n"
    assert main(["--lang", "vi", "--version"]) == 0


def test_version_takes_less_than_150_ms_of_processor_time() -> None:
    program = "import sys; from haidang.cli.main import main; sys.exit(main(['--version']))"
    best = 9.0
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        best = min(best, used)
    assert best < 0.15


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, command in commands().items():
        assert re.search(rf"^  {name} +{re.escape(command.summary)}$", text, re.MULTILINE)


def test_no_command_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Commands:" in captured.err


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("name", sorted(every_command()))
def test_every_command_explains_itself_in_both_languages(
    name: str, lang: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*name.split(), "--help", "--lang", lang]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Cách dùng: haidang" if lang == "vi" else "Usage: haidang")
    assert max(map(len, text.splitlines())) <= 88


@pytest.mark.parametrize("name", sorted(every_command()))
def test_every_option_has_a_help_text_and_it_is_translated(name: str) -> None:
    english = build_parser(every_command()[name], translator("en"))
    vietnamese = build_parser(every_command()[name], translator("vi"))
    for one, other in zip(english._actions, vietnamese._actions, strict=True):
        assert one.help
        assert one.help != other.help, one.option_strings


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scna"], "There is no command scna. Did you mean scan?"),
        (["."], "There is no command .. Did you mean haidang scan .?"),
        (["--nosuch"], "There is no option --nosuch."),
        (["formats", "--nosuch"], "There is no option --nosuch."),
        (["scan", "x", "--ruels", "y"], "There is no option --ruels. Did you mean --rules?"),
        (["scan", "x", "--rules"], "--rules: expected one argument"),
        (["scan", "x", "--min-level", "hihg"], "--min-level: 'hihg' is none of: informational"),
        (["scan", "x", "--processes", "0"], "--processes: '0' is no number from 1 on"),
        (["scan", "x", "--format", "pdf"], "--format: there is no output format 'pdf'"),
        (["formats", "--lang", "fr"], "there is no language 'fr'"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_what_to_do(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second, *_rest = captured.err.splitlines()
    assert first.startswith(f"haidang: {said}")
    assert second.startswith("  ")


def test_wrong_usage_is_said_in_vietnamese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--lang=vi", "x", "--ruels"]) == 2
    assert "Không có tùy chọn --ruels. Có phải ý bạn là --rules?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan", "absent"], ("absent: không có tệp hoặc thư mục này", "Hãy kiểm tra lại đường dẫn.")),
        (
            ["scan", ".", "--output", "absent/x.html"],
            ("không ghi được kết quả: không có tệp hoặc thư mục này",),
        ),
        (["scan", ".", "--output", "x.odd"], ("không cho biết định dạng", "Hãy đặt --format trước nó")),
        (["scan", ".", "--rules", "absent"], ("không đọc được quy tắc", "Hãy chỉ ra một tệp quy tắc")),
        (["search", "--regex", "(", "."], ("không phải là biểu thức chính quy hợp lệ", "cú pháp RE2")),
        (
            ["stats", ".", "--since", "never"],
            ("'never' không phải là mốc thời gian", "khoảng thời gian trước"),
        ),
        (["rules", "explain", "x"], ("Còn thiếu: EVENT.",)),
        (["serve", "--port", "x"], ("--port: 'x' không phải giá trị hợp lệ",)),
        (["intel", "add", "absent"], ("absent: không có tệp hoặc thư mục này",)),
        (["intel", "add", "https://u:p@x/a"], ("https://x/a: không phải URL tải được", "--user và một tệp")),
        (["intel", "add", "."], ("thư mục không phải nguồn MISP", "Hãy nêu từng tệp")),
        (["serve", "--port", "99999"], ("Cổng có giá trị từ 1 đến 65535.",)),
        (
            ["scan", ".", "--password", "--password-file", "y"],
            ("không dùng cùng với --password",),
        ),
        (["stats", ".", "--format", "odd"], ("--format: 'odd' không thuộc các giá trị: table, json",)),
    ],
)
def test_what_goes_wrong_is_said_in_vietnamese(
    arguments: list[str], said: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--lang", "vi"]) == 2
    err = capsys.readouterr().err
    assert all(part in err for part in said), err


def test_what_the_user_typed_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["\x1b[2Jx"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_formats_lists_what_can_be_read_and_written(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    from haidang.events.readers import readers
    from haidang.findings.outputs import outputs

    assert main(["formats"]) == 0
    text = capsysbinary.readouterr().out.decode()
    titles = {reader.name: reader.title for reader in readers().values()}
    titles |= {output.name: output.title for output in outputs().values()}
    for name, title in titles.items():
        assert re.search(rf"^  {name} +{re.escape(title)}", text, re.MULTILINE)


def test_reader_that_goes_away_is_no_error_worth_a_word(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    program = "import sys; from haidang.cli.main import main; sys.exit(main(['formats']))"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, check=False, cwd=tmp_path
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")
