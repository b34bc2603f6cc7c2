"""Write the sample logs: a small intrusion in the office of a fictional province, within a working day.

    python samples/generate.py --out samples/logs

Only the standard library is used, and the same script writes the same logs every time: the dice are seeded,
the clock is the story's. ``samples/README.md`` tells the story. One file is damaged on purpose.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import zipfile
import zlib
from pathlib import Path
from struct import pack

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from samples.making.break_in import break_in  # noqa: E402 - found by the line above
from samples.making.everyday import everyday_on_windows  # noqa: E402
from samples.making.everyday_linux import everyday_on_linux  # noqa: E402
from samples.making.everyday_network import everyday_on_the_network  # noqa: E402
from samples.making.shapes import as_event, as_winlogbeat  # noqa: E402
from samples.making.spread import spread  # noqa: E402
from samples.making.stage import Stage, set_the_stage  # noqa: E402

__all__ = ["DAMAGED", "main", "make"]

SEED = 20261112
DAMAGED = "HV-DC01/security-2026-11-11.json.gz"
"""Yesterday's log, of which the end is missing, as after a disk filled up."""


def make() -> dict[str, bytes]:
    """Return every file of the sample by its path."""
    stage = set_the_stage(SEED)
    everyday_on_windows(stage)
    everyday_on_linux(stage)
    everyday_on_the_network(stage)
    break_in(stage)
    spread(stage)
    return {
        **_workstation(stage),
        **_controller(stage),
        **_server(stage),
        **_sensor(stage),
        DAMAGED: _damaged(),
    }


def _workstation(stage: Stage) -> dict[str, bytes]:
    parts: dict[str, list[str]] = {"sysmon": [], "security": [], "powershell": []}
    for event in stage.pc.numbered():
        parts[{"Sysmon": "sysmon", "PowerShell": "powershell"}.get(event.source, "security")].append(
            as_winlogbeat(event)
        )
    return {
        "VP-PC-017/sysmon.ndjson.gz": _gzip(_text(parts["sysmon"])),
        "VP-PC-017/security.ndjson": _text(parts["security"]),
        "VP-PC-017/powershell.ndjson": _text(parts["powershell"]),
    }


def _controller(stage: Stage) -> dict[str, bytes]:
    security: list[str] = []
    system: list[str] = []
    for event in stage.dc.numbered():
        (security if event.channel == "Security" else system).append(as_event(event))
    return {
        "HV-DC01/windows-events.zip": _zip({"Security.json": _text(security), "System.json": _text(system)})
    }


def _server(stage: Stage) -> dict[str, bytes]:
    return {
        "HV-WEB01/audit.log": _text(stage.web.audit_lines()),
        "HV-WEB01/syslog": _text(stage.web.system_lines()),
    }


def _sensor(stage: Stage) -> dict[str, bytes]:
    tsv = {f"zeek/{path}.log": _text(stage.net.tsv(path)) for path in ("conn", "dns", "smb_files", "dce_rpc")}
    return {**tsv, "zeek/http.json": _text(stage.net.json("http"))}


def _damaged() -> bytes:
    """Return a gzip file that breaks off; stored, not compressed, so that every zlib makes the same."""
    stage = set_the_stage(SEED - 1)
    everyday_on_windows(stage)
    lines = [as_event(event).replace("2026-11-12T", "2026-11-11T") for event in stage.dc.numbered()[:60]]
    content = _text(lines)
    block = pack("<BHH", 1, len(content), len(content) ^ 0xFFFF) + content
    whole = (
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + block + pack("<II", zlib.crc32(content), len(content))
    )
    return whole[: len(whole) * 3 // 5]


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _gzip(content: bytes) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=9, mtime=0) as packed:
        packed.write(content)
    return stream.getvalue()


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, date_time=(2026, 11, 12, 11, 30, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=9)
    return stream.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write all files below ``--out``."""
    parser = argparse.ArgumentParser(description="Write the sample logs of the fictional intrusion.")
    parser.add_argument(
        "--out", type=Path, default=HERE / "logs", help="folder to write to (default: samples/logs)"
    )
    folder: Path = parser.parse_args(arguments).out
    for name, content in make().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{len(content):>9,} bytes  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
