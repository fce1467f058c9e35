"""A camera worker is replaced, as planned: its cameras go on in another process, and nobody notices."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from integration.changing import GONE, Node, Still, config
from integration.harness import Cameras, adds_up, gone, nobody_read, wait_until, workers_of
from patience import NEVER_S, PATIENCE_S
from servers import MediaMTX
from vedette.causes import Cause
from vedette.errors import ConfigError, WorkerError
from vedette.facts import EpochStarted, Gap, SessionEnded, TracksEnded, WorkerEnded, WorkerReplaced
from vedette.fleet import Fleet
from vedette.roster import Entry
from vedette.supervise.move import Move

MOVED = ("cam0", "cam2")
"""Cameras of cameras-0 of four in two workers."""


GRACE = {"track_grace": "1m"}
"""``defaults`` with which nothing but a move could begin an epoch."""


@pytest.fixture(autouse=True)
def _moves_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is too slow for them would be given up, also where the machine stands still."""
    for limit in ("JOIN_WITHIN_S", "HAND_OVER_WITHIN_S"):
        monkeypatch.setattr(f"vedette.supervise.move.{limit}", NEVER_S)


@pytest.fixture
def node(cameras: Cameras) -> Iterator[Node]:
    with Node(config(cameras, 4, defaults=GRACE)) as node:
        node.until_more("cam0", "cam1", "cam2", "cam3")
        node.forget()
        yield node


def worker_name(node: Node, camera: str) -> str:
    place = node.node._node.roster.named(camera).worker
    return f"cameras-{place}"


def ids(results: list[dict[str, object]]) -> set[int]:
    return {track["track_id"] for each in results for track in each["detections"]}  # type: ignore[attr-defined, index]


def replaced(node: Node) -> list[WorkerReplaced]:
    return [fact for fact in list(node.facts) if isinstance(fact, WorkerReplaced)]


def nothing_was_noticed(node: Node) -> None:
    assert not [fact for fact in node.facts if isinstance(fact, (EpochStarted, TracksEnded, WorkerEnded))]
    assert not [gap for name in MOVED for gap in gaps(node, name)]


def gaps(node: Node, camera: str) -> list[Gap]:
    return [gap for gap in node.gaps(camera) if not nobody_read(gap)]


def nothing_was_noticed_but_deaths(node: Node) -> None:
    """One that was to take over may die: nobody's camera is lost with it."""
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_tracks_and_epochs_go_on_and_nothing_is_a_gap(node: Node) -> None:
    still = Still(node, "cam1", "cam3")
    before = {name: (node.view(name), ids(node.of(name))) for name in MOVED}
    for number in range(3):
        name = worker_name(node, "cam0")
        node.node.recycle(name)
        node.until_more(*MOVED)
        wait_until(
            lambda number=number: len(replaced(node)) > number, "it is told that the worker was replaced"
        )
        told = replaced(node)
        assert len(told) == number + 1
        assert (told[-1].worker, told[-1].reason) == (name, "operator")
        assert worker_name(node, "cam0") == worker_name(node, "cam2") != name
    for name, (view, tracks) in before.items():
        assert node.view(name).epoch == view.epoch
        assert ids(node.of(name)) == tracks, "no id is new, none was lost"
        assert node.view(name).frames.orphaned == view.frames.orphaned
        assert node.view(name).frames.failed == 0
    nothing_was_noticed(node)
    still.check()
    wait_until(lambda: len(workers_of(os.getpid(), "camera")) == 2, "the ones before are gone")
    node.stop()


def test_a_new_camera_goes_to_the_one_that_took_over(node: Node, cameras: Cameras) -> None:
    node.node.remove_camera("cam0")
    node.node.recycle("cameras-0")
    node.node.add_camera("new", url=cameras.url(0))
    node.until_more("new", "cam2")
    assert worker_name(node, "new") != "cameras-0"
    node.stop()


def test_what_the_node_calls_a_worker_by_its_first_name_stays_that_worker(node: Node) -> None:
    node.node.recycle("cameras-0")
    node.node.recycle("cameras-0")
    node.until_more(*MOVED)
    nothing_was_noticed(node)
    node.stop()


def test_a_camera_that_allows_one_session_is_opened_anew_and_that_is_on_record(cameras: Cameras) -> None:
    with Node(config(cameras, 4, defaults=GRACE)) as node:
        node.node.change_camera("cam0", max_sessions=1)
        node.until_more("cam0", "cam2")
        node.forget()
        sessions = node.view("cam0").sessions
        node.node.recycle(worker_name(node, "cam0"))
        gap = node.until_gap("cam0", Cause.HANDED_OVER, over=True)
        assert gap.end is not None
        node.until_more("cam0", "cam2")
        assert node.view("cam0").sessions == sessions + 1
        assert not gaps(node, "cam2")
        node.stop()


