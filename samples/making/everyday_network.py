"""The working day on the wire: what must not be reported, near misses included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.making.cast import CONTROLLER, PEOPLE, WEB_SERVER, at
from samples.making.everyday import SITES

if TYPE_CHECKING:
    from samples.making.stage import Stage

__all__ = ["everyday_on_the_network"]

_UPDATE = "Microsoft-CryptoAPI/10.0"
_EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0 Safari/537.36 Edg/142.0"
)


def everyday_on_the_network(stage: Stage) -> None:
    """Record the day as the sensor saw it."""
    _web(stage)
    _shares(stage)
    _plain_http(stage)
    _near_misses(stage)


def _web(stage: Stage) -> None:
    chance = stage.chance
    for _ in range(560):
        minute = chance.between(0.1, 194)
        person = chance.one_of(PEOPLE)
        name, address = chance.one_of(SITES)
        stage.net.asks(at(minute), person.address, name, address)
        stage.net.link(
            at(minute + 0.002),
            person.address,
            address,
            443,
            "ssl",
            sent=chance.whole(900, 60_000),
            received=chance.whole(4_000, 900_000),
            seconds=chance.between(0.2, 90),
        )
    for _ in range(70):
        host = chance.one_of(PEOPLE).address
        name = ".".join(reversed(chance.one_of(PEOPLE).address.split("."))) + ".in-addr.arpa"
        stage.net.asks(at(chance.between(0.1, 194)), host, name, "may-tram.haivan.example", "PTR")


def _shares(stage: Stage) -> None:
    chance = stage.chance
    documents = ("Quyết định 2026.docx", "Công văn đến.xlsx", "Biên bản họp.docx", "Phụ lục I.pdf")
    for _ in range(120):
        minute = chance.between(0.5, 193)
        person = chance.one_of(PEOPLE)
        link = stage.net.link(
            at(minute),
            person.address,
            CONTROLLER.address,
            445,
            "gssapi,ntlm,smb",
            sent=chance.whole(3_000, 200_000),
            received=chance.whole(3_000, 700_000),
            seconds=chance.between(1, 40),
        )
        share = f"\\\\{CONTROLLER.name}\\VanBan"
        name = f"2026\\{chance.one_of(documents)}"
        stage.net.file(
            at(minute + 0.01), link, "FILE_OPEN", share, name, chance.whole(9_000, 400_000), at(-3000)
        )
        stage.net.calls(at(minute + 0.005), link, "\\pipe\\srvsvc", "srvsvc", "NetrShareGetInfo")


def _plain_http(stage: Stage) -> None:
    chance = stage.chance
    for _ in range(130):
        minute = chance.between(0.5, 194)
        person = chance.one_of(PEOPLE)
        certificate = f"/ocsp/{chance.letters(24)}"
        stage.net.fetches(
            at(minute),
            person.address,
            "192.0.2.203",
            "ocsp.nhacungcap.example",
            certificate,
            _UPDATE,
            received=471,
            mime="application/ocsp-response",
        )
    for _ in range(60):
        person = chance.one_of(PEOPLE)
        stage.net.fetches(
            at(chance.between(0.5, 194)),
            person.address,
            "192.0.2.44",
            "www.baohaivan.example",
            "/tin-moi",
            _EDGE,
            received=chance.whole(9_000, 80_000),
        )


def _near_misses(stage: Stage) -> None:
    net, chance = stage.net, stage.chance
    for minute in range(3, 190, 5):
        net.fetches(
            at(minute), "10.84.10.9", WEB_SERVER.address, "10.84.20.8", "/suc-khoe", "curl/8.14.1", received=2
        )
    for package in range(6):
        net.fetches(
            at(60.0 + package * 0.2),
            WEB_SERVER.address,
            "192.0.2.203",
            "deb.nhacungcap.example",
            f"/debian/pool/main/g/goi-{package}.deb",
            "Debian APT-HTTP/1.3 (3.0.3)",
            received=412_000,
            mime="application/x-debian-package",
        )
    meeting = chance.one_of(PEOPLE)
    for part in range(3):
        net.link(
            at(90.0 + 20 * part),
            meeting.address,
            "192.0.2.231",
            443,
            "ssl",
            sent=41_000_000 + 1_200_000 * part,
            received=160_000_000,
            seconds=1190,
        )
    for part in range(5):
        query = f"{chance.letters(40)}.khoi.dns-uytin.example"
        net.asks(at(30.0 + 25 * part), WEB_SERVER.address, query, "127.0.0.2")
    admin = PEOPLE[4].address
    link = net.link(
        at(52.0), admin, CONTROLLER.address, 445, "gssapi,ntlm,smb", sent=8_000, received=190_000, seconds=4
    )
    net.file(
        at(52.0),
        link,
        "FILE_OPEN",
        f"\\\\{CONTROLLER.name}\\C$",
        "Windows\\System32\\cong-cu.exe",
        188_416,
        at(-9000),
    )
