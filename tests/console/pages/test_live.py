"""News: one look at the database for all who listen, and nothing of another unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from asgiref.sync import async_to_sync

from haidang.console.alerts import live
from haidang.console.alerts.actions import acknowledge
from haidang.console.alerts.live import Hub
from haidang.console.alerts.models import Batch
from haidang.console.people.access import AccessMiddleware, allowed
from tests.console.requests import request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.console.alerts.models import Alert
    from haidang.console.people.models import User
    from haidang.console.units.models import Unit


def test_what_is_new_and_what_was_worked_on_is_told_once(
    analyst: User, hospital: Unit, make_alert: Callable[..., Alert]
) -> None:
    old = make_alert(hospital)
    hub = Hub()
    assert hub._ask() == []
    new = make_alert(hospital, level=4)
    acknowledge(request_of(analyst), [old.pk])
    assert hub._ask() == [
        live.Change(new.pk, 4, hospital.path, new=True),
        live.Change(old.pk, 0, hospital.path, new=False),
    ]
    assert hub._ask() == []
    assert not hub._moved
    Batch.objects.create(spool="s", number=1)
    assert hub._ask() == []
    assert hub._moved


def test_a_listener_hears_of_its_own_units_alone(hospital: Unit, school: Unit) -> None:
    async def told() -> tuple[list[live.News], list[live.News]]:
        hub = Hub()
        one, all_of_it = (
            live._Listener(everything=False, path=hospital.path),
            live._Listener(everything=True, path=""),
        )
        nobody = live._Listener(everything=False, path="")
        hub._listeners = {one, all_of_it, nobody}
        hub._tell([
            live.Change(1, 3, hospital.path, new=True),
            live.Change(2, 4, school.path, new=True),
            live.Change(3, 4, "", new=False),
        ])  # fmt: skip
        assert nobody.queue.empty()
        # That something came in is no secret, what it was is.
        hub._moved = True
        hub._tell([])
        assert nobody.queue.get_nowait() == live.News([], [], 0, reload=False, moved=True)
        return [one.queue.get_nowait()], [all_of_it.queue.get_nowait()]

    own, everything = async_to_sync(told)()
    assert own == [live.News([1], [], 3, reload=False)]
    assert everything == [live.News([1, 2], [3], 4, reload=False)]


def test_who_does_not_keep_up_loads_again() -> None:
    async def slow() -> list[live.News]:
        listener = live._Listener(everything=True, path="")
        for number in range(100):
            listener.tell(live.News([number], [], 0, reload=False))
        return [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]

    news = async_to_sync(slow)()
    assert len(news) < 100
    assert any(one.reload for one in news)


def test_the_hub_asks_only_while_somebody_listens(analyst: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def ask(self: Hub) -> list[live.Change]:
        nonlocal asked
        asked += 1
        return [live.Change(asked, 1, "", new=True)]

    monkeypatch.setattr(Hub, "_ask_anew", ask)
    monkeypatch.setattr(live, "_close", lambda: None)

    async def listen() -> int:
        hub = Hub(pause=0.01)
        async with hub.listening(analyst) as first, hub.listening(analyst) as second:
            # Two who listen hear the same look.
            assert (await asyncio.wait_for(first.get(), 5)) == (await asyncio.wait_for(second.get(), 5))
        task = hub._task
        assert task is not None
        await asyncio.wait_for(task, 5)
        return asked

    before = async_to_sync(listen)()
    assert asked == before


def test_an_asynchronous_view_is_refused_like_any_other(liaison: User) -> None:
    @allowed("people.edit")
    async def view(request: object) -> None:
        raise AssertionError(request)

    request = request_of(liaison)

    async def auser() -> User:
        return liaison

    request.auser = auser
    from django.core.exceptions import PermissionDenied

    with pytest.raises(PermissionDenied):
        async_to_sync(view)(request)
    assert AccessMiddleware(lambda _: None).process_view(request, view, (), {}) is None  # type: ignore[arg-type, return-value]
