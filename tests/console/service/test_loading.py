"""Rules and indicators that change while detection runs: taken up when good, told when they are not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from haidang.console.rules.models import Loaded
from haidang.console.service.configuration import Configuration, read_configuration
from haidang.console.service.loading import Kept
from haidang.console.service.updating import Updates
from haidang.errors import ConfigurationError
from haidang.intel.collecting import collect
from haidang.intel.store import Source, Store
from haidang.limits import DEFAULT_LIMITS
from tests.intel.serving import Reply, serving
from tests.scanning.material import RULES, write_rules

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

    from haidang.console.people.models import User
    from tests.intel.serving import Asked


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def settled(kept: Kept) -> bool:
    """Look until what is there has stood still for one look."""
    return any([kept.look_again(), kept.look_again()])


def said(part: str) -> Loaded:
    return Loaded.objects.get(part=part)


def test_rules_that_change_are_taken_up_and_broken_ones_are_not(db: None, tmp_path: Path) -> None:
    path = write_rules(tmp_path)
    kept = Kept(Configuration(rules=(tmp_path,), intel=False))
    assert not settled(kept)
    write_rules(tmp_path, RULES.replace("title: Shell", "title: Shell again"))
    assert settled(kept)
    assert "Shell again" in {info.title for info in kept.ruleset}
    assert said("rules").about["rules"] == 3

    path.write_text("title: [", "utf-8")
    assert not settled(kept)
    assert len(kept.ruleset) == 3
    assert str(path) in said("rules").problem
    (tmp_path / "new.yml").write_text(
        "title: x\nlogsource: {product: windows}\ndetection: {s: {a: 1}}\n", "utf-8"
    )
    write_rules(tmp_path)
    assert settled(kept)
    assert not said("rules").problem
    assert said("rules").about["refused_number"] == 1
    path.unlink()
    assert not settled(kept)
    assert "no rule is left" in said("rules").problem


def test_a_copy_in_progress_is_not_taken_up(db: None, tmp_path: Path) -> None:
    write_rules(tmp_path)
    kept = Kept(Configuration(rules=(tmp_path,), intel=False))
    for number in range(3):
        write_rules(tmp_path, RULES + "\n" * (number + 1))
        assert not kept.look_again()
    assert kept.look_again()


def test_sources_are_updated_on_schedule_and_failures_told_and_tried_again(db: None, tmp_path: Path) -> None:
    feed = [Reply(b"198.51.100.7\n")]

    def answer(asked: Asked) -> Reply:
        assert asked.path == "/list.txt?key=secret"
        return feed[-1]

    write_rules(tmp_path)
    with serving(answer) as (address, asked):
        source = Source(name="daily", kind="list", location=f"{address}/list.txt?key=secret")
        store = Store(tmp_path / "share" / "haidang" / "intel")
        store.write(*collect(source, DEFAULT_LIMITS, int(time.time())))
        configuration = Configuration(rules=(tmp_path / "rules.yml",), intel_update=3600.0)
        kept, updates = Kept(configuration), Updates(configuration)
        feed.append(Reply(b"198.51.100.7\n203.0.113.9\n"))
        updates.update(3600.0)
        assert len(asked) == 2
        assert settled(kept)
        assert said("indicators").about["indicators"] == 2
        assert not said("update").problem

        feed.append(Reply(status=500))
        updates.update(3600.0)
        # What was there stays; that it is old is said, without what the address holds of secrets.
        assert not settled(kept)
        told = said("update")
        assert "daily" in told.problem
        assert "secret" not in told.problem + said("indicators").about["sources"][0]["failed"]
        assert said("indicators").about["indicators"] == 2
        assert 50 < updates.due < 70
        feed.append(Reply(b"203.0.113.9\n"))
        updates.update(3600.0)
        assert settled(kept)
        assert not said("update").problem
        assert said("indicators").about["indicators"] == 1


def test_the_console_says_what_detection_works_with_and_what_went_wrong(
    analyst: User, liaison: User, client: Client
) -> None:
    source = {"name": "daily", "kind": "list", "indicators": 7, "refused": 0, "updated": None}
    source |= {"failed": "http://feeds.example: 500", "tlp": "amber", "confidence": -1, "pack": ""}
    now = timezone.now()
    told = {"rules": 12, "paths": [], "builtin": True, "host": "dc1"}
    Loaded.objects.create(part="rules", at=now, tried=now, problem="a.yml:1: <b>", about=told)
    Loaded.objects.create(part="indicators", at=now, tried=now, about={"indicators": 7, "sources": [source]})
    client.force_login(analyst, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.cookies["django_language"] = "en"
    for address in ("/", "/rules/", "/sources/"):
        assert "a.yml:1: &lt;b&gt;" in client.get(address).content.decode(), address
    assert "Detection on dc1 works with 12 rules" in client.get("/rules/").content.decode()
    assert "http://feeds.example: 500" in client.get("/sources/").content.decode()
    told = client.get("/api/v1/intelligence").json()
    assert (told["rule_count"], told["indicator_count"], told["sources"]) == (12, 7, [source])
    assert told["update"] is None
    client.force_login(liaison, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "a.yml" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("intel = false", (False, None)),
        ("", (True, None)),
        ('[intel]\nupdate = "6h"', (True, 21600.0)),
        ('[intel]\nenabled = false\nupdate = "30m"', (False, 1800.0)),
    ],
)
def test_the_schedule_is_in_the_file(text: str, expected: tuple[bool, float | None], tmp_path: Path) -> None:
    path = tmp_path / "serve.toml"
    path.write_text(text, "utf-8")
    read = read_configuration(path)
    assert (read.intel, read.intel_update) == expected


@pytest.mark.parametrize("update", ['"soon"', '"0h"', "6", '"-1h"', "true"])
def test_a_schedule_that_is_none_is_refused(update: str, tmp_path: Path) -> None:
    path = tmp_path / "serve.toml"
    path.write_text(f"[intel]\nupdate = {update}", "utf-8")
    with pytest.raises(ConfigurationError, match="update"):
        read_configuration(path)
