"""The HTML page in a real browser: inert, offline, accessible, quick, and what its reader does with it."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from haidang.findings.model import Finding, FindingRule, Match, MemberSource, NamedRule, ScanSummary, Source
from haidang.findings.outputs.html import HtmlOutput
from haidang.sigma.ir import RuleWords
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
HOSTILE = (
    "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>"
    "\u2028\u202eexe.cod\u202c\u200b"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no chromium on PATH (apt-get install chromium, or name one in CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


def write(path: Path, items: Iterable[Finding], account: ScanSummary, lang: str = "en") -> Path:
    with path.open("wb") as stream:
        output = HtmlOutput(clock=lambda: datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
        writer = output.open(stream, lang=lang)
        for item in items:
            writer.write(item)
        writer.close(account)
    return path


class Opened:
    """A page, with everything that it asked for or complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def count(self) -> str:
        return self.page.inner_text("#shown")

    def search(self, text: str) -> None:
        self.page.fill("#search", text)
        # The page waits out the typing; its address says when the search has been run. The policy of the
        # page forbids wait_for_function, which evaluates text.
        asked = "new URLSearchParams(location.hash.slice(1)).get('q')"
        for _ in range(400):
            if self.page.evaluate(asked) == text:
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"the search for {text!r} was not run")


def opened(browser: Browser, path: Path, fragment: str = "", **context: Any) -> Opened:
    page = browser.new_context(**{"viewport": DESK, **context}).new_page()
    result = Opened(page)
    page.goto(path.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]", timeout=20_000)
    return result


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("html") / "many.html", findings(2_000), summary(2_000))


def hostile_finding() -> Finding:
    rule = FindingRule(HOSTILE, HOSTILE, "high", HOSTILE, (HOSTILE, "attack.execution"), HOSTILE, HOSTILE)
    matched = (Match(HOSTILE, HOSTILE, f"contains '{HOSTILE}'"), Match("", HOSTILE, HOSTILE))
    event = {HOSTILE: HOSTILE, "list": [HOSTILE], "__proto__": HOSTILE, "constructor": HOSTILE}
    return Finding(
        HOSTILE, rule, "2026-11-18T01:02:03Z", HOSTILE, Source(HOSTILE, 1), event, matched, HOSTILE,
        members=(HOSTILE, "gone"), group={HOSTILE: HOSTILE}, count=2,
    )  # fmt: skip


def test_hostile_text_runs_nothing_and_hides_nothing(browser: Browser, tmp_path: Path) -> None:
    account = summary(1)
    account.notices.append(HOSTILE)
    account.files[0].path = HOSTILE
    account.files[0].note("corrupt", HOSTILE, HOSTILE)
    view = opened(browser, write(tmp_path / "hostile.html", [hostile_finding(), *findings(20)], account))
    page = view.page
    page.click("#unread button")
    page.locator("#rows .row").filter(has_text="onerror").click()
    page.locator("#rules tbody tr").filter(has_text="onerror").click()
    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    detail = page.inner_text("#detail")
    assert "<img src=x onerror=window.owned=1>" in detail
    for code in ("U+2028", "U+202E", "U+202C", "U+200B"):
        assert code in detail
    texts = page.evaluate("document.body.innerText + [...document.querySelectorAll('[title],[aria-label]')]"
                          ".map(e => e.title + e.ariaLabel).join()")  # fmt: skip
    assert not set(texts) & set("\u2028\u202e\u202c\u200b")
    assert view.complaints == []


def test_without_a_script_the_page_says_which_rules_found_what(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path / "plain.html", [hostile_finding(), *findings(20)], summary(21))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(path.as_uri())
    said = page.inner_text(".without")
    assert "21 findings" in said
    assert "1 rule refused" in said
    assert "<img src=x onerror=window.owned=1>\\u2028\\u202eexe.cod" in said
    assert page.locator(".without img").count() == 0
    assert not page.is_visible("#frame")
    assert not page.is_visible("h1")
    assert page.locator(".without tr").count() > 2


