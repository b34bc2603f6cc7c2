"""The progress line."""

from __future__ import annotations

import io

from haidang.cli._progress import Progress, progress_line
from haidang.i18n import translator


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(clock: Clock, *, columns: int = 200, colour: bool = False) -> tuple[Progress, io.StringIO]:
    stream = io.StringIO()
    shown = Progress(stream, translator("en"), clock=clock, columns=lambda: columns, colour=colour)
    return shown, stream


def line_of(state: tuple[int, int, int, int], seconds: float, lang: str = "en", columns: int = 200) -> str:
    return progress_line(state, seconds, columns=columns, translate=translator(lang))


def test_says_share_time_left_rate_findings_and_bytes() -> None:
    line = line_of((25_000_000, 100_000_000, 50_000, 3), 10.0, "en")
    assert (
        line == "━━━━━━──────────────────  25%  30.0 s left  5,000 events/s  3 findings  25.0 MB / 100.0 MB"
    )


def test_speaks_vietnamese() -> None:
    line = line_of((25_000_000, 100_000_000, 50_000, 3), 10.0, "vi")
    assert line.endswith("25%  còn 30,0 s  5.000 sự kiện/giây  3 phát hiện  25,0 MB / 100,0 MB")


def test_input_of_unknown_size_has_no_bar_and_no_time_left() -> None:
    line = line_of((25_000_000, 0, 50_000, 1), 10.0, "en")
    assert line == "5,000 events/s  1 finding  25.0 MB"


def test_more_bytes_than_were_announced_stay_at_all_of_them() -> None:
    line = line_of((300, 100, 1, 0), 1.0, "en")
    assert "100%  0.0 s left" in line


def test_beginning_divides_by_nothing() -> None:
    assert "0 events/s" in line_of((0, 100, 0, 0), 0.0, "en")


def test_line_is_rewritten_in_place_at_most_ten_times_a_second_and_gone_at_the_end() -> None:
    clock = Clock()
    shown, stream = progress(clock)
    for _ in range(100):
        clock.now += 0.01
        shown.update(50, 100, 7, 0)
    shown.clear()
    lines = stream.getvalue().split("\r\x1b[K")
    assert lines[1] == "Loading the rules …"
    assert 9 <= len(lines) - 3 <= 11
    assert lines[-1] == ""
    assert "\n" not in stream.getvalue()


def test_rate_does_not_count_the_time_of_loading_rules() -> None:
    clock = Clock()
    shown, stream = progress(clock)
    clock.now += 30
    shown.update(0, 100, 0, 0)
    clock.now += 1
    shown.update(50, 100, 500, 0)
    assert "500 events/s" in stream.getvalue()


def test_line_never_wraps() -> None:
    clock = Clock()
    shown, stream = progress(clock, columns=30)
    clock.now += 1
    shown.update(50, 100, 7, 0)
    assert stream.getvalue().split("\r\x1b[K")[-1] == "━━━━━━━━━━━━────────────  50%"


def test_narrow_line_leaves_whole_parts_out() -> None:
    state = (25_000_000, 100_000_000, 50_000, 3)
    assert line_of(state, 10.0, columns=60).endswith("30.0 s left  5,000 events/s")
    assert line_of(state, 10.0, columns=5) == ""


def test_colour_is_only_there_where_it_is_wanted() -> None:
    for colour in (False, True):
        clock = Clock()
        shown, stream = progress(clock, colour=colour)
        clock.now += 1
        shown.update(50, 100, 7, 0)
        assert ("\x1b[36m━━━━━━━━━━━━\x1b[0m─" in stream.getvalue()) is colour
