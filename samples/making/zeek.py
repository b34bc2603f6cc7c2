"""A Zeek sensor at the uplink and between the segments: conn, dns, http, smb_files and dce_rpc.

Every entry of another log has its connection, with the same uid, in ``conn``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from samples.making.cast import NAME_SERVER

if TYPE_CHECKING:
    from datetime import datetime

    from samples.making.cast import Chance

__all__ = ["Sensor"]


def _columns(text: str) -> list[tuple[str, str]]:
    """Return pairs of name and type out of ``name:type name:type``."""
    return [(name, kind) for name, _, kind in (item.rpartition(":") for item in text.split())]


_ENDS = _columns("uid:string id.orig_h:addr id.orig_p:port id.resp_h:addr id.resp_p:port")
_COLUMNS = {
    "conn": _columns(
        "proto:enum service:string duration:interval orig_bytes:count resp_bytes:count conn_state:string "
        "local_orig:bool local_resp:bool missed_bytes:count history:string orig_pkts:count "
        "orig_ip_bytes:count resp_pkts:count resp_ip_bytes:count tunnel_parents:set[string]"
    ),
    "dns": _columns(
        "proto:enum trans_id:count rtt:interval query:string qclass:count qclass_name:string qtype:count "
        "qtype_name:string rcode:count rcode_name:string AA:bool TC:bool RD:bool RA:bool Z:count "
        "answers:vector[string] TTLs:vector[interval] rejected:bool"
    ),
    "smb_files": _columns(
        "fuid:string action:enum path:string name:string size:count prev_name:string times.modified:time "
        "times.accessed:time times.created:time times.changed:time"
    ),
    "dce_rpc": _columns("rtt:interval named_pipe:string endpoint:string operation:string"),
}
_QTYPES = {"A": 1, "TXT": 16, "AAAA": 28, "PTR": 12}


@dataclass(frozen=True, slots=True)
class Link:
    """One connection."""

    uid: str
    source: str
    source_port: int
    target: str
    target_port: int

    @property
    def ends(self) -> dict[str, Any]:
        """The five fields that every log begins with."""
        ends = (self.uid, self.source, self.source_port, self.target, self.target_port)
        return dict(zip((name for name, _ in _ENDS), ends, strict=True))


@dataclass(slots=True)
class Sensor:
    """Recorder of the network."""

    chance: Chance
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def link(  # noqa: PLR0913 - a connection has as many sides
        self,
        time: datetime,
        source: str,
        target: str,
        port: int,
        service: str = "-",
        *,
        sent: int,
        received: int,
        seconds: float = 0.2,
        proto: str = "tcp",
        state: str = "SF",
        source_port: int = 0,
    ) -> Link:
        """Record one connection and return it."""
        port_out = source_port or self.chance.whole(49700, 65200)
        uid = "C" + self.chance.letters(17, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        link = Link(uid, source, port_out, target, port)
        packets = (sent // 1400 + 4, received // 1400 + 3) if proto == "tcp" else (1, 1)
        self._add(
            "conn",
            time,
            link,
            {
                "proto": proto,
                "service": service,
                "duration": round(seconds, 6),
                "orig_bytes": sent,
                "resp_bytes": received,
                "conn_state": state,
                "local_orig": source.startswith("10."),
                "local_resp": target.startswith("10."),
                "missed_bytes": 0,
                "history": "ShADadFf" if proto == "tcp" else "Dd",
                "orig_pkts": packets[0],
                "orig_ip_bytes": sent + 40 * packets[0],
                "resp_pkts": packets[1],
                "resp_ip_bytes": received + 40 * packets[1],
                "tunnel_parents": "-",
            },
        )
        return link

    def asks(
        self, time: datetime, source: str, query: str, answer: str, kind: str = "A", server: str = NAME_SERVER
    ) -> None:
        """Record a question to a name server and its answer."""
        seconds = self.chance.between(0.0004, 0.03)
        size = len(query) + 18
        link = self.link(
            time, source, server, 53, "dns", sent=size, received=size + 16, seconds=seconds, proto="udp"
        )
        known = answer != "-"
        self._add(
            "dns",
            time,
            link,
            {
                "proto": "udp",
                "trans_id": self.chance.whole(1, 65535),
                "rtt": round(seconds, 6),
                "query": query,
                "qclass": 1,
                "qclass_name": "C_INTERNET",
                "qtype": _QTYPES[kind],
                "qtype_name": kind,
                "rcode": 0 if known else 3,
                "rcode_name": "NOERROR" if known else "NXDOMAIN",
                "AA": False,
                "TC": False,
                "RD": True,
                "RA": True,
                "Z": 0,
                "answers": answer,
                "TTLs": "300.000000" if known else "-",
                "rejected": False,
            },
        )

    def fetches(  # noqa: PLR0913 - a request has as many sides
        self,
        time: datetime,
        source: str,
        target: str,
        host: str,
        uri: str,
        agent: str,
        *,
        method: str = "GET",
        sent: int = 0,
        received: int = 2000,
        mime: str = "text/html",
        source_port: int = 0,
    ) -> None:
        """Record a plain HTTP request."""
        link = self.link(
            time,
            source,
            target,
            80,
            "http",
            sent=sent + 310,
            received=received + 260,
            source_port=source_port,
        )
        entry = {
            "trans_depth": 1,
            "method": method,
            "host": host,
            "uri": uri,
            "version": "1.1",
            "user_agent": agent,
            "request_body_len": sent,
            "response_body_len": received,
            "status_code": 200,
            "status_msg": "OK",
            "tags": [],
            "resp_fuids": ["F" + self.chance.letters(16)],
            "resp_mime_types": [mime],
        }
        self._add("http", time, link, entry)

    def file(
        self, time: datetime, link: Link, action: str, share: str, name: str, size: int, born: datetime
    ) -> None:
        """Record an action on a file of a share."""
        stamps = dict.fromkeys(
            ("times.modified", "times.accessed", "times.created", "times.changed"), born.timestamp()
        )
        entry = {
            "fuid": "-",
            "action": f"SMB::{action}",
            "path": share,
            "name": name,
            "size": size,
            "prev_name": "-",
        }
        self._add("smb_files", time, link, entry | stamps)

    def calls(self, time: datetime, link: Link, pipe: str, endpoint: str, operation: str) -> None:
        """Record a remote procedure call."""
        rtt = round(self.chance.between(0.0003, 0.004), 6)
        self._add(
            "dce_rpc",
            time,
            link,
            {"rtt": rtt, "named_pipe": pipe, "endpoint": endpoint, "operation": operation},
        )

    def _add(self, path: str, time: datetime, link: Link, entry: dict[str, Any]) -> None:
        self.logs.setdefault(path, []).append({"ts": round(time.timestamp(), 6), **link.ends, **entry})

    def tsv(self, path: str) -> list[str]:
        """Return one log as Zeek writes it by default."""
        entries = sorted(self.logs[path], key=lambda entry: entry["ts"])
        columns = [("ts", "time"), *_ENDS, *_COLUMNS[path]]
        return [
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            f"#path\t{path}",
            "#open\t2026-11-12-01-00-00",
            "#fields\t" + "\t".join(name for name, _ in columns),
            "#types\t" + "\t".join(kind for _, kind in columns),
            *("\t".join(_cell(entry[name], kind) for name, kind in columns) for entry in entries),
            "#close\t2026-11-12-04-30-00",
        ]

    def json(self, path: str) -> list[str]:
        """Return one log as Zeek's JSON writer does; unset fields are left out."""
        entries = sorted(self.logs[path], key=lambda entry: entry["ts"])
        return [
            json.dumps({k: v for k, v in entry.items() if v != "-"}, separators=(",", ":"))
            for entry in entries
        ]


def _cell(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    if kind in {"time", "interval"} and value != "-":
        return f"{value:.6f}"
    return str(value)
