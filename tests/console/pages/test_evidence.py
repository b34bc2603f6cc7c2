"""Which part of a value satisfied a test, and what the page makes of hostile values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.utils import translation

from haidang.console.alerts import evidence
from haidang.console.alerts.models import Example

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from haidang.console.alerts.models import Alert
    from haidang.console.people.models import User
    from haidang.console.units.models import Unit


def marked(value: Any, test: str) -> list[str]:
    finding = {"matched": [{"field": "f", "value": value, "test": test}]}
    (proof,) = evidence.proofs(finding)
    assert "".join(part.text for part in proof.parts) == evidence.shown(value)
    return [part.text for part in proof.parts if part.marked]


@pytest.mark.parametrize(
    ("value", "test", "parts"),
    [
        (r"C:\Windows\Mimikatz.exe", r"endswith '\mimikatz.exe'", [r"\Mimikatz.exe"]),
        ("mimikatz.exe.txt", "endswith '.exe'", []),
        ("cmd /c whoami", "startswith 'CMD'", ["cmd"]),
        ("cmd /c whoami", "contains '/c'", ["/c"]),
        ("a then b", "contains 'a*b'", ["a", "b"]),
        ("whoami", "equals 'whoami'", ["whoami"]),
        ("xx foobar", "re|i '(FOO|BAR)'", ["foo"]),
        ("🙂🙂 foo", "re 'fo+'", ["foo"]),
        ("İstanbul x", "contains 'x'", []),
        (5145, "equals 5145", []),
        ("x", "whatever nobody knows", []),
        (None, "equals null", []),
        (["a", "b"], "contains 'b'", ["b"]),
    ],
)
def test_what_matched_is_marked(value: Any, test: str, parts: list[str]) -> None:
    assert marked(value, test) == parts


def test_two_tests_of_a_field_are_one_row_and_may_overlap() -> None:
    finding = {
        "matched": [
            {"field": "f", "value": "abcdef", "test": "contains 'bcd'"},
            {"field": "f", "value": "abcdef", "test": "contains 'cde'"},
        ]
    }
    (proof,) = evidence.proofs(finding)
    assert len(proof.tests) == 2
    assert "".join(part.text for part in proof.parts if part.marked) == "bcde"
    assert "".join(part.text for part in proof.parts) == "abcdef"


def test_a_test_is_said_in_the_language_of_the_page() -> None:
    finding = {"matched": [{"field": "f", "value": "a.exe", "test": "endswith '.exe'"}]}
    with translation.override("en"):
        assert evidence.proofs(finding)[0].tests == ["ends with .exe"]
    with translation.override("vi"):
        assert evidence.proofs(finding)[0].tests == ["kết thúc bằng .exe"]


def test_characters_that_hide_are_named() -> None:
    assert evidence.shown("a\u202eexe.cod\u200b") == "a⟨U+202E⟩exe.cod⟨U+200B⟩"


@pytest.mark.parametrize(
    "finding", [{}, {"matched": None, "event": []}, {"matched": [{}], "event": {"a": {"b": 1}}}]
)
def test_a_finding_of_another_shape_raises_nothing(finding: dict[str, Any]) -> None:
    evidence.proofs(finding)
    evidence.rest(finding)


def test_hostile_evidence_is_text(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert], signed_in: Callable[[User], Client]
) -> None:
    hostile = "</script><script>window.owned=1</script><img src=x onerror=alert(1)>{{ 7|add:7 }}"
    alert = make_alert(
        hospital, title=hostile, entity=hostile, rule=hostile[:200], tags=[hostile], techniques=[hostile]
    )
    example = Example.objects.get(alert=alert)
    example.finding = {
        "rule": {"description": hostile, "author": hostile},
        "host": hostile,
        "source": {"path": hostile, "record": hostile},
        "event": {hostile: hostile},
        "matched": [{"field": hostile, "value": hostile, "test": f"contains '{hostile}'"}],
    }
    example.save()
    client = signed_in(analyst)
    for page in (f"/alerts/{alert.pk}/", "/alerts/", "/"):
        said = client.get(page).content.decode()
        assert "<img" not in said
        assert "window.owned=1</script>" not in said
        assert "14" not in said.split("{{ 7|add:7 }}")[0][-3:]
