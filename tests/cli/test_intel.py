"""``haidang intel`` as a user runs it, over a store of the test's own."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from haidang.cli.main import main
from tests.intel.serving import Asked, Reply, serving

CHANNEL = "Microsoft-Windows-Sysmon/Operational"


class Run:
    """Runs commands and gives what they said."""

    def __init__(self, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capfd = capfd
        self.folder = folder
        self.out = self.err = ""

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        self._capfd.readouterr()
        result = main([str(argument) for argument in arguments])
        self.out, self.err = self._capfd.readouterr()
        assert result == code, self.out + self.err
        return self.out

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def titles(self, *options: str | Path) -> list[str]:
        """Scan one connection; return the titles of the findings."""
        event = {
            "Channel": CHANNEL,
            "EventID": 3,
            "DestinationIp": "198.51.100.7",
            "DestinationHostname": "x.evil.example",
        }
        log = self.file("log.ndjson", json.dumps(event) + "\n")
        out = self("scan", log, "--format", "ndjson", "--quiet", *options)
        records = [json.loads(line) for line in out.splitlines()]
        return [one["rule"]["title"] for one in records if one["kind"] == "finding"]


@pytest.fixture
def haidang(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)
    return Run(capfd, tmp_path)


IP = "Known address of an attack ({})"
NAME = "Known domain name of an attack ({})"


def test_what_is_added_is_listed_and_looked_for_until_it_is_removed(haidang: Run) -> None:
    path = haidang.file("ips.txt", "198.51.100.7\n127.0.0.1\n")
    assert "ips: 1 indicators (list); 1 entries cannot be used" in haidang("intel", "add", path)
    assert "0 days old" in haidang("intel", "list")
    assert "127.0.0.1" in haidang("intel", "list", "ips")
    assert haidang.titles() == [IP.format("ips")]
    assert haidang.titles("--no-intel") == []
    assert "removed" in haidang("intel", "remove", "ips")
    assert haidang.titles() == []
    assert "no source" in haidang("intel", "list")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add",), "haidang intel add: hãy nêu đúng một tệp hoặc URL"),
        (("remove", "absent"), "không có nguồn dấu hiệu tấn công 'absent'"),
        (("import", "a.zip"), "dùng --trust để chỉ khóa công khai mà bạn tin cậy"),
    ],
)
def test_what_goes_wrong_is_said_in_vietnamese(haidang: Run, words: tuple[str, ...], said: str) -> None:
    haidang("intel", *words, "--lang", "vi", code=2)
    assert said in haidang.err


def test_why_entries_cannot_be_used_is_listed_in_the_readers_language(haidang: Run) -> None:
    refused = {"mutex": "[mutex:name = 'm']", "address": "[ipv4-addr:value = 'nonsense']"}
    objects = [
        {"type": "indicator", "id": f"indicator--{name}", "name": name, "pattern": pattern}
        for name, pattern in refused.items()
    ]
    haidang("intel", "add", haidang.file("feed.json", json.dumps({"type": "bundle", "objects": objects})))
    listed = haidang("intel", "list", "feed", "--lang", "vi").splitlines()[1:]
    assert sorted(line.strip() for line in listed) == [
        "1 × mẫu STIX: giá trị 'nonsense' không phải địa chỉ",
        "1 × mẫu STIX: không nhật ký nào đọc được ở đây cho biết mutex:name",
        "address",
        "mutex",
    ]
    assert "1 × pattern: no log that is read here tells mutex:name" in haidang("intel", "list")


def test_a_scan_looks_for_named_sources_and_files_only(haidang: Run) -> None:
    haidang("intel", "add", haidang.file("ips.txt", "198.51.100.7\n"))
    haidang("intel", "add", haidang.file("names.txt", "evil.example\n"))
    other = haidang.file("other.txt", "evil.example\n")
    assert sorted(haidang.titles()) == [IP.format("ips"), NAME.format("names")]
    assert haidang.titles("--intel", "names") == [NAME.format("names")]
    assert haidang.titles("--intel", other) == [NAME.format("other.txt")]
    assert sorted(haidang.titles("--intel", other, "--intel", "ips")) == [
        IP.format("ips"),
        NAME.format("other.txt"),
    ]
    assert haidang.titles("--intel", other, "--no-builtin") == [NAME.format("other.txt")]
    haidang("scan", haidang.folder, "--intel", "none", code=2)
    haidang("scan", haidang.folder, "--intel", "https://x.example/", code=2)
    haidang("scan", haidang.folder, "--intel", "ips", "--no-intel", code=2)


def test_adding_the_same_place_again_replaces_it_and_another_gets_a_name(haidang: Run) -> None:
    first = haidang.file("a/list.txt", "198.51.100.7\n")
    haidang("intel", "add", first)
    haidang("intel", "add", first)
    haidang("intel", "add", haidang.file("b/list.txt", "evil.example\n"))
    assert re.findall(r"^(\S+): ", haidang("intel", "list"), re.MULTILINE) == ["list", "list-2"]


def test_options_say_what_indicators_do_not(haidang: Run) -> None:
    path = haidang.file("ips.txt", "198.51.100.7\n")
    haidang("intel", "add", path, "--name", "x", "--confidence", "90", "--tlp", "TLP:AMBER", "--expires", "3")
    haidang.titles("--min-level", "high", "--tag", "tlp.amber")
    assert "confidence 90; TLP:AMBER; until 2" in haidang.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "x", "y"],
        ["add", "none.txt"],
        ["add", "none.txt", "--kind", "nonsense"],
        ["add", "none.txt", "--tlp", "pink"],
        ["add", "none.txt", "--confidence", "101"],
        ["remove"],
        ["remove", "none"],
        ["update", "none"],
        ["list", "none"],
        ["pack", "x.zip"],
        ["import", "x.zip"],
        ["nonsense"],
        [],
    ],
)
def test_what_is_wrong_ends_with_2_and_says_why(haidang: Run, arguments: list[str]) -> None:
    haidang("intel", *arguments, code=2)
    assert haidang.err.startswith("haidang: ")


def test_an_update_reads_again_and_a_failure_keeps_what_was_there(haidang: Run) -> None:
    path = haidang.file("ips.txt", "198.51.100.7\n")
    haidang("intel", "add", path)
    path.write_text("evil.example\n")
    haidang("intel", "update")
    assert haidang.titles() == [NAME.format("ips")]
    path.unlink()
    haidang("intel", "update", code=3)
    assert "ips" in haidang.err
    assert "last update failed" in haidang("intel", "list")
    assert haidang.titles() == [NAME.format("ips")]


def test_a_taxii_collection_is_added_with_credentials_and_updated(haidang: Run) -> None:
    secret = haidang.file("secret", "hunter-42\n")
    given = [
        {
            "type": "indicator",
            "id": "indicator--1",
            "pattern_type": "stix",
            "pattern": "[ipv4-addr:value = '198.51.100.7']",
        }
    ]

    def answer(asked: Asked) -> Reply:
        if not asked.headers.get("authorization", "").startswith("Basic "):
            return Reply(status=401)
        media = ("Content-Type", "application/taxii+json;version=2.1")
        return Reply(
            json.dumps({"objects": given}).encode(),
            headers=(media, ("X-TAXII-Date-Added-Last", "2026-01-01T00:00:00Z")),
        )

    with serving(answer) as (url, asked):
        place = f"{url}/api/collections/c1/"
        haidang("intel", "add", place, code=2)
        assert "--user" in haidang.err
        said = haidang("intel", "add", place, "--user", "me", "--password-file", secret)
        assert "c1: 1 indicators (taxii)" in said
        haidang("intel", "update")
    assert "added_after=2026-01-01" in asked[-1].path
    assert haidang.titles() == [IP.format("c1")]
    store = haidang.folder / "data" / "haidang" / "intel"
    assert all(b"hunter-42" not in path.read_bytes() for path in store.iterdir())


def test_a_collection_is_named_by_its_server_and_title(haidang: Run) -> None:
    def answer(asked: Asked) -> Reply:
        media = ("Content-Type", "application/taxii+json;version=2.1")
        if asked.path == "/root/":
            return Reply(b"{}", headers=(media,))
        if asked.path == "/root/collections/":
            listed = {"collections": [{"id": "c1", "title": "Ours"}, {"id": "c2", "title": "Theirs"}]}
            return Reply(json.dumps(listed).encode(), headers=(media,))
        return Reply(b'{"objects": []}', headers=(media,))

    with serving(answer) as (url, asked):
        haidang("intel", "add", f"{url}/root/", "--collection", "Theirs", "--name", "x")
    assert asked[-1].path.startswith("/root/collections/c2/objects/")


def test_a_warninglist_guards_all_sources(haidang: Run) -> None:
    haidang("intel", "add", haidang.file("ips.txt", "198.51.100.7\nevil.example\n"))
    guard = {"name": "ours", "type": "cidr", "version": 1, "list": ["198.51.100.0/24"]}
    assert "guards" in haidang("intel", "add", haidang.file("guard.json", json.dumps(guard)))
    assert haidang.titles() == [NAME.format("ips")]


def test_a_pack_goes_to_a_network_that_reaches_no_other(
    haidang: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography", reason="the extra [crypto] is not installed")
    rule = (
        "title: Ours\nid: 00000000-0000-4000-8000-000000000001\nlevel: low\n"
        "logsource: {product: windows, category: network_connection}\n"
        "detection: {s: {DestinationIp: 198.51.100.7}, condition: s}\n"
    )
    haidang.file("rules/net/ours.yml", rule)
    haidang("intel", "add", haidang.file("ips.txt", "198.51.100.7\n"))
    key, pack = haidang.folder / "pack.key", haidang.folder / "weekly.zip"
    haidang("intel", "keygen", key)
    assert key.stat().st_mode & 0o777 == 0o600
    haidang("intel", "pack", pack, "--key", key, "--rules", haidang.folder / "rules")
    trust = haidang.folder / "pack.key.pub"
    monkeypatch.setenv("XDG_DATA_HOME", str(haidang.folder / "there"))
    said = haidang("intel", "import", pack, "--trust", trust)
    assert "weekly, made 0 days ago: 1 sources, 1 rule files" in said
    rules = Path(re.findall(r"--rules (\S+)", said)[0])
    assert haidang.titles("--rules", rules) == ["Ours", IP.format("weekly.ips")]
    assert "in the pack weekly, made 0 days ago" in haidang("intel", "list")
    assert "came in a pack" in haidang("intel", "update")


def test_an_older_pack_is_not_taken_for_a_newer_one(haidang: Run) -> None:
    pytest.importorskip("cryptography", reason="the extra [crypto] is not installed")
    from haidang.intel.model import Indicator
    from haidang.intel.packs import make_keys, make_pack
    from haidang.intel.store import Source

    key = haidang.folder / "k"
    trust = make_keys(key)
    packs = {}
    for created, name in ((2000, "new"), (1000, "old")):
        source = Source(name, "list", "/x")
        packs[name] = haidang.folder / f"{name}.zip"
        packs[name].write_bytes(
            make_pack("p", {}, [(source, [Indicator("ip", "198.51.100.7")])], key, created)
        )
    haidang("intel", "import", packs["new"], "--trust", trust)
    haidang("intel", "import", packs["old"], "--trust", trust, code=2)
    assert "newer" in haidang.err
    assert haidang.titles() == [IP.format("p.new")]
    haidang("intel", "import", packs["old"], "--trust", trust, "--allow-older")
    assert haidang.titles() == [IP.format("p.old")], "what the other pack held is gone"
    haidang("intel", "import", packs["old"], "--trust", key, code=2)
    haidang("intel", "import", packs["old"], "--trust", trust, "--name", "../x", code=2)


def test_a_pack_of_rules_alone_has_an_age_and_is_not_replaced_by_an_older_one(haidang: Run) -> None:
    pytest.importorskip("cryptography", reason="the extra [crypto] is not installed")
    from haidang.intel.packs import make_keys, make_pack

    key = haidang.folder / "k"
    trust = make_keys(key)
    for created, name in ((2000, "new"), (1000, "old")):
        rules = {f"{name}.yml": b"title: x\n"}
        (haidang.folder / f"{name}.zip").write_bytes(make_pack("p", rules, [], key, created))
    said = haidang("intel", "import", haidang.folder / "new.zip", "--trust", trust)
    rules_path = Path(re.findall(r"--rules (\S+)", said)[0])
    assert re.search(r"The pack p, made \d+ days ago: 0 sources, 1 rule files", haidang("intel", "list"))
    haidang("intel", "import", haidang.folder / "old.zip", "--trust", trust, code=2)
    assert "newer" in haidang.err
    with zipfile.ZipFile(rules_path) as archive:
        assert archive.namelist() == ["new.yml"]
    (haidang.folder / "none.zip").write_bytes(make_pack("p", {}, [], key, 3000))
    haidang("intel", "import", haidang.folder / "none.zip", "--trust", trust)
    assert not rules_path.exists(), "rules that the pack took back are gone"
    assert "future" not in haidang.err
    late = make_pack("p", {"a.yml": b"title: x\n"}, [], key, 4_000_000_000)
    (haidang.folder / "late.zip").write_bytes(late)
    haidang("intel", "import", haidang.folder / "late.zip", "--trust", trust)
    assert "made in the future" in haidang.err
    haidang("intel", "remove", "p")
    assert not rules_path.exists()
    assert "no source of indicators yet" in haidang("intel", "list")
    haidang("intel", "remove", "p", code=2)


def test_a_pack_brings_its_warninglists_and_they_guard_there(
    haidang: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography", reason="the extra [crypto] is not installed")
    haidang("intel", "add", haidang.file("ips.txt", "198.51.100.7\nevil.example\n"))
    guard = {"name": "ours", "type": "cidr", "version": 1, "list": ["198.51.100.0/24"]}
    haidang("intel", "add", haidang.file("known/list.json", json.dumps(guard)))
    haidang("intel", "keygen", haidang.folder / "k")
    haidang("intel", "pack", haidang.folder / "p.zip", "--key", haidang.folder / "k")
    monkeypatch.setenv("XDG_DATA_HOME", str(haidang.folder / "there"))
    haidang("intel", "import", haidang.folder / "p.zip", "--trust", haidang.folder / "k.pub")
    assert "p.known: warninglist" in haidang("intel", "list")
    assert haidang.titles() == [NAME.format("p.ips")]


def test_what_a_feed_says_cannot_command_the_terminal(haidang: Run) -> None:
    haidang("intel", "add", haidang.file("x.txt", "a.evil.example\nb.evil.example\n\x1b[31mred\n"))
    assert "\x1b" not in haidang("intel", "list", "x")


def test_what_is_known_of_a_value_is_found(haidang: Run) -> None:
    table = "ioc,confidence,tlp,valid_until,name\nevil.example,80,amber,2020-01-01,C2\n"
    haidang("intel", "add", haidang.file("t.csv", table), haidang.file("l.txt", "198.51.100.0/24\n"))
    pattern = {
        "type": "indicator",
        "id": "indicator--1",
        "name": "Tool",
        "pattern": "[file:name = 'tool.exe']",
    }
    haidang("intel", "add", haidang.file("b.json", json.dumps({"type": "bundle", "objects": [pattern]})))
    said = haidang("intel", "find", "198.51.100.7", "x.evil.example", "TOOL.exe", "other.example")
    assert said.splitlines() == [
        "198.51.100.7: network 198.51.100.0/24 (l)",
        "x.evil.example: domain name evil.example (t; C2; confidence 80; TLP:AMBER; ended 2020-01-01)",
        "TOOL.exe: [file:name = 'tool.exe'] (b; Tool; indicator--1)",
        "other.example: no indicator that is kept",
    ]
    assert "hết hiệu lực từ 2020-01-01" in haidang("intel", "find", "hxxp://evil[.]example/a", "--lang", "vi")
    haidang("intel", "find", code=2)


def test_several_places_are_added_at_once_and_one_that_fails_stops_none(haidang: Run) -> None:
    guard = json.dumps({"name": "n", "type": "cidr", "version": 1, "list": ["203.0.113.0/24"]})
    places = [haidang.file("lists/public-dns/list.json", guard).parent, haidang.folder / "none"]
    places.append(haidang.file("Danh sách độc hại.txt", "198.51.100.7\n"))
    said = haidang("intel", "add", *places, code=3)
    assert re.findall(r"^([^:]+):", said, re.MULTILINE) == ["public-dns", "Danh-sach-doc-hai"]
    assert "none: No such file" in haidang.err
    haidang("intel", "add", *places, "--name", "x", code=2)
    assert haidang.titles() == [IP.format("Danh-sach-doc-hai")]


def test_a_finding_names_the_id_of_its_indicator(haidang: Run) -> None:
    ids = [f"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3{at}" for at in range(2)]
    patterns = ["[ipv4-addr:value = '198.51.100.7']", "[domain-name:value LIKE '%.evil.example']"]
    objects = [
        {"type": "indicator", "id": one, "pattern": pattern, "pattern_type": "stix"}
        for one, pattern in zip(ids, patterns, strict=True)
    ]
    haidang("intel", "add", haidang.file("b.json", json.dumps({"type": "bundle", "objects": objects})))
    haidang.titles()
    found = [json.loads(line) for line in haidang.out.splitlines()]
    assert {m["indicator"] for one in found if one["kind"] == "finding" for m in one["matched"]} == set(ids)
    out = haidang("scan", haidang.folder / "log.ndjson", "--quiet", "--format", "stix")
    sightings = [one for one in json.loads(out)["objects"] if one["type"] == "sighting"]
    assert {one["sighting_of_ref"] for one in sightings} == set(ids)


def test_findings_and_notices_speak_vietnamese(haidang: Run) -> None:
    feed = haidang.file("ips.txt", "198.51.100.7\nnonsense here\n8.8.8.8\n203.0.113.9\n")
    guard = {"name": "ours", "type": "cidr", "version": 1, "list": ["8.8.8.8/32"]}
    haidang("intel", "add", feed)
    haidang("intel", "add", haidang.file("guard.json", json.dumps(guard)))
    haidang.titles()
    haidang("scan", haidang.folder / "log.ndjson", "--lang", "vi")
    said = haidang.out + haidang.err
    assert "Địa chỉ IP liên quan đến tấn công (ips)" in said
    assert "Đã tìm 2 dấu hiệu tấn công của 1 nguồn." in said
    assert "1 mục của các nguồn này không dùng được" in said
    assert "1 dấu hiệu có trong danh sách cảnh báo nhầm" in said
    assert "of an attack" not in said
    assert "indicators" not in said


def test_help_speaks_vietnamese(haidang: Run) -> None:
    assert haidang("intel", "--help", "--lang", "vi") != haidang("intel", "--help", "--lang", "en")
    assert os.environ["XDG_DATA_HOME"].startswith(str(haidang.folder))
