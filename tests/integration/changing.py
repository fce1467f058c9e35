"""A node in this process whose cameras are changed, and everything that is known of it."""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import Any

import vedette
from integration.harness import (
    CALM,
    Cameras,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    nobody_read,
    wait_until,
)
from vedette.causes import Cause, Kind
from vedette.facts import CameraAdded, CameraRemoved, Gap, GapChanged, GapClosed, GapOpened, Trouble
from vedette.running import RunningNode

GONE = "rtsp://127.0.0.1:9/nothing"


class Node:
    """A node in this process: all its results and facts, and its numbers looked at all the time. ``answers``:
    also on a socket, to whoever asks."""

    def __init__(self, config: vedette.Config, *, answers: bool = False) -> None:
        self.results: list[dict[str, Any]] = []
        self.facts: list[Any] = []
        self.wrong: list[object] = []
        self._forgotten: dict[str, int] = {}
        node = RunningNode(config, self._note, None, self.facts.append, False, answers)
        self.node: RunningNode = node.start()
        self._over = threading.Event()
        self._auditor = threading.Thread(target=self._audit)

    def _note(self, result: vedette.Result) -> None:
        tracks = [{"track_id": int(i)} for i in result.boxes.track_id if i >= 0]
        self.results.append(
            {
                "camera": result.camera,
                "epoch": result.epoch,
                "seq": result.seq,
                "captured_at": result.captured_at,
                "detections": tracks,
            }
        )

    def _audit(self) -> None:
        while not self._over.wait(0.02):
            for camera in self.node.view().cameras:
                frames = asdict(camera.frames)
                if not adds_up(frames) or frames["in_flight"] < 0:
                    self.wrong.append((camera.name, frames))

    def __enter__(self) -> Node:
        self._auditor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._auditor.join()
        self.node.stop()

    def reset(self, cameras: Cameras) -> None:
        """cam0 and cam1 and no others, as they were at the start; what was told before is forgotten."""
        removed = self.node.reload(config(cameras, 2)).removed
        for name in ("cam0", "cam1"):
            self.node.resume(name)
        self.until_more("cam0", "cam1", results=2)
        wait_until(lambda: all(self._is_told_gone(name) for name in removed), "it is told who is gone")
        self.forget()

    def _is_told_gone(self, name: str) -> bool:
        told = [f for f in self.facts if isinstance(f, (CameraAdded, CameraRemoved)) and f.camera == name]
        return bool(told) and isinstance(told[-1], CameraRemoved)

    def forget(self) -> None:
        """All that was told until now, once every camera is seen. Facts come a moment after they are so: each
        blindness that is counted must have been told of, and be over."""

        def seen() -> bool:
            return not any(camera.blind for camera in self.node.view().cameras)

        def all_is_told() -> bool:
            return all(
                camera.gaps == self._forgotten.get(camera.name, 0) + len(self.gaps(camera.name))
                and all(gap.end is not None for gap in self.gaps(camera.name))
                for camera in self.node.view().cameras
            )

        wait_until(seen, "all cameras are seen")
        wait_until(all_is_told, "all that was blind is told")
        for camera in self.node.view().cameras:
            told = len(self.gaps(camera.name))
            self._forgotten[camera.name] = self._forgotten.get(camera.name, 0) + told
        self.facts.clear()

    def stop(self) -> None:
        """And look whether the books are in order."""
        self.node.stop()
        assert not self.wrong
        for camera in self.node.report()["cameras"].values():
            assert adds_up(camera["frames"], in_flight=0)
        for name in {result["camera"] for result in self.results}:
            assert_in_order(self.of(name))
            assert_no_track_id_in_two_epochs(self.of(name))
        troubles = [fact for fact in self.facts if isinstance(fact, Trouble)]
        # Once it is stopped a node waits a second and a half for us, and this process may stand still longer.
        assert not [each for each in troubles if "not delivered before the end" not in each.message]

    def of(self, camera: str) -> list[dict[str, Any]]:
        return [result for result in self.results if result["camera"] == camera]

    def until_more(self, *cameras: str, results: int = 5) -> None:
        before = {name: len(self.of(name)) for name in cameras}
        wait_until(
            lambda: all(len(self.of(name)) >= before[name] + results for name in before),
            f"{results} more results of each of {cameras}",
        )

    def view(self, name: str) -> Any:
        return next(camera for camera in self.node.view().cameras if camera.name == name)

    def until_state(self, name: str, state: str) -> None:
        wait_until(lambda: self.view(name).state == state, f"{name} is {state}")

    def quiet(self, *cameras: str) -> None:
        """No result of these comes any more, once those have come that were on their way to us."""

        def now() -> tuple[int, ...]:
            results = len([each for each in self.results if each["camera"] in cameras])
            return results, *(self.view(name).frames.received for name in cameras)

        def is_quiet() -> bool:
            # One that has frames under way only stands still.
            before, under_way = now(), any(self.view(name).frames.in_flight for name in cameras)
            time.sleep(0.3)
            return now() == before and not under_way

        wait_until(is_quiet, f"nothing comes of {cameras}")

    def gaps(self, camera: str) -> list[Gap]:
        """Its blind rows as they are now, in the order in which they opened."""
        rows: dict[str, Gap] = {}
        for fact in list(self.facts):
            gap = getattr(fact, "gap", None)
            if gap is not None and gap.camera == camera and gap.kind is Kind.BLIND:
                rows[gap.id] = gap
        return list(rows.values())

    def until_gap(self, camera: str, cause: Cause, *, over: bool = False) -> Gap:
        kinds = GapClosed if over else (GapOpened, GapChanged)

        def found() -> list[Gap]:
            return [
                fact.gap
                for fact in list(self.facts)
                if isinstance(fact, kinds) and fact.gap.camera == camera and fact.gap.cause is cause
            ]

        wait_until(found, f"{cause} of {camera}; its gaps are {self.gaps(camera)}")
        return found()[-1]


