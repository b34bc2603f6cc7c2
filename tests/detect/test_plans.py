"""What machine code says of a document is what decoding it whole says, whatever its bytes are."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang import native
from haidang.detect.batches import BatchMatcher
from haidang.detect.matcher import Matcher
from haidang.detect.plans import PlanSet
from haidang.detect.routes import Group
from haidang.events.lines import Lines
from haidang.events.model import DocumentBatch, FileReport
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma import ir
from haidang.sigma.ir import (
    ANY,
    ONE,
    Condition,
    EventRule,
    LogSource,
    LogsourceEntry,
    LogsourceMap,
    RuleInfo,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(
    native.library() is None, reason="the part in machine code was not built: there was no Rust compiler"
)

WINDOWS = LogSource("windows")
CHANNELS = ("Security", "Microsoft-Windows-PowerShell/Operational")


def condition(field: str | None, kind: str, value: Any, *, cased: bool = False) -> Condition:
    """Return the condition of one test."""
    return ("is", tuple(ir.Test(field, kind, value, cased)))


TAKES_A_LINE = condition("ScriptBlockText", "str", (ANY, "tail", ONE, ONE, ONE, "omega", ANY))
RULES: tuple[Condition, ...] = (
    condition("Image", "str", (ANY, "\\cmd.exe")),
    condition("Image", "str", ("C:\\", ANY)),
    condition("CommandLine", "str", (ANY, "-enc", ANY)),
    condition("CommandLine", "null", None),
    condition("ScriptBlockText", "str", (ANY, "evil", ANY)),
    condition("ScriptBlockText", "str", ("begin", ANY)),
    condition("ScriptBlockText", "str", (ANY, "end")),
    condition("ScriptBlockText", "re", (r"HostId=[a-f\d]{4}\s+Engine=", "")),
    condition("ScriptBlockText", "re", (r"cmd.+/c", "i")),
    condition("ScriptBlockText", "re", (r"[^x]evil", "")),
    condition("ScriptBlockText", "re", (r"^begin.*end$", "s")),
    condition("ScriptBlockText", "str", (ANY, "Engine=", ONE, "tail", ANY)),
    condition("ScriptBlockText", "str", (ANY, "alpha", ANY, "omega", ANY)),
    TAKES_A_LINE,
    condition("ScriptBlockText", "re", (r".{600,}", "")),
    condition("Target", "str", ("a\\b",)),
    condition("Level", "str", ("High",)),
    condition("Image", "fieldref", ("CommandLine", "equals")),
    condition("Code", "num", 10),
    condition("Code", "gt", 3),
    condition("Provider_Name", "str", ("Audit",)),
    condition(None, "str", (ANY, "mimikatz", ANY)),
)
ENTRY = LogsourceEntry(
    WINDOWS,
    {},
    {"Target": ("{Object}\\{Name}", "Target"), "Level": ("Mandatory",), "Image": ("Image", "NewProcessName")},
    {"Level": {"s-1-16-12288": "High"}},
)


def matcher() -> Matcher:
    """Return a matcher over the rules, numbered from 0."""
    info = RuleInfo("k", "", "", "t", "low", "test", (), "", "", (), (), "r.yml", 1, "", "")
    rules = [(at, EventRule(info, WINDOWS, one, ())) for at, one in enumerate(RULES)]
    group = Group(lambda: rules, None, DEFAULT_LIMITS)
    return Matcher(
        {WINDOWS: group}, [LogsourceMap("windows", "windows", ("Channel", "EventID"), (), (ENTRY,))]
    )


Said = tuple[list[tuple[int, tuple[int, ...], dict[str, Any]]], int, int, dict[str, tuple[int, str]]]


def said(made: BatchMatcher, batches: Sequence[Sequence[bytes]]) -> Said:
    """Return what is said of documents in batches: hits, records, skipped, problems."""
    report = FileReport("log")
    hits: list[tuple[int, tuple[int, ...], dict[str, Any]]] = []
    at = 0
    for documents in batches:
        batch = DocumentBatch(report, documents, range(at, at + len(documents)))
        hits += [(hit.record, tuple(hit.rules), hit.event) for hit in made.match(batch)]
        at += len(documents)
    problems = {kind: (problem.count, problem.where) for kind, problem in report.problems.items()}
    return hits, report.records, report.skipped, problems


@pytest.fixture(scope="module")
def python() -> BatchMatcher:
    """Return what matches without the library."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIDANG_NATIVE", "0")
        native.library.cache_clear()
        made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=10**9)
        # The lanes of each shape are made by its first document.
        said(made, [[orjson.dumps(SHAPES[shape]({"EventID": 1}))] for shape in SHAPES])
    native.library.cache_clear()
    return made


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    return {"Channel": CHANNELS[0], **fields}


