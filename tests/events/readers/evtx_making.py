"""Small Windows event logs of our own making: the least that the format asks for.

The records hold plain binary XML, without templates; nothing is copied from a real log.
``python -m tests.events.readers.evtx_making`` writes the sample.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK = 65_536
SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "Provider": "Microsoft-Windows-Sysmon"}
SECURITY = {"Channel": "Security", "Provider": "Microsoft-Windows-Security-Auditing"}
HOST = {"Computer": "ws-07.hoavang.example"}
SAMPLE = (
    (
        {**SYSMON, **HOST, "EventID": "1", "Image": r"C:\Windows\System32\whoami.exe", "User": r"HOAVANG\Hà"},
        {**SYSMON, **HOST, "EventID": "3", "DestinationIp": "203.0.113.77", "DestinationPort": "443"},
        {**SECURITY, **HOST, "EventID": "4624", "TargetUserName": "lan.tt", "LogonType": "3"},
    ),
    ({**SECURITY, **HOST, "EventID": "1102", "SubjectUserName": "lan.tt"},),
)
"""Two chunks, of three records and of one."""
_EPOCH = 116_444_736_000_000_000  # 1970 in FILETIME.
_TIME = 1_762_905_600


SAMPLE_PATH = Path(__file__).parent / "samples" / "evtx" / "two-chunks.evtx"


def make_evtx(chunks: Sequence[Sequence[dict[str, str]]]) -> bytes:
    """Return a log with these chunks of records, each given by its event data; ids count from 1."""
    first = 1
    body = b""
    for records in chunks:
        body += _chunk(first, records)
        first += len(records)
    numbers = (0, max(0, len(chunks) - 1), first, 128, 1, 3, 4096, len(chunks))
    header = struct.pack("<8s3QI4H", b"ElfFile\x00", *numbers).ljust(120, b"\x00")
    return (header + struct.pack("<2I", 0, zlib.crc32(header))).ljust(4096, b"\x00") + body


def _chunk(first: int, records: Sequence[dict[str, str]]) -> bytes:
    data = b""
    last = 512
    for number, fields in enumerate(records, first):
        last = 512 + len(data)
        data += _record(number, fields, last)
    end = first + len(records) - 1
    numbers = (first, end, first, end, 128, last, 512 + len(data), zlib.crc32(data))
    header = struct.pack("<8s4Q4I", b"ElfChnk\x00", *numbers).ljust(120, b"\x00")
    tables = bytes(512 - 128)
    header += struct.pack("<2I", 0, zlib.crc32(header + tables)) + tables
    assert len(header) == 512
    return (header + data).ljust(CHUNK, b"\x00")


def _record(number: int, fields: dict[str, str], offset: int) -> bytes:
    xml = _Xml(offset + 24)
    xml.open("Event")
    xml.open("System")
    xml.open("Provider", Name=fields["Provider"])
    xml.close()
    xml.text_element("EventID", fields["EventID"])
    xml.open("TimeCreated", SystemTime=f"2025-11-12T00:00:{number % 60:02}.000000Z")
    xml.close()
    xml.text_element("EventRecordID", str(number))
    xml.text_element("Channel", fields["Channel"])
    xml.text_element("Computer", fields["Computer"])
    xml.close()
    xml.open("EventData")
    for name, value in fields.items():
        if name not in {"EventID", "Channel", "Computer", "Provider"}:
            xml.text_element("Data", value, Name=name)
    xml.close()
    xml.close()
    body = bytes(xml.data) + b"\x00"
    body += bytes(-(len(body) + 28) % 8)
    size = len(body) + 28
    time = _EPOCH + (_TIME + number) * 10_000_000
    return struct.pack("<4sIQQ", b"**\x00\x00", size, number, time) + body + struct.pack("<I", size)


class _Xml:
    """Binary XML; positions are those in the chunk, for names are stored where they first stand."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self.data = bytearray(b"\x0f\x01\x01\x00")

    def open(self, name: str, **attributes: str) -> None:
        self.data += struct.pack("<BI", 0x41 if attributes else 0x01, 0)
        self._name(name)
        if attributes:
            at = len(self.data)
            self.data += bytes(4)
            for key, value in attributes.items():
                self.data += b"\x06"
                self._name(key)
                self._text(value)
            struct.pack_into("<I", self.data, at, len(self.data) - at - 4)
        self.data += b"\x02"

    def close(self) -> None:
        self.data += b"\x04"

    def text_element(self, name: str, text: str, **attributes: str) -> None:
        self.open(name, **attributes)
        self._text(text)
        self.close()

    def _text(self, text: str) -> None:
        data = text.encode("utf-16-le")
        self.data += struct.pack("<BBH", 0x05, 0x01, len(data) // 2) + data

    def _name(self, name: str) -> None:
        self.data += struct.pack("<I", self._offset + len(self.data) + 4)
        value = 0
        for character in name:
            value = value * 65599 + ord(character)
        self.data += struct.pack("<IHH", 0, value & 0xFFFF, len(name))
        self.data += name.encode("utf-16-le") + b"\x00\x00"


if __name__ == "__main__":
    SAMPLE_PATH.write_bytes(make_evtx(SAMPLE))
