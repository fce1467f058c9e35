"""A camera that the ladder let go is not seen for our sake, and is seen again with its next keyframe."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from health.test_stream_health import Camera
from test_pipeline import Rig
from test_pipeline_stages import Source
from vedette.causes import Blame, Cause
from vedette.facts import Blind, Degraded, EndReason, Sees
from vedette.frame import Rung
from vedette.health.camera import CameraHealth
from vedette.health.observed import Ended, HangUp, LetGo, Opened, PictureCame, SayBlind, SaySees
from vedette.health.stream import LOOK_EVERY_S
from vedette.ingest.lane import Lane
from vedette.testing import PacketSequence


def seen(camera: Camera, seconds: float = 5.0) -> Camera:
    """A camera that has been well for a while; what was said of it by then is forgotten."""
    camera.open().stream(seconds)
    assert camera.told(SaySees)
    camera.said.clear()
    return camera


def let_go(camera: Camera, seconds: float) -> Camera:
    for _ in range(int(seconds / LOOK_EVERY_S)):
        camera.now += LOOK_EVERY_S
        camera.see(LetGo())
    return camera


def keyframe(camera: Camera) -> None:
    """The first picture after a while."""
    camera.now += 0.05
    camera.see(PictureCame(camera.now, 640, 360))


def waits_for_keyframe(camera: Camera, seconds: float) -> Camera:
    """Frames come, and are no use before the keyframe."""
    for _ in range(int(seconds / LOOK_EVERY_S)):
        came = camera.now + LOOK_EVERY_S - 0.01
        camera.look(last_arrival=came, received=6, unready=6)
    return camera


def test_it_is_said_once_and_since_the_last_picture() -> None:
    camera = seen(Camera())
    last = camera.shot.last_picture
    let_go(camera, 60)
    [blind] = camera.told(SayBlind)
    assert (blind.cause, blind.blame) == (Cause.OVERLOADED, Blame.NODE)
    assert blind.since == pytest.approx(last)
    assert len(camera.said) == 1, "and nobody hangs up"


def test_the_next_keyframe_ends_it() -> None:
    camera = let_go(seen(Camera()), 30)
    keyframe(camera)
    assert len(camera.told(SaySees)) == 1
    camera.stream(20)
    assert len(camera.told(SayBlind)) == 1
    assert len(camera.told(SaySees)) == 1


@pytest.mark.parametrize("wait", [0.5, 2.0, 4.0, 8.0])
def test_its_first_keyframe_may_take_its_time(wait: float) -> None:
    """Keyframes come every ten seconds: that frames come and give no picture is our doing."""
    camera = seen(Camera())
    camera.shot = replace(camera.shot, picture_threshold=25.0)
    let_go(camera, 60)
    waits_for_keyframe(camera, wait)
    keyframe(camera)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.OVERLOADED]
    assert camera.told(HangUp) == []
    assert len(camera.told(SaySees)) == 1


def test_a_stream_that_stalls_once_it_is_taken_up_again_is_told() -> None:
    camera = let_go(seen(Camera()), 30)
    camera.silence(20)
    assert camera.told(SayBlind)[-1].cause is Cause.STALLED


def test_while_it_is_let_go_a_session_that_ends_is_told_and_its_next_one_not_blamed() -> None:
    camera = let_go(seen(Camera()), 10)
    camera.see(
        Ended(
            reason=EndReason.CONNECTION_LOST,
            last_arrival=camera.now,
            last_picture=camera.shot.last_picture,
        )
    )
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.OVERLOADED, Cause.CONNECTION_LOST]
    let_go(camera, 5)
    camera.see(Opened("h264"))
    let_go(camera, 30)
    assert len(camera.told(SayBlind)) == 2, "nothing new is known"
    assert camera.told(HangUp) == []
    keyframe(camera)
    assert len(camera.told(SaySees)) == 1


def test_one_that_never_gave_a_picture_is_let_go_as_well() -> None:
    camera = Camera().open()
    let_go(camera, 20)
    assert camera.told(HangUp) == []
    assert [blind.cause for blind in camera.told(SayBlind)] in ([Cause.OVERLOADED], [])
    keyframe(camera)
    assert len(camera.told(SaySees)) == 1


def test_without_a_session_there_is_nothing_to_let_go() -> None:
    camera = Camera()
    let_go(camera, 10)
    assert camera.said == []


# ---- with a pipeline, as the ladder moves it


class Open:
    """What reads a camera: nothing but what health asks of it."""

    stall_after = 0.0

    def __init__(self) -> None:
        self.hung_up: list[str] = []

    def hang_up(self, reason: EndReason, detail: str, blame: Blame | None = None) -> None:
        self.hung_up.append(detail)

    def probe(self) -> None: ...

    def evidence(self) -> None: ...


class Watched:
    """A camera of 25 fps whose keyframes come every ``keyframes`` seconds; pictures are analysed at once."""

    def __init__(self, keyframes: float, **settings: Any) -> None:
        self.rig = Rig(track_grace=None, **settings)
        self.rig.packets = PacketSequence(keyframe_every=round(25 * keyframes))
        self.source, self.open = Source(self.rig), Open()
        pipeline, clock = self.rig.pipeline, self.rig.clock
        lane = Lane(pipeline, clock, None, lambda: None, connected=lambda: None)
        began = clock.now
        self.health = CameraHealth(
            pipeline, lane, self.open, clock=clock, tell=self.rig.fact, detector_since=lambda: began
        )
        self.rig.open()
        self._look_at = 0.0

    def watch(self, seconds: float, rung: Rung = Rung.ALL, *, detector: bool = True) -> None:
        rig = self.rig
        rig.row["rung"] = rung
        for _ in range(round(seconds * 25)):
            self.source.send()
            if rig.clock.now >= self._look_at:  # before the detector had time to answer
                self._look_at = rig.clock.now + LOOK_EVERY_S
                self.health.look()
            if detector and rig.row["newest_seq"] >= 0:
                rig.analyse()

    @property
    def blind(self) -> list[Cause]:
        return [fact.cause for fact in self.rig.kinds(Blind)]

    def close(self) -> None:
        self.rig.close()


@pytest.mark.parametrize("keyframes", [1, 4, 7, 15])
def test_keyframes_alone_and_everything_again_make_nobody_blind(keyframes: int) -> None:
    camera = Watched(keyframes)
    camera.watch(2 * keyframes + 5.3)
    assert len(camera.rig.kinds(Sees)) == 1
    for seconds in (0.7 * keyframes, 3.2 * keyframes, 0.4):
        camera.watch(seconds, Rung.KEYFRAMES)
        camera.watch(1.4 * keyframes + 2)
    assert camera.blind == []
    assert camera.rig.kinds(Degraded) == []
    assert camera.open.hung_up == []
    camera.close()


@pytest.mark.parametrize("keyframes", [1, 4, 7, 15])
def test_let_go_and_taken_up_again_it_is_blind_once_and_for_our_sake(keyframes: int) -> None:
    camera = Watched(keyframes)
    camera.watch(2 * keyframes + 5.3)
    camera.watch(30.2, Rung.PAUSED)
    camera.watch(1.5 * keyframes + 1)
    assert camera.blind == [Cause.OVERLOADED]
    assert len(camera.rig.kinds(Sees)) == 2
    assert camera.open.hung_up == []
    camera.close()


def test_a_detector_that_answers_nothing_is_told_with_keyframes_alone_too() -> None:
    camera = Watched(1)
    camera.watch(10)
    camera.watch(10, Rung.KEYFRAMES)
    assert camera.blind == []
    camera.watch(30, Rung.KEYFRAMES, detector=False)
    assert camera.blind == [Cause.DETECTOR_LOST]
    camera.close()


@pytest.mark.parametrize("max_fps", [0.05, 0.2, 0.9])
def test_keyframes_that_are_left_out_for_the_rate_are_missed_by_nobody(max_fps: float) -> None:
    camera = Watched(1, max_fps=max_fps)
    camera.watch(10)
    camera.watch(90, Rung.KEYFRAMES)
    assert camera.blind == []
    assert camera.rig.kinds(Degraded) == []
    camera.close()
