"""What a dashboard asks a node with real workers: pictures, results, happenings, what it is told, and what it
looks like meanwhile."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import vedette
from integration.changing import GONE, Node, Still, config
from integration.harness import Cameras, fake, wait_until, workers_of
from patience import PATIENCE_S
from vedette.causes import Blame, Cause
from vedette.control.client import ControlClient
from vedette.control.protocol import (
    Became,
    Configured,
    Gave,
    Happened,
    Happening,
    Happenings,
    Look,
    Looked,
    Order,
    Picture,
    Results,
    Settings,
)
from vedette.facts import CameraRestarted
from vedette.web.remote import RemoteNode

ALL = ("cam0", "cam1", "cam2", "cam3")
SECRET = "geheim-0815"


class Asked(Node):
    """A node that answers on its socket, and one who asks. ``lines``: results as they are written, by camera
    and Unix second of capture."""

    def __init__(self, given: vedette.Config) -> None:
        self.lines: dict[tuple[str, float], bytes] = {}
        super().__init__(given, answers=True)
        self.client = ControlClient.connect(sockets()[0], timeout=PATIENCE_S)

    def _note(self, result: vedette.Result) -> None:
        super()._note(result)
        self.lines[result.camera, result.captured_at] = result.to_json()

    # ---- questions

    def look(self, *cameras: str, width: int = 128, since: float = 0.0) -> dict[str, Picture]:
        return self.client.ask(Look(cameras=cameras, width=width, since=since), Looked).pictures

    def until_pictures(self, *cameras: str, width: int = 128, since: float = 0.0) -> dict[str, Picture]:
        """One of each that was captured after ``since``."""
        found: dict[str, Picture] = {}

        def there() -> bool:
            found.update(self.look(*cameras, width=width, since=since))
            return set(found) == set(cameras)

        wait_until(there, lambda: f"pictures of {cameras}, not only {set(found)}")
        return found

    def happenings(self, after: int = 0) -> list[Happening]:
        return self.client.ask(Happenings(after=after), Happened).happenings

    def does(self, kind: Any, what: str, **more: Any) -> Became:
        """What became of it."""
        number = self.client.order(Order(kind=kind, what=what, **more))
        found: list[Became] = []

        def over() -> bool:
            found[:] = [self.client.became(number)]
            return found[0].done

        wait_until(over, f"{kind} {what} is done")
        return found[0]


def sockets() -> list[Path]:
    return [each for each in Path(os.environ["XDG_RUNTIME_DIR"]).rglob("*") if each.is_socket()]


@pytest.fixture(scope="module")
def shared(cameras: Cameras, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        given = config(cameras, 4, defaults={"track_grace": "1m", "site": "north"})
        with Asked(given) as node:
            node.until_more(*ALL)
            yield node
            node.client.close()
            node.stop()


@pytest.fixture
def node(shared: Asked, cameras: Cameras) -> Asked:
    given = config(cameras, 4, defaults={"track_grace": "1m", "site": "north"})
    shared.node.reload(given)
    for name in ALL:
        shared.node.resume(name)
    shared.until_more(*ALL, results=2)
    return shared


def size(picture: Picture) -> tuple[int, int]:
    with Image.open(io.BytesIO(picture.jpeg)) as image:
        image.load()
        return image.size


# ---- pictures


def test_pictures_come_of_what_was_analysed_with_what_was_found_in_it(node: Asked) -> None:
    still = Still(node, *ALL)
    found = node.until_pictures(*ALL, "cam0")
    assert node.look("nobody") == {}
    for name, picture in found.items():
        assert size(picture) == (128, 77)
        assert (picture.width, picture.height) == (160, 96)
        wait_until(lambda name=name, at=picture.captured_at: (name, at) in node.lines, "its result is there")
        line = json.loads(node.lines[name, picture.captured_at])
        boxes = [each["xyxy"] for each in line["detections"]]
        assert [[round(each, 2) for each in box] for box in picture.xyxy] == boxes
        assert picture.names == [each["class_name"] for each in line["detections"]]
        tracks = [-1 if each["track_id"] is None else each["track_id"] for each in line["detections"]]
        assert picture.tracks == tracks
    newest = max(each.captured_at for each in found.values())
    later = node.until_pictures(*ALL, since=newest)
    assert all(each.captured_at > newest for each in later.values())
    still.check()


def test_the_widest_wins_and_nothing_is_enlarged(node: Asked) -> None:
    node.until_pictures("cam1", width=64)

    def whole() -> bool:
        found = node.look("cam1", width=2000)
        return "cam1" in found and size(found["cam1"]) == (160, 96)

    wait_until(whole, "it comes as large as it is")


def test_when_nobody_looks_any_more_nobody_makes_any(node: Asked) -> None:
    node.until_pictures(*ALL)
    live = node.node._node.live
    wait_until(lambda: not (live._newest or live._wanted or live._said), "all is let go")
    node.until_more(*ALL)
    assert not live._newest


def test_pictures_go_on_when_a_worker_is_replaced_and_when_it_dies(node: Asked) -> None:
    node.until_pictures(*ALL)
    place = node.node._node.roster.named("cam0").worker
    node.node.recycle(f"cameras-{place}")
    node.until_pictures(*ALL, since=time.time())
    victim = workers_of(os.getpid(), "camera")[0]
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    node.until_pictures(*ALL, since=time.time())


def test_a_camera_that_is_removed_or_paused_is_not_shown(node: Asked, cameras: Cameras) -> None:
    node.until_pictures("cam0", "cam1")
    node.node.remove_camera("cam0")
    node.node.pause("cam1")
    node.until_state("cam1", "paused")
    for _ in range(5):
        assert node.look("cam0", "cam1") == {}
        time.sleep(0.05)
    node.node.add_camera("cam0", url=cameras.url(0))
    node.node.resume("cam1")
    node.until_pictures("cam0", "cam1")


def test_frames_at_a_canarys_detector_are_shown_too(node: Asked) -> None:
    other = [100.0, 20.0, 140.0, 80.0]
    node.node.canary(cameras=["cam0"], seconds=60, options={"boxes": [other]})

    def its() -> bool:
        found = node.look("cam0", "cam1")
        return len(found) == 2 and round(found["cam0"].xyxy[0][0]) == 100 != round(found["cam1"].xyxy[0][0])

    wait_until(its, "what the canary found is shown")
    node.node.stop_canary()


# ---- results and happenings


def test_results_are_given_as_sinks_write_them_none_twice_none_left_out(node: Asked) -> None:
    begun = node.client.ask(Results(after=-1), Gave)
    assert begun.results == []
    last, lines = begun.last, []
    while len(lines) < 60:
        given = node.client.ask(Results(after=last, most=7), Gave)
        assert given.missed == 0
        assert given.last == last + len(given.results)
        last = given.last
        lines += given.results
        time.sleep(0.01)
    assert len(set(lines)) == len(lines)
    wait_until(lambda: set(lines) <= set(node.lines.values()), "they are what left")
    for name in ALL:
        seqs = [each["seq"] for each in map(json.loads, lines) if each["camera"] == name]
        written = [each["seq"] for each in node.of(name) if each["seq"] in range(seqs[0], seqs[-1] + 1)]
        assert seqs == written


def test_what_happens_is_told_in_words_with_its_camera(node: Asked) -> None:
    before = node.happenings()[-1].number
    assert node.does("pause", "cam2", why=f"see rtsp://me:{SECRET}@h/1") == Became(done=True)
    wait_until(
        lambda: [each for each in node.happenings(before) if each.kind == "camera blind"], "it is told"
    )
    told = {each.kind: each for each in node.happenings(before) if each.camera == "cam2"}
    assert told["camera paused"].level == "info"
    assert told["camera blind"].level == "warning"
    assert "cause paused, blame operator" in told["camera blind"].text
    assert abs(told["camera blind"].at - time.time()) < PATIENCE_S
    assert SECRET not in str(told)
    assert [each.number for each in node.happenings()] == sorted({e.number for e in node.happenings()})


# ---- orders


def test_cameras_are_added_changed_and_removed_by_order(node: Asked, cameras: Cameras) -> None:
    still = Still(node, "cam1")
    node.node.remove_camera("cam3")
    added = node.does("add", "cam3", settings={"url": cameras.url(3), "max_fps": 5})
    assert added == Became(done=True)
    node.until_more("cam3")
    assert node.does("change", "cam3", settings={"max_fps": 10}).failed == ""
    assert node.node.config.cameras["cam3"].max_fps == 10
    assert node.node.config.cameras["cam3"].url == cameras.url(3)
    assert node.does("change", "cam3", settings={"max_fps": None, "site": "south"}).failed == ""
    assert node.does("change", "cam3", settings={"site": None}).failed == ""
    assert node.node.config.cameras["cam3"].max_fps is None
    assert node.node.config.cameras["cam3"].site == "north", "as the defaults say"
    assert node.does("add", "cam3", settings={"url": GONE}).exists
    assert node.does("remove", "cam3").failed == ""
    node.until_state("cam3", "removed")
    still.check()


@pytest.mark.parametrize(
    ("kind", "what", "settings", "says"),
    [
        ("add", "cam0", {"url": GONE}, "there is a camera 'cam0' already"),
        ("add", "new", {}, "cameras.new.url: is required"),
        ("add", "new", {"url": f"gopher://me:{SECRET}@h/1"}, "cameras.new.url: unknown kind of address"),
        ("add", "new", {"url": GONE, "name": "other"}, "cameras.new.name: unknown key"),
        ("add", "New Camera", {"url": GONE}, "a camera's name has lower-case letters"),
        ("change", "cam0", {"max_fps": -1, "colour": "red"}, "cameras.cam0.max_fps"),
        ("change", "nobody", {"max_fps": 1}, "there is no camera 'nobody'"),
        ("remove", "nobody", {}, "there is no camera 'nobody'"),
        ("pause", "nobody", {}, "there is no camera 'nobody'"),
        ("restart", "nobody", {}, "there is no camera 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    node: Asked, kind: Any, what: str, settings: dict[str, Any], says: str
) -> None:
    before = node.node.config
    failed = node.does(kind, what, settings=settings).failed
    assert says in failed
    assert SECRET not in failed
    assert node.node.config == before


def test_to_restart_a_camera_opens_it_anew_and_the_ledger_says_who_wanted_it(node: Asked) -> None:
    still = Still(node, "cam1", "cam2")
    before = node.view("cam0")
    assert node.does("restart", "cam0", why="its picture was green").failed == ""
    wait_until(lambda: node.view("cam0").sessions == before.sessions + 1, "it is opened anew")
    node.until_more("cam0")
    wait_until(lambda: node.view("cam0").blind is None, "it is seen again")
    assert node.view("cam0").epoch == before.epoch + 1
    wait_until(lambda: node.gaps("cam0")[-1].end is not None, "the gap is over")
    gap = node.gaps("cam0")[-1]
    assert (gap.cause, gap.blame, gap.detail) == (Cause.STARTING, Blame.OPERATOR, "its picture was green")
    assert [fact.camera for fact in node.facts if isinstance(fact, CameraRestarted)] == ["cam0"]
    still.check()


def test_what_is_paused_cannot_be_restarted(node: Asked) -> None:
    node.does("pause", "cam0")
    assert "is paused: resume it" in node.does("restart", "cam0").failed
    assert node.does("resume", "cam0").failed == ""
    node.until_more("cam0")


# ---- what it looks like


def test_a_camera_that_is_not_seen_says_since_when_and_what_is_done_about_it(node: Asked) -> None:
    seen = node.client.view().cameras[0]
    assert (seen.site, seen.since, seen.doing) == ("north", None, "")
    began = time.time()
    node.does("change", "cam0", settings={"url": GONE, "site": "south"})
    doings: set[str] = set()

    def retries() -> bool:
        camera = next(each for each in node.client.view().cameras if each.name == "cam0")
        if camera.blind == "refused":
            assert camera.site == "south"
            assert camera.since is not None
            assert began - 1 < camera.since < time.time() + 1
            doings.add(camera.doing)
        return any(each.startswith("opens it again in ") for each in doings)

    wait_until(retries, lambda: f"it is opened again: {doings}")
    node.does("pause", "cam0")
    node.until_state("cam0", "paused")
    assert node.view("cam0").doing == "waits until it is resumed"


def test_it_says_what_it_watches_without_credentials(node: Asked, cameras: Cameras) -> None:
    node.does("change", "cam0", settings={"url": cameras.url(0, f"me:{SECRET}")})
    keys = node.client.ask(Configured(), Settings).keys
    assert set(keys["cameras"]) == set(ALL)
    assert keys["cameras"]["cam0"]["url"] == cameras.url(0, "***")
    assert keys["cameras"]["cam1"] == {"url": cameras.url(1)}, "the rest is in its defaults"
    assert keys["defaults"]["site"] == "north"
    assert keys["detector"]["options"] == {"seconds": "…"}
    assert SECRET not in str(keys)


def test_the_dashboards_client_gets_all_of_it(node: Asked) -> None:
    async def ask() -> None:
        remote = RemoteNode(sockets()[0])
        try:
            assert len((await remote.view()).cameras) >= len(ALL)
            while not (await remote.look(ALL, 160)).pictures:
                await asyncio.sleep(0.05)
            after = (await remote.results(-1)).last
            while not (given := await remote.results(after)).results:
                await asyncio.sleep(0.05)
            assert json.loads(given.results[0])["camera"] in ALL
            assert (await remote.happenings(0)).happenings
            assert set((await remote.configuration())["cameras"]) == set(ALL)
            number = await remote.order(Order(kind="pause", what="cam3"))
            while not (await remote.became(number)).done:
                await asyncio.sleep(0.05)
        finally:
            remote.close()

    asyncio.run(asyncio.wait_for(ask(), PATIENCE_S))


def test_a_worker_that_is_away_is_said_to_be_started_again(cameras: Cameras) -> None:
    with Node(config(cameras, 2, detector=fake())) as node:
        node.until_more("cam0", "cam1")
        victim = workers_of(os.getpid(), "inference")[-1]
        victim.kill()
        doings: set[str] = set()

        def said() -> bool:
            doings.update(each.doing for each in node.node.view().cameras)
            return "the detector is being started again" in doings

        wait_until(said, lambda: str(doings))
        node.until_more("cam0", "cam1")