def _event(fields: dict[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in fields.items() if name not in {"EventID", "Channel"}}
    system = {
        "Provider": {"#attributes": {"Name": "Audit"}},
        "EventID": fields.get("EventID"),
        "Channel": fields.get("Channel", CHANNELS[0]),
    }
    return {"Event": {"System": system, "EventData": data}}


def _winlogbeat(fields: dict[str, Any]) -> dict[str, Any]:
    data = {name: value for name, value in fields.items() if name not in {"EventID", "Channel"}}
    channel = fields.get("Channel", CHANNELS[0])
    return {"winlog": {"channel": channel, "event_id": fields.get("EventID"), "event_data": data}}


def _wrapped(fields: dict[str, Any]) -> dict[str, Any]:
    return {"_source": _winlogbeat(fields), "_index": "a"}


SHAPES = {"flat": _flat, "event": _event, "winlogbeat": _winlogbeat, "wrapped": _wrapped}

PIECES = (
    "begin",
    "end",
    "evil",
    "x",
    "xevil",
    "HostId=ab12",
    "  \tEngine=5",
    "Engine=",
    "Engine=\r",
    "tail",
    "\ttail",
    "CMD a",
    "b /c d",
    "cmd /c",
    "alpha",
    "omega",
    "",
    "\r",
    " ",
    'say "x" \\ {0}',
    "é",
    "\u2028",
    "\x7f",
    "z" * 600,
    "mimikatz",
)
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("\n".join)
long_texts = st.tuples(texts, st.just("p" * 513), texts).map("\n".join)
scalars: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            "C:\\Windows\\cmd.exe",
            "c:\\x",
            "a -ENC b",
            "",
            "é\\CMD.EXE",
            "a\\b",
            "S-1-16-12288",
            "10",
            10,
            0,
            -4,
            4,
            None,
            True,
            1.5,
            10**30,
            ["a", "C:\\cmd.exe"],
            {"a": 1},
            "\u0000",
            "😀",
            "a",
            "b",
        ]
    ),
    texts,
)
NAMES = (
    "Image",
    "NewProcessName",
    "CommandLine",
    "Object",
    "Name",
    "Target",
    "Mandatory",
    "Code",
    "Other",
    "Provider_Name",
    "UserData",
)
fields = st.fixed_dictionaries(
    {"EventID": st.sampled_from([1, 2, "1", "x", 1.5, None, {"#text": 1, "#attributes": {}}, [1]])},
    optional={
        **dict.fromkeys(NAMES, scalars),
        "Channel": st.sampled_from([*CHANNELS, None, 5]),
        "ScriptBlockText": st.one_of(long_texts, long_texts, scalars),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return one document, written in one of the ways that JSON allows."""
    document = SHAPES[draw(st.sampled_from(list(SHAPES)))](draw(fields))
    how = draw(st.sampled_from(["short", "short", "short", "wide", "ascii", "twice"]))
    found = json.dumps(document, ensure_ascii=how == "ascii", indent=1 if how == "wide" else None).encode()
    if how == "twice":
        # The last of two equal members counts.
        found = found[:-1] + b"," + json.dumps(_flat(draw(fields))).encode()[1:]
    return found.replace(b"\n", b" ")


@settings(max_examples=400, deadline=None)
@given(batches=st.lists(st.lists(documents(), min_size=1, max_size=8), min_size=1, max_size=4))
def test_what_is_said_of_documents_is_what_decoding_them_says(
    python: BatchMatcher, batches: list[list[bytes]]
) -> None:
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    expected = said(python, batches)
    # Twice, so that what was remembered is asked too, and once more when it was forgotten.
    assert said(made, batches) == expected
    assert said(made, batches) == expected
    for lanes in made.lanes:
        lanes.forget()
    assert said(made, batches) == expected


def test_mutated_documents_are_read_or_refused_as_decoding_does(python: BatchMatcher) -> None:
    chance = random.Random(20261201)
    seeds = [
        orjson.dumps(
            make({"EventID": 1, "Image": "C:\\cmd.exe", "ScriptBlockText": "begin\nevil\n" + "p" * 520})
        )
        for make in SHAPES.values()
    ]
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    marks = b'{}[]",:\\ \t0-1.eEtfnu\x00\x1f\x7f\xc3\xa9\xff'
    for _ in range(300):
        batch = []
        for _ in range(20):
            document = bytearray(chance.choice(seeds))
            for _ in range(chance.randint(0, 3)):
                at = chance.randrange(len(document))
                how = chance.random()
                if how < 0.4:
                    document[at] = chance.choice(marks)
                elif how < 0.7:
                    document.insert(at, chance.choice(marks))
                elif how < 0.9:
                    del document[at]
                else:
                    del document[at:]
                if not document:
                    break
            batch.append(bytes(document).replace(b"\n", b" "))
        assert said(made, [batch]) == said(python, [batch])


def test_lines_as_they_were_read_are_looked_at_like_documents() -> None:
    documents = [orjson.dumps(_flat({"EventID": 1, "Code": code})) + b"\n" for code in (1, 10, 4)]
    data = b"".join(documents)
    lines = Lines(data, native.line_ends(data, 100))
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    expected = said(made, [documents])
    assert said(made, [lines]) == expected
    assert [at for at, _, _ in expected[0]] == [0, 1, 2]
    assert any(isinstance(lanes, PlanSet) for lanes in made.lanes)


def test_a_pattern_may_take_up_a_whole_line(python: BatchMatcher) -> None:
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    texts = [f"tail\n{line}\nomega\n" + "p" * 520 for line in ("x", "yy", "", "x", "z")]
    documents = [orjson.dumps(_flat({"EventID": 1, "ScriptBlockText": text})) for text in texts]
    expected = said(python, [documents])
    assert said(made, [[one] for one in documents]) == expected
    place = RULES.index(TAKES_A_LINE)
    assert [place in rules for _, rules, _ in expected[0]] == [True, False, False, True, True]


def test_more_routes_than_are_remembered_are_matched_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from haidang.detect import plans

    monkeypatch.setattr(plans, "_MOST_PLANS", 3)
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    documents = [orjson.dumps(_flat({"EventID": at % 7, "Code": 10})) for at in range(50)]
    for _ in range(2):
        hits, records, skipped, problems = said(made, [documents[:10], documents[10:]])
        assert [at for at, _, _ in hits] == list(range(50))
        assert (records, skipped, problems) == (50, 0, {})


def test_more_answers_than_are_remembered_are_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from haidang.detect import plans

    monkeypatch.setattr(plans, "_MOST_ANSWERS", 1)
    made = BatchMatcher(matcher(), DEFAULT_LIMITS, patience=0)
    documents = [orjson.dumps(_flat({"EventID": 1, "Code": at})) for at in range(12)]
    first = said(made, [documents])
    assert said(made, [documents]) == first
    assert [at for at, _, _ in first[0]] == list(range(12))  # No CommandLine is a rule of its own.
