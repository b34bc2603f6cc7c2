"""Whatever is in a file, it is opened, bounded, and accounted for."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pyzipper
import zstandard

from haidang.errors import ConfigurationError
from haidang.events.readers import readers
from haidang.events.streams import Input, open_input
from haidang.limits import DEFAULT_LIMITS
from tests.events.reading import read, read_input, read_one
from tests.packing import tarred, zipped

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = b"".join(b"line %d\n" % number for number in range(5000))
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


def written(folder: Path, data: bytes, name: str = "x.log") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# What is inside what.


@pytest.mark.parametrize("suffix", sorted(COMPRESS))
def test_compressed_files_are_read_as_if_they_were_not(suffix: str, tmp_path: Path) -> None:
    file = read_one(written(tmp_path, COMPRESS[suffix](LINES), f"x.log.{suffix}"))
    assert file.report.path == f"{tmp_path}/x.log.{suffix}"
    assert file.report.format == "text"
    assert len(file.messages) == 5000
    assert file.report.size == len(LINES)
    assert file.report.complete


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    assert len(read_one(written(tmp_path, gzip.compress(LINES), "x.json")).messages) == 5000
    assert len(read_one(written(tmp_path, LINES, "x.gz")).messages) == 5000


@pytest.mark.parametrize("suffix", ["", "gz", "bz2", "xz", "zst"])
def test_files_in_archives_in_archives_are_each_read(suffix: str, tmp_path: Path) -> None:
    inner = zipped({"b.log": b"b\n", "a.json": b'{"a":1}\n'})
    data = tarred({"d/in.zip": inner, "c.log.gz": gzip.compress(b"c\n"), "e.log": b"e\n"})
    path = written(tmp_path, COMPRESS[suffix](data) if suffix else data, "x.tar")
    files = read(path)
    assert list(files) == [
        f"{path}!d/in.zip!a.json",
        f"{path}!d/in.zip!b.log",
        f"{path}!c.log.gz",
        f"{path}!e.log",
    ]
    assert [file.events for file in files.values()] == [
        [{"a": 1}],
        [{"message": "b"}],
        [{"message": "c"}],
        [{"message": "e"}],
    ]


def test_evtx_in_an_archive_is_read(tmp_path: Path) -> None:
    sample = (Path(__file__).parent / "readers/samples/evtx/two-chunks.evtx").read_bytes()
    file = read_one(written(tmp_path, zipped({"a.evtx": sample}), "x.zip"))
    assert (file.report.format, file.records) == ("evtx", [1, 2, 3, 4])
    limits = replace(DEFAULT_LIMITS, spool_bytes=1000)
    file = read_one(written(tmp_path, tarred({"a.evtx": gzip.compress(sample)}), "x.zip"), limits=limits)
    assert (file.report.format, file.records) == ("evtx", [1, 2, 3, 4])


def test_standard_input_is_read_whatever_it_holds() -> None:
    program = (
        "from tests.events.reading import read\n"
        "print({name: len(file.events) for name, file in read('-').items()})"
    )
    for data, expected in (
        (LINES, {"-": 5000}),
        (gzip.compress(LINES), {"-": 5000}),
        (zipped({"a": b"1\n2\n", "b": b"3\n"}), {"-!a": 2, "-!b": 1}),
        (b"", {"-": 0}),
    ):
        run = subprocess.run(
            [sys.executable, "-c", program], input=data, capture_output=True, check=True, cwd=Path.cwd()
        )
        assert run.stdout.decode().strip() == str(expected)


def test_a_member_is_opened_alone_as_well(tmp_path: Path) -> None:
    path = written(tmp_path, zipped({"a": b"1\n", "b": b"2\n"}), "x.zip")
    (file,) = read_input(Input(str(path), "x.zip!b", 0, member="b"))
    assert (file.report.path, file.messages) == ("x.zip!b", ["2"])
    (file,) = read_input(Input(str(path), "x.zip!c", 0, member="c"))
    assert list(file.problems) == ["unreadable"]


def test_a_format_can_be_forced_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"a":1}\n')
    assert read_one(path).events == [{"a": 1}]
    assert read_one(path, input_format="text").messages == ['{"a":1}']
    with pytest.raises(ConfigurationError, match="unknown input format") as caught:
        open_input(Input(str(path), "x", 0), limits=DEFAULT_LIMITS, input_format="evt")
    assert "ndjson" in caught.value.hint


# Damage.


@pytest.mark.parametrize("suffix", sorted(COMPRESS))
def test_truncated_file_gives_what_came_before_and_says_where(suffix: str, tmp_path: Path) -> None:
    lines = [f"{zlib.crc32(b'%d' % number):08x}" for number in range(200_000)]
    data = COMPRESS[suffix]("".join(f"{line}\n" for line in lines).encode())
    file = read_one(written(tmp_path, data[: len(data) * 3 // 4]))
    assert file.problems == {"truncated": (f"byte {file.report.size}", 1)}
    assert len(file.messages) > 80_000
    assert file.messages[:-1] == lines[: len(file.messages) - 1]


@pytest.mark.parametrize("suffix", ["gz", "xz"])
def test_file_corrupt_in_the_middle_gives_what_came_before(suffix: str, tmp_path: Path) -> None:
    data = bytearray(COMPRESS[suffix](LINES * 100))
    data[len(data) // 2 : len(data) // 2 + 20] = bytes(20)
    file = read_one(written(tmp_path, bytes(data)))
    (kind,) = file.problems
    assert kind in {"corrupt", "invalid-utf8"}
    assert file.problems[kind][0].startswith(("byte ", "line "))


def test_empty_files_are_said_to_be_empty(tmp_path: Path) -> None:
    data = {"plain": b"", "gz": gzip.compress(b""), "zip": zipped({}), "inner": zipped({"a": b""})}
    for name, content in data.items():
        written(tmp_path, content, name)
    files = read(tmp_path)
    assert {name.removeprefix(f"{tmp_path}/"): list(file.problems) for name, file in files.items()} == {
        "gz": ["empty"],
        "inner!a": ["empty"],
        "plain": ["empty"],
        "zip": ["empty"],
    }


def test_unknown_formats_are_said_to_be_unknown_and_what_they_are(tmp_path: Path) -> None:
    junk = struct.pack(">2I", 0x00051607, 0x20000) + b"Mac OS X        " + bytes(90)
    path = written(tmp_path, zipped({"__MACOSX/._x.json": junk, "x.json": b'{"a":1}\n'}), "x.zip")
    files = read(path)
    assert files[f"{path}!x.json"].report.complete
    problem = files[f"{path}!__MACOSX/._x.json"].report.problems["unknown-format"]
    assert "AppleDouble" in problem.detail
    assert list(read_one(written(tmp_path, os.urandom(5000))).problems) == ["unknown-format"]
    assert list(read_one(written(tmp_path, bytes(5000))).problems) == ["unknown-format"]


def test_unreadable_files_are_said_to_be_unreadable(tmp_path: Path) -> None:
    path = written(tmp_path, LINES)
    item = Input(str(path), "x", len(LINES))
    path.unlink()
    (file,) = read_input(item)
    assert list(file.problems) == ["unreadable"]
    path.mkdir()
    (file,) = read_input(item)
    assert list(file.problems) == ["unreadable"]


def test_one_damaged_member_does_not_touch_the_others(tmp_path: Path) -> None:
    data = tarred({"a": b"a\n", "b.gz": gzip.compress(LINES)[:500], "c": b"c\n"})
    path = written(tmp_path, data, "x.tar")
    files = read(path)
    assert list(files[f"{path}!b.gz"].problems) == ["truncated"]
    assert files[f"{path}!c"].messages == ["c"]


def test_an_archive_that_is_cut_off_is_said_to_be(tmp_path: Path) -> None:
    data = tarred({"a": LINES, "b": LINES})
    path = written(tmp_path, data[: len(LINES) + 3000], "x.tar")
    files = read(path)
    assert len(files[f"{path}!a"].messages) == 5000
    assert list(files[f"{path}!b"].problems) == ["truncated"]
    assert list(files[str(path)].problems) == ["truncated"]


def test_a_mistake_of_a_reader_ends_its_file_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(type(readers()["text"]), "read", broken)
    path = written(tmp_path, zipped({"a": LINES, "b.json": b'{"b":1}\n'}), "x.zip")
    files = read(path)
    assert list(files[f"{path}!a"].problems) == ["corrupt"]
    assert files[f"{path}!b.json"].report.complete


# Passwords.


def test_a_member_that_is_encrypted_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with pyzipper.AESZipFile(path, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"infected")
        archive.writestr("a.log", LINES)
    for password in (None, b"wrong"):
        problem = read_one(path, password=password).report.problems["encrypted"]
        assert "--password-file" in problem.detail
    assert len(read_one(path, password=b"infected").messages) == 5000


# Hostile sizes.


def test_zip_bomb_is_stopped_and_its_neighbour_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, zipped({"bomb": bytes(3_000_000), "log": LINES}), "x.zip")
    limits = replace(DEFAULT_LIMITS, expansion_ratio=100, expansion_floor_bytes=1_000_000, read_bytes=65_536)
    files = read(path, limits=limits, input_format="text")
    assert list(files[f"{path}!bomb"].problems) == ["archive-limit"]
    assert 900_000 < files[f"{path}!bomb"].report.size < 1_100_000
    assert len(files[f"{path}!log"].messages) == 5000
    small = replace(DEFAULT_LIMITS, expanded_bytes=10_000, read_bytes=4096)
    assert list(read(path, limits=small)[f"{path}!log"].problems) == ["archive-limit"]


def test_containers_beyond_archive_depth_are_not_opened(tmp_path: Path) -> None:
    data = b"log\n"
    for _ in range(4):
        data = gzip.compress(data)
    path = written(tmp_path, data)
    assert read_one(path).messages == ["log"]
    limits = replace(DEFAULT_LIMITS, archive_depth=3)
    assert list(read_one(path, limits=limits).problems) == ["archive-limit"]
    nested = zipped({"a.zip": zipped({"b.zip": zipped({"c.log": b"log\n"})})})
    files = read(written(tmp_path, nested), limits=replace(DEFAULT_LIMITS, archive_depth=2))
    assert [list(file.problems) for file in files.values()] == [["archive-limit"]]


def test_members_beyond_archive_members_are_not_read(tmp_path: Path) -> None:
    members = {f"{number}.log": b"x\n" for number in range(9)}
    limits = replace(DEFAULT_LIMITS, archive_members=4)
    for data in (zipped(members), tarred(members), gzip.compress(zipped(members))):
        path = written(tmp_path, data)
        files = read(path, limits=limits)
        assert len(files) == 5
        assert list(files[str(path)].problems) == ["archive-limit"]


@cache
def compressed(data: bytes) -> bytes:
    return gzip.compress(data, 1)


def peak_memory(path: Path) -> tuple[int, dict[str, int]]:
    """Read a file in a process of its own; return its peak memory in MiB and its problems."""
    if not Path("/proc/self/status").is_file():
        pytest.skip("no /proc to read the peak memory from")
    program = (
        "import json, sys\n"
        "from haidang.events.streams import find_inputs, open_input\n"
        "from haidang.limits import DEFAULT_LIMITS\n"
        "problems = {}\n"
        "for item in find_inputs(sys.argv[1:], limits=DEFAULT_LIMITS, on_problem=print):\n"
        "    for report, batches in open_input(item, limits=DEFAULT_LIMITS):\n"
        "        for batch in batches: report.records += len(batch.records)\n"
        "        problems |= {kind: problem.count for kind, problem in report.problems.items()}\n"
        # getrusage would count the memory of the process that started this one, too.
        "status = dict(line.split(':') for line in open('/proc/self/status'))\n"
        "print(json.dumps([int(status['VmHWM'].split()[0]), problems]))\n"
    )
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True)
    kilobytes, problems = json.loads(run.stdout)
    return kilobytes >> 10, problems


@pytest.mark.parametrize(
    "begin", [b"", b'{"a":"', b'[{"a":"', b"HDX1|"], ids=["text", "ndjson", "json", "own"]
)
def test_line_of_one_gigabyte_is_skipped_in_bounded_memory(begin: bytes, tmp_path: Path) -> None:
    # Streams behind one another are one file: the same 16 MiB, 64 times.
    streams = [b"first\n" * 10 + begin, *[b"x" * (16 << 20)] * 64, b"\n"]
    path = tmp_path / "x.log.gz"
    path.write_bytes(b"".join(map(compressed, streams)))
    megabytes, problems = peak_memory(path)
    assert megabytes < 200
    assert set(problems) & {"oversized-line", "truncated"}


def test_json_10000_deep_is_handed_over_in_bounded_memory(tmp_path: Path) -> None:
    deep = b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    file = read_one(written(tmp_path, b"[" + deep + b',\n{"b":1}]'))
    assert file.report.format == "json"
    assert file.records == [1, 2]
    assert file.events[1] == {"b": 1}
    megabytes, _ = peak_memory(written(tmp_path, b"[" * 4_000_000 + b'{"a":' * 1_000_000))
    assert megabytes < 200


def test_nul_bytes_are_survived(tmp_path: Path) -> None:
    file = read_one(written(tmp_path, b'{"a":1}\n' + bytes(3000) + b'{"a":2}\n' + bytes(3000)))
    assert file.report.format == "ndjson"
    assert file.events == [{"a": 1}, {"a": 2}]
    file = read_one(written(tmp_path, b"one\n" + bytes(3000) + b"two\nthr\x00ee\n" * 200 + bytes(100)))
    assert (file.report.format, file.messages[:3]) == ("text", ["one", "two", "thr\x00ee"])


def test_invalid_utf_8_is_replaced_and_noted_with_its_first_line(tmp_path: Path) -> None:
    file = read_one(written(tmp_path, b"good\nb\xe0d\nb\xe0d\n" + b"good\n" * 20))
    assert file.messages[:2] == ["good", "b\ufffdd"]
    assert file.problems == {"invalid-utf8": ("line 2", 2)}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8"])
def test_utf_16_with_a_byte_order_mark_is_read_by_every_kind_of_reader(encoding: str, tmp_path: Path) -> None:
    for text, expected in (
        ('\ufeff{"a":"hồ sơ"}\r\n{"a":2}\r\n', [{"a": "hồ sơ"}, {"a": 2}]),
        ('\ufeff[\r\n {"a":"hồ sơ"}\r\n]', [{"a": "hồ sơ"}]),
        ("\ufeffhồ sơ\r\n", [{"message": "hồ sơ"}]),
    ):
        file = read_one(written(tmp_path, text.encode(encoding)))
        assert file.events == expected
        assert file.report.complete


def test_a_file_full_of_broken_lines_is_handed_over_line_by_line(tmp_path: Path) -> None:
    lines = [b'{"a":%d}' % number if number % 3 == 0 else b'{"a":' for number in range(300)]
    file = read_one(written(tmp_path, b"\n".join(lines)))
    assert file.report.format == "ndjson"
    assert len(file.events) == file.report.lines == 300


def test_everything_in_the_corpora_is_accounted_for(corpora: Path) -> None:
    seen = 0
    for name in ("mordor", "regression", "logs"):
        for path, file in read(corpora / name).items():
            seen += 1
            unknown = "/__MACOSX/" in path or "!__MACOSX/" in path
            assert list(file.problems) == (["unknown-format"] if unknown else []), path
            assert bool(file.events) != unknown, path
    assert seen > 300