class Still:
    """What must not happen to cameras that nobody touches."""

    def __init__(self, node: Node, *names: str) -> None:
        node.until_more(*names)
        self._node, self._names = node, names
        self._before = [self._now(name) for name in names]
        self._gaps = {name: self._gaps_of_ours(name) for name in names}

    def _now(self, name: str) -> tuple[object, ...]:
        view = self._node.view(name)
        return view.name, view.epoch, view.sessions, view.state, view.last_end_reason

    def _gaps_of_ours(self, name: str) -> int:
        return self._node.view(name).gaps - len([gap for gap in self._node.gaps(name) if nobody_read(gap)])

    def check(self) -> None:
        self._node.until_more(*self._names)
        assert [self._now(name) for name in self._names] == self._before
        for name in self._names:
            # They are told of a moment after they are counted.
            wait_until(
                lambda name=name: self._gaps_of_ours(name) <= self._gaps[name],
                lambda name=name: f"{name} was blind: {self._node.gaps(name)}",
            )


def config(
    cameras: Cameras, count: int, *, defaults: dict[str, Any] | None = None, **more: Any
) -> vedette.Config:
    """``count`` of them in two workers, each with an epoch per session unless ``defaults`` say otherwise."""
    section = dict(list(cameras.section().items())[:count])
    given = {"detector": fake(seconds=0.003), "workers": 2, **more}
    return vedette.Config(cameras=section, defaults={**CALM, "track_grace": 0, **(defaults or {})}, **given)


def check_ends(node: Node, there: dict[str, str], paused: set[str]) -> None:
    """Each camera of the changes is in the end what was last said of it."""
    seen = [name for name, url in there.items() if name not in paused and url != GONE]
    known = [camera.name for camera in node.node.view().cameras if camera.name != "cam1"]
    node.until_more(*seen)
    for name in known:
        if name not in there:
            node.until_state(name, "removed")
        elif name in paused:
            node.until_state(name, "paused")
            wait_until(lambda name=name: node.view(name).blind == "paused", f"{name} is known to be paused")
        elif there[name] == GONE:
            wait_until(lambda name=name: node.view(name).blind == "refused", f"{name} is refused")
        else:
            wait_until(lambda name=name: node.view(name).blind is None, f"{name} is seen")
    node.quiet(*[name for name in known if name not in seen])
