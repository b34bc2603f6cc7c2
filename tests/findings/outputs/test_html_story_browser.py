"""The page's ways through a case, in a browser: matrix, pivots, process tree, moves, rare values, links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from haidang.findings.gathering import Trails
from haidang.findings.model import FindingRule, ScanSummary
from haidang.findings.trails import About, Move, Start, about
from haidang.limits import DEFAULT_LIMITS
from tests.findings.outputs._opened import DESK, HOSTILE, PHONE, axe_faults, hostile_finding, opened, write
from tests.findings.outputs.stories import PC, SERVER, T0, USER, story, story_summary
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("story") / "story.html", story(), story_summary())


def open_row(page: Page, title: str) -> None:
    page.locator("#rows .row").filter(has_text=title).click()


def tree_of(page: Page) -> list[tuple[int, str]]:
    """Return depth and name of each process of the tree, from top to bottom."""
    found: list[list[Any]] = page.evaluate(
        "[...document.querySelectorAll('.tree .process')].map(p => {"
        " let depth = 0; for (let e = p; (e = e.parentElement.closest('.tree ul')); ) depth += 1;"
        " return [depth, p.querySelector('b').textContent]; })"
    )
    return [(depth, name) for depth, name in found]


def test_process_tree_shows_parents_children_and_what_was_found_in_them(browser: Browser, case: Path) -> None:
    view = opened(browser, case)
    open_row(view.page, "PowerShell Fetches")
    assert tree_of(view.page) == [
        (0, "explorer.exe"), (1, "WINWORD.EXE"), (2, "cmd.exe"), (3, "powershell.exe"), (4, "whoami.exe"),
    ]  # fmt: skip
    tree = view.page.inner_text(".tree")
    assert "its start was not seen" in tree
    assert "1 other process of the same parent" in tree
    assert view.page.inner_text(".tree .this b") == "powershell.exe"
    view.page.locator(".tree button").filter(has_text="Shell Started by a Document").click()
    assert view.page.inner_text("#detail h2") == "Shell Started by a Document"
    assert view.page.inner_text(".tree .this b") == "cmd.exe"
    assert view.complaints == []


def test_finding_on_another_event_of_a_process_has_its_tree(browser: Browser, case: Path) -> None:
    page = opened(browser, case).page
    open_row(page, "Talks to an Outside")
    assert page.inner_text(".tree .this b") == "powershell.exe"
    assert "whoami.exe" in page.inner_text(".tree")


def test_tree_of_a_finding_alone_is_what_its_event_tells(browser: Browser, tmp_path: Path) -> None:
    page = opened(browser, write(tmp_path / "alone.html", findings(40), summary(40))).page
    row = page.locator("#rows .row").filter(has_text="Discovery Commands").first
    row.click()
    names = [name for _, name in tree_of(page)]
    assert names[1] == "cmd.exe"
    assert names[0] in {"WINWORD.EXE", "explorer.exe"}


def test_a_click_on_host_or_user_shows_it_as_a_whole(browser: Browser, case: Path) -> None:
    view = opened(browser, case)
    page = view.page
    open_row(page, "PowerShell Fetches")
    page.locator("#detail .facts button").filter(has_text=PC).click()
    assert view.count() == "3 of 4 findings"
    card = page.inner_text("#pivot-card")
    for part in (
        PC,
        "First seen",
        "2026-11-12 02:00",
        "2026-11-12 02:02",
        USER,
        "Shell Started by a Document",
    ):
        assert part in card, part
    assert re.search(rf"Went to.*{SERVER}", card, re.DOTALL)
    page.locator("#pivot-card button").filter(has_text=USER).click()
    assert view.count() == "3 of 4 findings"
    page.locator("#facets .fitem").filter(has_text=PC).click()
    assert view.count() == "4 findings"
    assert SERVER in page.inner_text("#pivot-card")
    assert "user=" in page.evaluate("location.hash")
    assert opened(browser, case, page.evaluate("location.hash")).page.is_visible("#pivot-card")
    assert view.complaints == []


def test_moves_lead_from_host_to_host_and_leave_everyday_ones_out(browser: Browser, case: Path) -> None:
    view = opened(browser, case)
    page = view.page
    assert page.locator("#moves svg .place").count() == 2
    text = page.locator("#moves svg").text_content() or ""
    assert "VP-PC-031" in text
    assert "10.20.4.31" in text
    assert "thu.lm" in text
    cells = page.locator("#moves tbody tr").first.locator("td").all_inner_texts()
    assert cells[2:6] == [PC, SERVER, "network logon", USER]
    page.click('[data-key="moves-all"]')
    assert page.locator("#moves svg .place").count() == 7
    page.click('[data-key="moves-all"]')
    page.locator("#moves svg .place").first.click()
    assert view.count() == "3 of 4 findings"


def test_a_slight_finding_makes_nobody_notable_beside_graver_ones(browser: Browser, tmp_path: Path) -> None:
    logoff = {
        "EventID": 4634, "Channel": "Security", "Computer": SERVER, "TargetUserName": "nv1",
        "TargetDomainName": "SONGLO",
    }  # fmt: skip
    rule = FindingRule("s-9", "User Logoff Event", "informational", "test", ())
    slight = structs.replace(
        story()[3], id="9" * 32, rule=rule, about=about("windows", logoff, host=SERVER, time=T0)
    )
    path = write(tmp_path / "slight.html", [*story(), slight], story_summary())
    page = opened(browser, path).page
    assert page.locator("#moves svg .place").count() == 2
    # Where there is nothing graver, it is all that there is.
    path = write(tmp_path / "alone.html", [slight], story_summary())
    assert "nv1" in (opened(browser, path).page.locator("#moves svg").text_content() or "")


def test_of_very_many_moves_those_beside_the_gravest_findings_are_drawn(
    browser: Browser, tmp_path: Path
) -> None:
    account = story_summary()
    assert account.trails is not None
    items = story()[1:2]
    for number in range(80):
        user, time = f"nv{number:03}", T0 - 90_000 + number
        logon = {"EventID": 4624, "LogonType": 3, "TargetUserName": user, "IpAddress": f"10.9.0.{number}"}
        told = about("windows", logon, host=SERVER, time=time)
        account.trails.gather(told)
        items.append(structs.replace(story()[3], id=f"{number + 100:032x}", about=told))
    page = opened(browser, write(tmp_path / "moves.html", items, account)).page
    # The first 60 in time would be those of the ordinary users.
    assert "VP-PC-031" in (page.locator("#moves svg").text_content() or "")
    assert "60 links are drawn" in page.inner_text("#moves")


def test_matrix_cell_is_where_attack_has_it_and_filters(browser: Browser, case: Path) -> None:
    view = opened(browser, case)
    cells = view.page.evaluate("[...document.querySelectorAll('.cell')].map(c => c.dataset.key)")
    assert sorted(cells) == [
        "cell-command-and-control-T1105",
        "cell-execution-T1059.001",
        "cell-execution-T1204.002",
        "cell-lateral-movement-T1021.002",
    ]
    view.page.click('[data-key="cell-execution-T1204.002"]')
    assert view.count() == "1 of 4 findings"
    assert view.page.evaluate("document.activeElement.dataset.key") == "cell-execution-T1204.002"


def test_long_names_in_matrix_break_where_words_may(browser: Browser, tmp_path: Path) -> None:
    items = [
        structs.replace(item, rule=structs.replace(item.rule, tags=("attack.execution", tag)))
        for item, tag in zip(story(), ("attack.t1047", "attack.t1566.001", "attack.t1021.002"), strict=False)
    ]
    page = opened(browser, write(tmp_path / "long.html", items, story_summary())).page
    names = page.locator(".cell-name").evaluate_all("cells => cells.map(cell => cell.textContent)")
    assert sorted(names) == [
        "SMB/\u200bWindows Admin Shares",
        "Spearphish\u00ading Attach\u00adment",
        "Windows Manage\u00adment Instrument\u00adation",
    ]


def test_each_matrix_count_is_what_choosing_the_cell_leaves(browser: Browser, tmp_path: Path) -> None:
    view = opened(browser, write(tmp_path / "many.html", findings(600), summary(600)))
    view.page.click('[data-key="level-1"]')
    for key in view.page.evaluate(
        "[...document.querySelectorAll('.cell:not(.nil)')].map(c => c.dataset.key)"
    ):
        cell = view.page.locator(f'[data-key="{key}"]')
        promised = cell.locator("b").inner_text()
        cell.click()
        assert view.count().split(" ")[0] == promised, key
        view.page.locator(f'[data-key="{key}"]').click()


def test_each_user_count_is_what_choosing_the_user_leaves(browser: Browser, tmp_path: Path) -> None:
    items = list(findings(600))
    view = opened(browser, write(tmp_path / "many.html", items, summary(600)))
    choice = view.page.locator('#facets [data-key^="user-"]').first
    name, promised = choice.locator(".fname").inner_text(), choice.locator(".fn").inner_text()
    choice.click()
    assert view.count().split(" ")[0] == promised
    named = [i for i in items if name in (i.event.get("User"), (i.group or {}).get("User"))]
    assert int(promised) == len(named)


def test_rare_values_are_those_of_few_findings(browser: Browser, case: Path) -> None:
    view = opened(browser, case)
    view.page.click("#rare-card summary")
    view.page.wait_for_selector("#rare tbody tr")
    rows = view.page.locator("#rare tbody tr").all_inner_texts()
    assert any("cmd.exe" in row for row in rows)
    view.page.locator("#rare tbody button").filter(has_text="cmd.exe").click()
    assert view.page.inner_text("#detail h2") == "Shell Started by a Document"


def test_rare_values_are_found_in_objects_and_lists_too(browser: Browser, tmp_path: Path) -> None:
    item = story()[0]
    event = {
        "userIdentity": {"arn": "arn:aws:iam::1:user/ha"},
        "properties": {"ipAddress": "203.0.113.9"},
        "sourceIPs": ["198.51.100.7", "198.51.100.7"],
        "Parameters": [{"Name": "ForwardTo"}],
    }
    page = opened(
        browser, write(tmp_path / "cloud.html", [structs.replace(item, event=event)], summary(1))
    ).page
    page.click("#rare-card summary")
    page.wait_for_selector("#rare tbody tr")
    rows = [row.split("\t")[1:4] for row in page.locator("#rare tbody tr").all_inner_texts()]
    assert sorted(rows) == [
        ["properties.ipAddress", "203.0.113.9", "1"],
        ["sourceIPs", "198.51.100.7", "1"],
        ["userIdentity.arn", "arn:aws:iam::1:user/ha", "1"],
    ]


def test_who_came_by_vpn_is_whoever_moved_on_from_the_address_that_it_gave(
    browser: Browser, tmp_path: Path
) -> None:
    events = [
        ("openvpn", {"action": "connected", "user": "hoa.nt", "src_ip": "203.0.113.77"}),
        ("openvpn", {"virtual_ip": "10.8.0.6", "src_ip": "203.0.113.77"}),
        ("syslog", {"program": "sshd", "message": "Accepted password for quantri from 10.8.0.6 port 1 ssh2"}),
    ]
    trails = Trails(DEFAULT_LIMITS)
    for at, (origin, event) in enumerate(events):
        trails.gather(about(origin, event, host="hv-web01" if origin == "syslog" else "hv-vpn", time=T0 + at))
    account = ScanSummary(rules=1, events=3, findings=1, trails=trails)
    page = opened(browser, write(tmp_path / "vpn.html", story()[:1], account)).page
    if not page.evaluate("document.getElementById('moves-card').open"):
        page.click("#moves-card summary")
    page.locator("#moves [data-key='moves-all']").click()
    rows = [row.split("\t")[2:6] for row in page.locator("#moves tbody tr").all_inner_texts()]
    assert rows == [
        ["203.0.113.77", "hv-vpn", "VPN", "hoa.nt"],
        ["203.0.113.77", "hv-web01", "SSH", "quantri"],
    ]


def test_link_to_a_finding_opens_it_whatever_the_filters_were(browser: Browser, case: Path) -> None:
    view = opened(browser, case, "#level=high")
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.page.locator("#rows .row").first.click()
    view.page.keyboard.press("l")
    view.page.wait_for_selector("#live:text('Copied')", state="attached")
    link = view.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{case.as_uri()}#finding={0:032x}"
    again = opened(browser, case, "#" + link.partition("#")[2])
    assert again.page.inner_text("#detail h2") == "Shell Started by a Document"
    assert again.count() == "4 findings"
    view.page.click("#view-link")
    assert "level=high" in view.page.evaluate("navigator.clipboard.readText()")


def test_hostile_trails_run_nothing_and_hide_nothing(browser: Browser, tmp_path: Path) -> None:
    item = hostile_finding()
    start = Start(HOSTILE, 1, "", "7", "", "6", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    move = Move(HOSTILE, "other" + HOSTILE, HOSTILE, HOSTILE, 1)
    told = About((HOSTILE, "__proto__", "constructor"), "#7", start, move, (HOSTILE, "__proto__"))
    trails = Trails(DEFAULT_LIMITS)
    trails.gather(told)
    trails.want(HOSTILE, "#7", None)
    told_item = type(item)(
        item.id,
        item.rule,
        item.time,
        item.host,
        item.source,
        item.event,
        item.matched,
        item.origin,
        about=told,
    )
    account = ScanSummary(rules=1, events=1, findings=1, trails=trails)
    view = opened(browser, write(tmp_path / "hostile.html", [told_item, *findings(20)], account))
    page = view.page
    page.click("#rare-card summary")
    page.locator("#rows .row").filter(has_text="onerror").click()
    page.locator("#detail .facts button").filter(has_text="onerror").last.click()
    assert page.locator(".tree").is_visible()
    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    texts = page.evaluate(
        "document.body.innerText + [...document.querySelectorAll('[title]')].map(e => e.title).join()"
        " + [...document.querySelectorAll('svg title, svg text')].map(e => e.textContent).join()"
    )
    assert not set(texts) & set("\u2028\u202e\u202c\u200b")
    assert view.complaints == []


@pytest.mark.parametrize(
    ("lang", "scheme", "size"),
    [("vi", "dark", DESK), ("en", "light", PHONE)],
    ids=["desk-dark", "phone-light"],
)
def test_axe_finds_nothing_wrong_in_a_case(
    browser: Browser, tmp_path: Path, lang: str, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    path = write(tmp_path / "page.html", story(), story_summary(), lang)
    view = opened(browser, path, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = view.page
    page.click("#rare-card summary")
    page.wait_for_selector("#rare tbody tr")
    faults = axe_faults(axe, page)
    page.locator("#rows .row").first.click()
    faults += axe_faults(axe, page)
    page.locator("#detail .facts .pivot").first.click()
    faults += axe_faults(axe, page)
    assert faults == []


@pytest.mark.parametrize(
    "size", [DESK, PHONE, {"width": 820, "height": 1180}], ids=["desk", "phone", "tablet"]
)
def test_no_part_of_a_case_sticks_out_sideways(browser: Browser, case: Path, size: dict[str, int]) -> None:
    page = opened(browser, case, viewport=size).page
    page.click("#rare-card summary")
    page.locator("#rows .row").first.click()
    head = page.locator("#detail .detail-head")
    assert head.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    page.locator("#detail .facts .pivot").first.click()
    assert page.is_visible("#pivot-card")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