def test_a_camera_that_is_read_by_another_library_moves_as_well(cameras: Cameras, mediamtx: MediaMTX) -> None:
    with Node(config(cameras, 2, defaults=GRACE)) as node:
        node.node.add_camera("gate", url=mediamtx.url("gate"), transport="udp")
        node.until_more("gate")
        node.forget()
        before = node.view("gate"), ids(node.of("gate"))
        for _ in range(2):
            node.node.recycle(worker_name(node, "gate"))
            node.until_more("gate")
        assert node.view("gate").epoch == before[0].epoch
        assert not gaps(node, "gate")
        assert ids(node.of("gate")) == before[1]
        node.stop()


def test_cameras_without_a_session_move_all_the_same(node: Node, cameras: Cameras) -> None:
    node.node.add_camera("away", url=GONE)
    node.until_gap("away", Cause.REFUSED)
    node.node.pause("cam2", "painting")
    node.until_state("cam2", "paused")
    for name in ("cameras-0", "cameras-1"):
        node.node.recycle(name)
    node.until_more("cam0", "cam1", "cam3")
    assert node.view("cam2").state == "paused"
    node.node.resume("cam2")
    node.until_more("cam2")
    node.node.change_camera("away", url=cameras.url(1))
    node.until_more("away")
    node.stop()


