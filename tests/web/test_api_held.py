"""Answers that are held for a moment."""

from __future__ import annotations

import asyncio

import pytest

from vedette.web.api.held import Held


class Making:
    def __init__(self) -> None:
        self.made = 0
        self.fails = False

    async def __call__(self) -> int:
        self.made += 1
        made = self.made
        await asyncio.sleep(0.01)
        if self.fails:
            raise OSError("no")
        return made


async def test_all_who_ask_at_once_wait_for_the_same() -> None:
    held, make = Held[int](60.0), Making()

    assert await asyncio.gather(*(held.get("a", make) for _ in range(10))) == [1] * 10
    assert await held.get("b", make) == 2
    held.forget()
    assert await held.get("a", make) == 3


async def test_what_failed_is_not_held() -> None:
    held, make = Held[int](60.0), Making()
    make.fails = True
    with pytest.raises(OSError, match="no"):
        await held.get("a", make)
    make.fails = False

    assert await held.get("a", make) == 2


async def test_one_who_goes_away_does_not_stop_it_for_the_others() -> None:
    held, make = Held[int](60.0), Making()
    first = asyncio.create_task(held.get("a", make))
    await asyncio.sleep(0)
    second = asyncio.create_task(held.get("a", make))
    await asyncio.sleep(0)
    first.cancel()

    assert await second == 1
    assert make.made == 1


async def test_an_old_answer_is_given_while_the_next_one_is_made() -> None:
    now = 0.0
    held, make = Held[int](1.0, now=lambda: now, rather_old=True), Making()
    assert await held.get("a", make) == 1
    now = 2.0
    assert await held.get("a", make) == 1
    await asyncio.sleep(0.05)
    assert await held.get("a", make) == 2


async def test_only_so_many_are_held() -> None:
    held, make = Held[int](60.0, most=2), Making()
    for key in "abc":
        await held.get(key, make)

    assert await held.get("a", make) == 4


async def test_what_takes_long_is_held_for_longer() -> None:
    """So that no more than that share of the time goes into it; when it is quick again, as usual."""
    now = 0.0
    took = 2.0
    made: list[float] = []

    async def make() -> float:
        nonlocal now
        now += took
        made.append(now)
        return now

    held = Held[float](5.0, now=lambda: now, share=0.1)
    assert await held.get("a", make) == 2.0
    now = 19.0
    assert await held.get("a", make) == 2.0
    took, now = 0.1, 21.0
    assert await held.get("a", make) == 21.1
    now = 26.5
    assert await held.get("a", make) == 26.6
    assert len(made) == 3