@pytest.mark.parametrize("width", [1280, 1440])
def test_a_row_shows_what_matched_wherever_it_is_in_the_value(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    value = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
    rule = FindingRule("r", "Rule", "high", "test", (), "", "")
    item = Finding(
        "1" * 32, rule, "2026-11-18T01:02:03Z", "pc", Source("a.json", 1), {"ParentImage": value},
        (Match("ParentImage", value, "endswith '\\winword.exe'"),), "windows",
    )  # fmt: skip
    path = write(tmp_path / "long.html", [item, *findings(3)], summary(4))
    page = opened(browser, path, viewport={"width": width, "height": 900}).page
    row = page.locator("#rows .row").filter(has_text="WINWORD.EXE")
    mark, cell = (row.locator(part).bounding_box() for part in ("mark", ".c-evidence"))
    assert mark is not None
    assert cell is not None
    assert mark["x"] + mark["width"] <= cell["x"] + cell["width"]


def test_long_paths_are_told_apart_by_their_ends(browser: Browser, tmp_path: Path) -> None:
    items = [
        structs.replace(item, source=Source(f"a{n}/{'deep/' * 9}host-{n}/security-2026.evtx", 1))
        for n, item in enumerate(findings(3))
    ]
    page = opened(browser, write(tmp_path / "paths.html", items, summary(3))).page
    names = page.locator(".facet[aria-label=File] .fname")
    assert names.count() == 3
    for n in range(3):
        box = names.nth(n).bounding_box()
        text = names.nth(n).locator("bdi").bounding_box()
        assert box is not None
        assert text is not None
        # What does not fit sticks out at the beginning; the end is in sight.
        assert text["x"] < box["x"]
        assert text["x"] + text["width"] <= box["x"] + box["width"] + 1


def test_loads_nothing_but_itself(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.keyboard.press("j")
    assert [url.partition("#")[0] for url in view.requests if not url.startswith("data:")] == [many.as_uri()]
    refused = view.page.evaluate("fetch('https://example.org/').then(() => 'loaded', () => 'refused')")
    assert refused == "refused"
    markup = "try { document.body.innerHTML = '<b>x</b>'; 'made' } catch { 'refused' }"
    assert (
        view.page.evaluate(f"() => {{ {markup.replace(chr(39) + 'made' + chr(39), 'return 1')} return 0 }}")
        == 0
    )


@pytest.mark.parametrize(
    ("lang", "scheme", "size"),
    [("vi", "dark", DESK), ("en", "light", PHONE)],
    ids=["desk-dark", "phone-light"],
)
def test_axe_finds_nothing_wrong(
    browser: Browser, tmp_path: Path, lang: str, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    path = write(tmp_path / "page.html", findings(100), summary(100), lang)
    view = opened(browser, path, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = view.page
    page.click("#unread button")
    faults = axe_faults(axe, page)
    page.locator("#rows .row").first.click()
    faults += axe_faults(axe, page)
    assert faults == []


def axe_faults(axe: Any, page: Page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.mark.parametrize(
    "size", [DESK, PHONE, {"width": 820, "height": 1180}], ids=["desk", "phone", "tablet"]
)
def test_nothing_sticks_out_sideways(browser: Browser, many: Path, size: dict[str, int]) -> None:
    page = opened(browser, many, viewport=size).page
    page.locator("#rows .row").first.click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("#detail button").last.bounding_box() is not None


def test_filters_combine_and_the_address_carries_them(browser: Browser, many: Path) -> None:
    items = list(findings(2_000))
    view = opened(browser, many)
    assert view.count() == "2,000 findings"
    view.page.click('[data-key="level-1"]')
    high = [item for item in items if item.rule.level == "high"]
    assert view.count() == f"{len(high):,} of 2,000 findings"
    view.search("powershell")
    both = [
        item
        for item in high
        if "powershell" in json.dumps(item.event).lower() or "PowerShell" in item.rule.title
    ]
    assert view.count() == f"{len(both):,} of 2,000 findings"
    view.page.locator('#facets [data-key^="host-"]').first.click()
    few = view.count()
    fragment = view.page.evaluate("location.hash")
    assert opened(browser, many, fragment).count() == few
    view.page.keyboard.press("x")
    assert view.count() == "2,000 findings"


def test_back_undoes_the_last_step(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    page = view.page
    everything = view.count()
    page.locator("#levels button").first.click()
    critical = view.count()
    view.search("a")
    view.search("an")
    page.locator("#rows .row").first.click()
    for _ in range(3):
        page.keyboard.press("j")
    # Back: out of the findings that were walked along, out of the search as a whole, out of the filter.
    page.go_back()
    assert not page.is_visible("#detail")
    assert page.input_value("#search") == "an"
    page.go_back()
    assert page.input_value("#search") == ""
    assert view.count() == critical
    page.go_back()
    assert view.count() == everything
    page.go_forward()
    assert view.count() == critical
    assert view.complaints == []


def test_each_facet_count_is_what_choosing_it_leaves(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.click('[data-key="level-2"]')
    for kind in ("host", "rule", "file", "technique", "tactic"):
        choice = view.page.locator(
            f'.fitem[data-key^="{kind}-"], .tactic:not(.nil)[data-key^="{kind}-"]'
        ).last
        promised = choice.locator("b, .fn").inner_text()
        choice.click()
        assert view.count().split(" ")[0] == promised, kind
        view.page.keyboard.press("x")
        view.page.click('[data-key="level-2"]')


def test_search_finds_fields_values_hosts_rules_files_and_phrases(browser: Browser, many: Path) -> None:
    items = list(findings(2_000))
    view = opened(browser, many)

    def expect(query: str, matches: list[Finding]) -> None:
        view.search(query)
        found = view.page.evaluate("document.getElementById('grid').getAttribute('aria-rowcount')")
        assert int(found) - 1 == len(matches), query

    expect('"net group"', [i for i in items if "net group" in str(i.event)])
    expect("LAMSON\\tt.binh", [i for i in items if i.event.get("User") == "LAMSON\\tt.binh"])
    expect("bv-dakhoa-12", [i for i in items if i.host == "BV-DAKHOA-12"])
    expect("shadow copies deleted", [i for i in items if i.rule.title == "Shadow Copies Deleted"])
    expect("dns.log.gz", [i for i in items if i.source.path.endswith("dns.log.gz")])
    expect("nothing-like-this", [])
    assert view.page.is_visible("#none")


def test_names_of_one_machine_count_as_one_and_findings_keep_their_own(
    browser: Browser, tmp_path: Path
) -> None:
    rule = FindingRule("r", "Rule", "high", "test", ("attack.execution",))
    names = ["DC01", "dc01.haivan.example", "DC01.haivan.example", "dc01.haivan.example", "10.0.0.5", "10"]
    items = [
        Finding(f"{at:032}", rule, f"2026-03-01T08:00:0{at}Z", name, Source("a.json", at), {"n": at}, ())
        for at, name in enumerate(names)
    ]
    path = write(tmp_path / "hosts.html", items, ScanSummary(rules=1, events=6, findings=6))
    view = opened(browser, path)
    assert "on 3 hosts" in view.page.inner_text("#verdict")
    assert view.page.inner_text("#rules td.hosts") == "3"
    view = opened(browser, path, "#host=DC01")
    assert view.count().split(" ")[0] == "4"
    shown = view.page.locator("#grid .c-host").all_inner_texts()
    assert sorted(shown[-4:]) == sorted(names[:4])
    assert not view.complaints


def test_dragging_over_the_time_line_filters_by_time(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    box = view.page.locator("#time").bounding_box()
    assert box
    view.page.mouse.move(box["x"] + 300, box["y"] + 40)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + 500, box["y"] + 40, steps=5)
    view.page.mouse.up()
    times = view.page.evaluate("[...new URLSearchParams(location.hash.slice(1))].filter(p => p[0] !== 'q')")
    limits = {name: value for name, value in times if name in ("from", "to")}
    inside = [i for i in findings(2_000) if i.time and limits["from"] <= i.time < limits["to"]]
    assert 0 < len(inside) < 2_000
    assert view.count() == f"{len(inside):,} of 2,000 findings"
    view.page.focus("#time")
    view.page.keyboard.press("Escape")
    assert view.count() == "2,000 findings"


def test_keyboard_alone_searches_moves_opens_and_closes(browser: Browser, many: Path) -> None:
    page = opened(browser, many).page
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator("#rows .row[aria-selected=true]").get_attribute("aria-rowindex") == "3"
    assert page.is_visible("#detail")
    page.keyboard.press("Escape")
    assert not page.is_visible("#detail")
    page.focus("#grid")
    page.keyboard.press("End")
    assert page.locator("#rows .row[aria-selected=true]").get_attribute("aria-rowindex") == "2001"


def test_detail_shows_the_whole_event_and_marks_what_matched(browser: Browser, tmp_path: Path) -> None:
    rule = FindingRule(
        "r", "R", "high", "test", ("attack.t1059.001", "attack.execution", "cve.2026-1"), "Says why."
    )
    values = (
        ("A", "one TWO three", "contains 'two'", "TWO"),
        ("B", r"C:\x\evil.exe", r"endswith '\\evil.exe'", r"\evil.exe"),
        ("C", r"C:\x\evil.exe", r"startswith 'C:\'", "C:\\"),
        ("D", "ab-12-cd", "re '[0-9]+'", "12"),
        ("D2", "ab-12-cd", "re '(?=1)12'", "ab-12-cd"),
        ("E", 4688, "equals 4688", "4688"),
        ("F", "first second third", "matches 'first*third'", "first|third"),
        ("G", r"C:\a\x.exe", r"matches 'C:\*\x.exe'", "C:\\|\\x.exe"),
        ("H", "Two", "equals 'Two' (cased)", "Two"),
    )
    matched = tuple(Match(field, value, test) for field, value, test, _ in values)
    event = {field: value for field, value, _, _ in values} | {"Other": None, "Nested": {"x": [1]}}
    item = Finding("a" * 32, rule, "2026-11-18T01:02:03Z", "h", Source("z.zip!a.json", 9), event, matched)
    page = opened(browser, write(tmp_path / "one.html", [item], summary(1))).page
    page.keyboard.press("j")
    marks = page.evaluate("[...document.querySelectorAll('.matched dd')].map(d =>"
                          " [...d.querySelectorAll('mark')].map(m => m.textContent).join('|'))")  # fmt: skip
    assert marks == [mark for _, _, _, mark in values]
    text = page.inner_text("#detail")
    for part in (
        "Says why.",
        "z.zip!a.json",
        "record 9",
        "a" * 32,
        "PowerShell",
        "Execution",
        "cve.2026-1",
        "null",
    ):
        assert part in text, part


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_rule_speaks_the_language_of_the_page_and_says_what_to_do_first(
    browser: Browser, tmp_path: Path, lang: str
) -> None:
    rule = FindingRule("r", "A Rule", "high", "test", ("attack.execution",), "", "What it means.")
    item = Finding("0" * 32, rule, "2026-03-01T08:00:00Z", "h", Source("a.json", 1), {"n": 1}, ())
    vietnamese = RuleWords("vi", "Một quy tắc", "Nghĩa là gì.", HOSTILE)
    account = ScanSummary(rules=1, events=1, words={"r": (RuleWords("en", advice=HOSTILE), vietnamese)})
    view = opened(browser, write(tmp_path / "words.html", [item], account, lang))
    view.page.keyboard.press("j")
    title, description, heading = {
        "en": ("A Rule", "What it means.", "What to do first"),
        "vi": ("Một quy tắc", "Nghĩa là gì.", "Việc cần làm trước tiên"),
    }[lang]
    assert view.page.inner_text("#detail h2") == title
    assert view.page.inner_text("#detail .said") == description
    assert view.page.inner_text("#detail .advice h3").lower() == heading.lower()
    assert "window.owned=1" in view.page.inner_text("#detail .advice p")
    assert view.page.inner_text("#rules td.title") == title
    assert view.page.inner_text("#grid .row .c-rule >> nth=-1") == title
    view.search("quy tắc")
    found = view.page.evaluate("document.getElementById('grid').getAttribute('aria-rowcount')")
    assert int(found) - 1 == (1 if lang == "vi" else 0)
    assert not view.complaints


def test_copy_gives_the_finding_as_in_ndjson(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.page.keyboard.press("j")
    view.page.keyboard.press("c")
    view.page.wait_for_selector("#live:text('Copied')", state="attached")
    copied = json.loads(view.page.evaluate("navigator.clipboard.readText()"))
    original = next(item for item in findings(2_000) if item.id == copied["id"])
    assert copied["event"] == original.event
    assert copied["rule"]["id"] == original.rule.id
    assert copied["source"] == {"path": original.source.path, "record": original.source.record}
    assert copied["time"] == original.time


@pytest.mark.parametrize("width", [1280, 1440])
@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_buttons_of_a_finding_are_in_sight_beside_a_short_table(
    browser: Browser, tmp_path: Path, lang: str, width: int
) -> None:
    path = write(tmp_path / "short.html", findings(6), summary(6), lang)
    page = opened(browser, path, viewport={"width": width, "height": 900}).page
    page.keyboard.press("j")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    head, bar = (page.locator(part).bounding_box() for part in (".detail-head", "#bar"))
    assert head is not None
    assert bar is not None
    assert head["y"] >= bar["y"] + bar["height"]
    assert head["height"] < 60, "the buttons stand in one row"


def test_an_event_that_is_no_finding_alone_is_named_by_its_place(browser: Browser, tmp_path: Path) -> None:
    rule = FindingRule("r", "Many Failures, Then a Logon", "critical", "test", (), "", "")
    places = tuple(
        MemberSource("may-chu/auth.log", record, f"2026-11-18T01:0{minute}:03Z", NamedRule("", said))
        for record, minute, said in ((17, 1, "Failed Logon"), (1018, 2, "Logon"))
    )
    item = Finding(
        "1" * 32, rule, "2026-11-18T01:02:03Z", "pc", places[-1], {"addr": "10.0.0.9"}, (), "correlation",
        members=("2" * 32, "3" * 32), member_sources=places, group={"addr": "10.0.0.9"}, count=2,
    )  # fmt: skip
    page = opened(browser, write(tmp_path / "joined.html", [item], summary(1))).page
    page.keyboard.press("j")
    assert page.locator("#detail .members li").all_inner_texts() == [
        "2026-11-18 01:01:03 Failed Logon · auth.log record 17",
        "2026-11-18 01:02:03 Logon · auth.log record 1018",
    ]


def test_members_of_a_correlation_open_their_findings(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.search('"theft, then a logon"')
    view.page.locator("#rows .row").first.click()
    view.page.keyboard.press("x")
    member = next(item for item in findings(2_000) if item.members).members[0]
    view.page.locator(".members button").first.click()
    assert member in view.page.inner_text("#detail")


@pytest.mark.parametrize("count", [0, 1])
def test_page_with_nothing_or_one_finding_is_honest(browser: Browser, tmp_path: Path, count: int) -> None:
    view = opened(browser, write(tmp_path / "few.html", findings(count), summary(count)))
    verdict = view.page.inner_text("h1")
    if count:
        assert verdict.startswith("1 informational finding on 1 host at 2026-11-18")
    else:
        assert verdict == "Nothing was found in what could be read."
        assert "the file ends in the middle of a chunk" in view.page.inner_text("#read")
    assert "3 files could not be read in whole · 1 rule was refused" in view.page.inner_text("#unread")
    assert view.complaints == []


def test_page_of_a_clean_run_without_findings_says_that_everything_was_read(
    browser: Browser, tmp_path: Path
) -> None:
    page = opened(browser, write(tmp_path / "clean.html", [], summary(0, broken=False))).page
    assert page.inner_text("h1") == "Nothing was found."
    assert not page.is_visible("#unread")
    assert "Every file was read in whole." in page.inner_text("#read")
    empty = opened(browser, write(tmp_path / "empty.html", [], ScanSummary())).page
    assert empty.inner_text("h1") == "No rules were loaded, so nothing could be found."


def test_printing_puts_rows_on_paper(browser: Browser, many: Path) -> None:
    page = opened(browser, many).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed .row").count() == 500
    assert "The first 500 of 2,000 findings" in page.inner_text("#printed")
    assert not page.is_visible("#bar")


def test_vietnamese_page_writes_dates_and_numbers_the_vietnamese_way(
    browser: Browser, tmp_path: Path
) -> None:
    path = write(tmp_path / "vi.html", findings(1_200), summary(1_200), "vi")
    view = opened(browser, path)
    assert view.count() == "1.200 phát hiện"
    assert "phát hiện mức nghiêm trọng trên" in view.page.inner_text("h1")
    assert view.page.locator("#rows .c-time").first.inner_text().startswith("18/11/2026 ")


@pytest.mark.slow
def test_a_hundred_thousand_findings_stay_quick(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path / "huge.html", findings(100_000), summary(100_000))
    assert path.stat().st_size < 20_000_000
    page = opened(browser, path).page
    assert float(page.get_attribute("html", "data-ready") or "inf") < 10_000
    page.wait_for_timeout(1_000)
    taken = []
    for key in ("level-0", "level-1", "tactic-discovery", "level-1", "level-0"):
        page.click(f'[data-key="{key}"]')
        taken.append(float(page.get_attribute("html", "data-filter-ms") or "inf"))
    # The median: other work on the machine may delay one of them.
    assert sorted(taken)[2] < 100
    assert page.locator("#rows .row").count() < 120
    page.keyboard.press("x")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector('#rows .row[aria-rowindex="100001"]')