def test_one_that_dies_while_cameras_come_to_it_leaves_all_of_them_watched(node: Node) -> None:
    known = {process.pid for process in workers_of(os.getpid(), "camera")}
    failed: list[WorkerError] = []

    def recycle() -> None:
        try:
            node.node.recycle("cameras-0")
        except WorkerError as err:
            failed.append(err)

    asking = threading.Thread(target=recycle)
    asking.start()
    fresh = wait_for_another(known)
    os.kill(fresh, signal.SIGKILL)
    asking.join(PATIENCE_S)
    assert failed
    node.until_more("cam0", "cam1", "cam2", "cam3")
    node.node.recycle("cameras-0")
    node.until_more("cam0", "cam1", "cam2", "cam3")
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_one_that_dies_when_the_first_camera_is_about_to_move_gets_none(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def joined(move: Move) -> bool:
        fresh = move._fresh
        fresh.kill()
        while fresh.alive:
            await asyncio.sleep(0.01)
        return False

    with monkeypatch.context() as patched:
        patched.setattr(Move, "_joined", joined)
        with pytest.raises(WorkerError):
            node.node.recycle("cameras-0")
    node.until_more("cam0", "cam1", "cam2", "cam3")
    node.node.recycle("cameras-0")
    node.until_more("cam0", "cam1", "cam2", "cam3")
    nothing_was_noticed_but_deaths(node)
    node.stop()


def test_a_camera_that_was_removed_comes_back_after_its_worker_was_replaced(
    node: Node, cameras: Cameras
) -> None:
    node.node.remove_camera("cam0")
    node.until_state("cam0", "removed")
    node.node.recycle("cameras-0")
    node.node.add_camera("cam0", url=cameras.url(0))
    node.until_more("cam0", "cam2")
    assert worker_name(node, "cam0") == worker_name(node, "cam2")
    node.stop()


def test_a_camera_that_has_moved_says_that_it_connects_no_more_when_it_is_back(
    cameras: Cameras,
) -> None:
    with Node(config(cameras, 4, defaults=GRACE, connects={"per_host": 1})) as node:
        node.until_more("cam0", "cam1", "cam2", "cam3")
        node.node.recycle("cameras-0")
        for name in MOVED:
            node.node.pause(name)
            node.until_state(name, "paused")
            node.node.resume(name)
        # One at a time may connect: the second does when the first has.
        node.until_more(*MOVED)
        cameras.stop()
        for name in MOVED:
            wait_until(lambda name=name: node.view(name).blind, f"{name} is lost")
        cameras.start()
        node.until_more(*MOVED)
        admission = node.node._node.fleet._admission
        wait_until(lambda: not admission.connecting, "nobody connects any more")
        assert not admission.taken_back


def test_the_old_one_dies_while_its_cameras_move_and_all_of_them_come_back(node: Node) -> None:
    first = workers_of(os.getpid(), "camera")
    known = {process.pid for process in first}
    asking = threading.Thread(target=lambda: _try(node, "cameras-0"))
    asking.start()
    wait_for_another(known)
    first[0].kill()
    first[1].kill()
    asking.join(PATIENCE_S)
    assert not asking.is_alive()
    node.until_more("cam0", "cam1", "cam2", "cam3")
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_the_old_one_dies_while_nothing_comes_of_a_second_session_and_nobody_waits_for_that(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = workers_of(os.getpid(), "camera")
    asked = threading.Event()
    with monkeypatch.context() as patched:
        # The new one is never told, so it never says that it has a picture; and it may take its time.
        patched.setattr(Fleet, "join", lambda *_: asked.set())
        asking = threading.Thread(target=lambda: _try(node, "cameras-0"))
        asking.start()
        wait_until(asked.is_set, "a camera is about to move")
        for each in first:
            each.kill()
        asking.join(PATIENCE_S)
        assert not asking.is_alive()
    node.until_more("cam0", "cam1", "cam2", "cam3")
    for camera in node.node.report()["cameras"].values():
        assert adds_up(camera["frames"])


def test_a_node_that_is_stopped_while_cameras_move_stops(cameras: Cameras) -> None:
    with Node(config(cameras, 4, defaults=GRACE)) as node:
        node.until_more("cam0", "cam2")
        known = {process.pid for process in workers_of(os.getpid(), "camera")}
        asking = threading.Thread(target=lambda: _try(node, "cameras-0"))
        asking.start()
        wait_for_another(known)
        children = [each for kind in ("camera", "inference") for each in workers_of(os.getpid(), kind)]
        node.stop()
        asking.join(PATIENCE_S)
        assert not asking.is_alive()
        assert gone(children)


def test_a_worker_that_plays_a_clip_is_not_replaced_and_says_why(node: Node, clips: Path) -> None:
    node.node.add_camera("clip", url=str(clips / "h264.mp4"), loop=True)
    node.until_more("clip")
    with pytest.raises(WorkerError, match="it plays clip"):
        node.node.recycle(worker_name(node, "clip"))
    with pytest.raises(ConfigError, match="there is no worker"):
        node.node.recycle("cameras-17")
    node.until_more("cam0", "cam1", "cam2", "cam3")


def _try(node: Node, worker: str) -> None:
    try:
        node.node.recycle(worker)
    except (WorkerError, ConfigError):
        pass


def wait_for_another(known: set[int]) -> int:
    """The pid of a camera worker that was not there before."""
    found: list[int] = []

    def there() -> bool:
        found[:] = [each.pid for each in workers_of(os.getpid(), "camera") if each.pid not in known]
        return bool(found)

    wait_until(there, "another camera worker is there")
    return found[0]


Meanwhile = Callable[[Fleet, Entry], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Meanwhile], None]:
    """Have something done just when a worker was told to hand a camera over."""

    def arrange(what: Meanwhile) -> None:
        hand_over = Fleet.hand_over

        def and_then(fleet: Fleet, entry: Entry, *, joined: bool) -> None:
            hand_over(fleet, entry, joined=joined)
            what(fleet, entry)

        monkeypatch.setattr(Fleet, "hand_over", and_then)

    return arrange


def one_a_second(node: Node, *names: str) -> None:
    """By when their pictures were taken, not by when they came. The first ones may be from before."""
    for name in names:
        node.until_more(name, results=3)
        first = len(node.of(name))
        node.until_more(name, results=3)
        times = [result["captured_at"] for result in node.of(name)[first:]]
        assert min(later - earlier for earlier, later in pairwise(times)) > 0.5


def test_a_camera_that_is_paused_while_it_is_handed_over_is_paused(
    node: Node, meanwhile: Callable[[Meanwhile], None]
) -> None:
    meanwhile(lambda fleet, entry: fleet.pause(entry.name) if entry.name == "cam0" else None)
    node.node.recycle("cameras-0")
    node.until_state("cam0", "paused")
    wait_until(
        lambda: any(isinstance(fact, TracksEnded) and fact.camera == "cam0" for fact in list(node.facts)),
        "its tracks have ended",
    )
    node.until_more("cam2")
    node.node.resume("cam0")
    node.until_more(*MOVED)
    node.stop()


def test_a_camera_that_is_paused_and_resumed_while_it_is_handed_over_is_read_by_one(
    node: Node, meanwhile: Callable[[Meanwhile], None]
) -> None:
    def pause_and_resume(fleet: Fleet, entry: Entry) -> None:
        fleet.pause(entry.name)
        fleet.resume(entry.name)

    meanwhile(pause_and_resume)
    node.node.recycle("cameras-0")
    node.until_more(*MOVED)
    wait_until(lambda: not any(node.view(name).blind for name in MOVED), "nothing is missing any more")
    node.stop()


def test_a_camera_that_is_changed_while_it_is_handed_over_is_watched_as_changed(
    node: Node, meanwhile: Callable[[Meanwhile], None]
) -> None:
    def change(fleet: Fleet, entry: Entry) -> None:
        fleet._change(entry, msgspec.structs.replace(entry.settings, max_fps=1.0))

    meanwhile(change)
    node.node.recycle("cameras-0")
    one_a_second(node, *MOVED)
    node.stop()


def test_a_camera_that_is_changed_just_before_it_is_handed_over_is_watched_as_changed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = Move._joined

    async def and_changed(move: Move) -> bool:
        told = await joined(move)
        node.node._node.fleet._change(move._entry, msgspec.structs.replace(move._entry.settings, max_fps=1.0))
        return told

    monkeypatch.setattr(Move, "_joined", and_changed)
    node.node.recycle("cameras-0")
    one_a_second(node, *MOVED)
    node.stop()


def test_two_who_ask_for_the_same_worker_at_a_time_replace_it_one_after_the_other(node: Node) -> None:
    asking = [threading.Thread(target=lambda: node.node.recycle("cameras-0")) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(PATIENCE_S)
        assert not each.is_alive()
    node.until_more(*MOVED)
    wait_until(lambda: len(replaced(node)) == 2, "both were told of")
    assert worker_name(node, "cam0") == worker_name(node, "cam2")
    wait_until(lambda: len(workers_of(os.getpid(), "camera")) == 2, "the ones before are gone")
    nothing_was_noticed(node)
    node.stop()


def test_a_move_that_stopped_halfway_is_finished_by_the_next_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = Move.perform

    async def all_but_one(move: Move) -> None:
        if move._entry.name == "cam2":
            raise WorkerError("not now")
        await perform(move)

    with monkeypatch.context() as patched:
        patched.setattr(Move, "perform", all_but_one)
        with pytest.raises(WorkerError, match="not now"):
            node.node.recycle("cameras-0")
    node.until_more(*MOVED)
    halfway = worker_name(node, "cam0")
    assert halfway != worker_name(node, "cam2") == "cameras-0"
    node.node.recycle("cameras-0")
    node.until_more("cam0", "cam1", "cam2", "cam3")
    assert worker_name(node, "cam0") == worker_name(node, "cam2") == halfway
    wait_until(lambda: len(workers_of(os.getpid(), "camera")) == 2, "no place is lost")
    nothing_was_noticed(node)
    node.stop()


def test_workers_of_whom_one_has_taken_over_from_a_namesake_are_told_apart(node: Node) -> None:
    node.node.recycle("cameras-0")
    known = node.node._node
    place = known._place_apart()
    assert place is not None
    assert place.name == "cameras-0"
    place.fill(known.free_post(place))
    posts = [worker.post for worker in known.camera_workers]
    assert len(posts) == len(set(posts)) == 3
    place.staffed = False
    node.stop()


def test_a_camera_whose_session_ends_just_before_it_is_handed_over_is_looked_after(
    cameras: Cameras, mediamtx: MediaMTX, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of cameras that hang up on the first when a second one comes."""
    with Node(config(cameras, 2, defaults=GRACE)) as node:
        clip = clips / "h264.mp4"
        publisher = mediamtx.publish("other", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy")
        node.node.add_camera("gate", url=mediamtx.url("other"))
        node.until_more("gate")
        node.forget()
        joined = Move._joined

        async def and_lost(move: Move) -> bool:
            if move._entry.name != "gate":
                return await joined(move)
            assert await joined(move)
            await asyncio.to_thread(kick_the_first, mediamtx)
            while not [fact for fact in node.facts if isinstance(fact, SessionEnded)]:
                await asyncio.sleep(0.01)
            return True

        monkeypatch.setattr(Move, "_joined", and_lost)
        node.node.recycle(worker_name(node, "gate"))
        node.until_more("gate")
        wait_until(lambda: not node.view("gate").blind, "the gap is over")
        publisher.kill()
        publisher.wait()
        wait_until(lambda: node.view("gate").blind, "it is lost, and that is noticed")


def kick_the_first(mediamtx: MediaMTX) -> None:
    readers = [each for each in mediamtx.api("rtspsessions/list")["items"] if each["state"] == "read"]
    first = min(readers, key=lambda each: str(each["created"]))
    mediamtx.api(f"rtspsessions/kick/{first['id']}", "POST")
