"""What is said of a camera's stream, and when. Simulated time; no stream is opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.causes import LINK, Blame, Cause, explains_more
from vedette.facts import EndReason
from vedette.health.observed import (
    Action,
    Closed,
    Ended,
    Forgive,
    HangUp,
    Limits,
    Observation,
    Opened,
    PictureCame,
    SayBlind,
    SayDegraded,
    SayHappened,
    SayRecovered,
    SaySees,
    Snapshot,
    TimestampStep,
)
from vedette.health.stream import LOOK_EVERY_S, began, step, wants_picture
from vedette.ingest.rtsp.evidence import LinkEvidence, TcpState

IDLE = TcpState(unacknowledged=0, retransmits=0, ack_s=0.1, rtt_s=0.001)
STUCK = TcpState(unacknowledged=1, retransmits=2, ack_s=2.0, rtt_s=0.001)


def link(silent: float, tcp: TcpState | None, probe: float | None = 1.0) -> LinkEvidence:
    return LinkEvidence(
        silent_s=silent, unanswered_s=silent, probe_s=probe, answered=False, unsent=0, tcp=tcp
    )


@dataclass
class Camera:
    """A camera in simulated time, looked at four times a second."""

    now: float = 100.0
    limits: Limits = field(default_factory=Limits)
    said: list[tuple[float, Action]] = field(default_factory=list)
    shot: Snapshot = field(default_factory=lambda: Snapshot(width=640, height=360))

    def __post_init__(self) -> None:
        self.state = began(self.now, self.limits)

    def see(self, what: Observation) -> list[Action]:
        self.state, actions = step(self.state, what, self.now)
        self.said += [(self.now, action) for action in actions]
        return list(actions)

    def open(self, codec: str = "h264") -> Camera:
        self.see(Opened(codec))
        return self

    def look(self, **changes: Any) -> list[Action]:
        self.now += LOOK_EVERY_S
        return self.see(replace(self.shot, **changes))

    def stream(self, seconds: float, *, pictures: bool = True, **changes: Any) -> Camera:
        """Frames arrive, six to a look; each gives a picture unless told otherwise."""
        for _ in range(int(seconds / LOOK_EVERY_S)):
            came = self.now + LOOK_EVERY_S - 0.01
            self.shot = replace(self.shot, last_arrival=came)
            if pictures:
                self.shot = replace(self.shot, last_picture=came)
            self.look(**{"received": 6, "given": 6 if pictures else 0} | changes)
        return self

    def silence(self, seconds: float, **changes: Any) -> Camera:
        for _ in range(int(seconds / LOOK_EVERY_S)):
            self.look(**changes)
        return self

    def told(self, kind: type) -> list[Any]:
        return [action for _, action in self.said if isinstance(action, kind)]

    def when(self, kind: type) -> list[float]:
        return [at for at, action in self.said if isinstance(action, kind)]


@pytest.fixture
def camera() -> Camera:
    return Camera().open().stream(10)


def test_a_camera_sees_from_its_first_picture_and_says_so_once(camera: Camera) -> None:
    assert [type(action) for _, action in camera.said] == [SaySees]
    assert camera.told(SaySees)[0].at == pytest.approx(100.24)


def test_a_picture_is_told_without_waiting_for_a_look() -> None:
    camera = Camera().open()
    assert wants_picture(camera.state, 640, 360)
    camera.now += 0.05
    assert camera.see(PictureCame(camera.now, 640, 360)) == [SaySees(camera.now)]
    assert not wants_picture(camera.state, 640, 360)
    assert wants_picture(camera.state, 1280, 720)


def test_an_attempt_to_connect_that_has_not_failed_is_not_blindness() -> None:
    assert Camera().silence(60).said == []


def test_the_first_failed_attempt_is_blindness_from_the_start() -> None:
    camera = Camera()
    camera.now += 5.0
    (blind,) = camera.see(Ended(reason=EndReason.UNREACHABLE))
    assert blind == SayBlind(
        100.0, Cause.UNREACHABLE, Blame.NETWORK, "Nothing answers at the camera's address."
    )


def test_a_stall_is_told_with_its_beginning_and_ends_with_a_picture(camera: Camera) -> None:
    last = camera.shot.last_arrival
    camera.silence(3)
    (blind,) = camera.told(SayBlind)
    assert (blind.since, blind.cause, blind.blame) == (last, Cause.STALLED, Blame.CAMERA)
    assert camera.when(SayBlind)[0] - last <= 1.0 + LOOK_EVERY_S
    camera.stream(5)
    assert len(camera.told(SaySees)) == 2
    assert camera.told(SaySees)[1].at > blind.since


def test_the_threshold_is_the_cameras_own(camera: Camera) -> None:
    camera.silence(2.5, threshold=3.0)
    assert camera.told(SayBlind) == []
    camera.silence(1, threshold=3.0)
    assert len(camera.told(SayBlind)) == 1


def test_a_long_stall_is_hung_up_on_once(camera: Camera) -> None:
    camera.silence(30)
    assert camera.told(HangUp) == [HangUp(EndReason.STALLED, camera.told(SayBlind)[0].detail, Blame.CAMERA)]
    assert camera.when(HangUp)[0] - camera.shot.last_arrival == pytest.approx(5.0, abs=LOOK_EVERY_S)


def test_hanging_up_waits_for_two_thresholds(camera: Camera) -> None:
    camera.silence(15, threshold=4.0)
    assert camera.when(HangUp)[0] - camera.shot.last_arrival >= 8.0


def test_a_session_that_opens_and_brings_nothing_is_a_stall() -> None:
    camera = Camera().open().silence(9)
    assert camera.said == []
    camera.silence(3)
    assert camera.told(SayBlind)[0].since == 100.0
    assert camera.told(SayBlind)[0].cause is Cause.STALLED
    assert len(camera.told(HangUp)) == 1


def test_evidence_that_comes_later_changes_the_blame_once(camera: Camera) -> None:
    camera.silence(2)
    camera.silence(2, link=link(3.0, STUCK))
    camera.silence(2, link=link(5.0, IDLE))
    camera.silence(2, link=link(7.0, STUCK))
    assert [blind.blame for blind in camera.told(SayBlind)] == [Blame.CAMERA, Blame.NETWORK]


def test_a_cause_that_explains_more_is_told_and_one_that_explains_less_is_not(camera: Camera) -> None:
    last = camera.shot.last_arrival
    for reason in (
        EndReason.CONNECTION_LOST,
        EndReason.REFUSED,
        EndReason.CONNECTION_LOST,
        EndReason.UNAUTHORISED,
        EndReason.REFUSED,
    ):
        camera.see(Ended(reason=reason))
        camera.silence(5)
    causes = [blind.cause for blind in camera.told(SayBlind)]
    assert causes == [Cause.CONNECTION_LOST, Cause.REFUSED, Cause.UNAUTHORISED]
    assert {blind.since for blind in camera.told(SayBlind)} == {last}


def test_a_reconnect_without_a_picture_is_not_seeing(camera: Camera) -> None:
    camera.see(Ended(reason=EndReason.CONNECTION_LOST))
    camera.now += 0.3
    camera.open()
    camera.stream(0.5, pictures=False, unready=6)
    assert len(camera.told(SaySees)) == 1
    camera.stream(0.5)
    assert len(camera.told(SaySees)) == 2


def test_the_blame_of_an_end_is_what_its_source_found_out(camera: Camera) -> None:
    (blind,) = camera.see(Ended(reason=EndReason.STALLED, blame=Blame.NETWORK))
    assert blind.blame is Blame.NETWORK


@pytest.mark.parametrize("late", [1.3, 60.0, -5.0])
def test_a_look_that_came_late_condemns_nobody(camera: Camera, late: float) -> None:
    camera.now += late
    assert camera.see(camera.shot) == [Forgive()]
    camera.stream(5)
    assert camera.told(SayBlind) == []


def test_frames_in_the_socket_get_a_moment_and_then_the_stall_is_told(camera: Camera) -> None:
    last = camera.shot.last_arrival
    camera.now += 30.0
    camera.see(camera.shot)
    camera.silence(0.75)
    assert camera.told(SayBlind) == []
    camera.silence(1)
    assert camera.told(SayBlind)[0].since == last


def test_frames_that_cannot_be_decoded_are_corrupt(camera: Camera) -> None:
    last = camera.shot.last_picture
    camera.stream(15, pictures=False, given=6, failed=5, lost_packets=1)
    (blind,) = camera.told(SayBlind)
    assert (blind.since, blind.cause, blind.blame) == (last, Cause.CORRUPT, Blame.NETWORK)
    assert "packets are missing" in blind.detail
    (hung_up,) = camera.told(HangUp)
    assert (hung_up.reason, hung_up.blame) == (EndReason.CORRUPT, Blame.NETWORK)


def test_the_end_of_a_session_that_was_hung_up_on_is_blamed_on_whom_we_hung_up_on(camera: Camera) -> None:
    camera.stream(15, pictures=False, given=6, failed=5, lost_packets=1)
    (hung_up,) = camera.told(HangUp)
    camera.see(Ended(reason=hung_up.reason, detail=hung_up.detail, blame=hung_up.blame))
    assert len(camera.told(SayBlind)) == 1, "nothing new was learnt"


def test_packets_that_turn_out_to_be_missing_change_the_blame(camera: Camera) -> None:
    camera.stream(3, pictures=False, given=6, failed=5)
    camera.stream(1, pictures=False, given=6, failed=5, lost_packets=4)
    assert [blind.blame for blind in camera.told(SayBlind)] == [Blame.CAMERA, Blame.NETWORK]


def test_a_damaged_frame_that_makes_all_others_wait_is_what_is_told(camera: Camera) -> None:
    camera.stream(0.25, pictures=False, failed=1)
    camera.stream(3, pictures=False, unready=6)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.CORRUPT]


def test_a_decoder_that_swallows_everything_is_noticed(camera: Camera) -> None:
    camera.stream(6, pictures=False, given=6)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.CORRUPT]


def test_frames_that_wait_for_a_keyframe_are_told(camera: Camera) -> None:
    camera.stream(3, pictures=False, unready=6)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.NO_KEYFRAME]


def test_a_session_may_wait_for_its_first_keyframe() -> None:
    camera = Camera().open().stream(0.25, pictures=False, failed=1)
    camera.stream(10, pictures=False, unready=6)
    (starting,) = camera.told(SayBlind)
    assert (starting.cause, starting.blame) == (Cause.STARTING, Blame.CAMERA)
    assert "the next keyframe" in starting.detail
    camera.stream(25, pictures=False, unready=6)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.STARTING, Cause.NO_KEYFRAME]
    assert len(camera.told(HangUp)) == 1


def test_a_first_keyframe_that_comes_late_is_the_end_of_the_start(camera: Camera) -> None:
    late = Camera().open().stream(8, pictures=False, unready=6).stream(1)
    assert [type(action) for _, action in late.said] == [SayBlind, SaySees]
    # One that was seen before, and joined in the middle again, does not start.
    camera.see(Ended(reason=EndReason.CONNECTION_LOST))
    camera.open().stream(8, pictures=False, unready=6)
    assert [blind.cause for blind in camera.told(SayBlind)] == [Cause.CONNECTION_LOST]


def test_frames_before_our_decoder_are_our_doing(camera: Camera) -> None:
    camera.stream(3, pictures=False, behind=3, backlog=16, decode=0.08)
    (blind,) = camera.told(SayBlind)
    assert (blind.cause, blind.blame) == (Cause.DECODE_BEHIND, Blame.DECODE)
    assert camera.told(HangUp) == []


@pytest.mark.parametrize("every", [2, 5, 10])
@pytest.mark.parametrize("picture_threshold", [1.0, 15.0])
def test_a_picture_now_and_then_trips_nothing_while_frames_arrive(
    every: int, picture_threshold: float
) -> None:
    camera = Camera().open().stream(1, picture_threshold=picture_threshold)
    for _ in range(20):
        camera.stream(every, pictures=False, picture_threshold=picture_threshold)
        camera.stream(0.25, given=1, picture_threshold=picture_threshold)
    assert [type(action) for _, action in camera.said] == [SaySees]


def test_a_paused_decoder_trips_nothing(camera: Camera) -> None:
    camera.stream(600, pictures=False)
    assert len(camera.said) == 1


def test_a_stall_of_a_camera_with_few_pictures_begins_with_its_last_frame(camera: Camera) -> None:
    camera.stream(8, pictures=False, picture_threshold=15.0)
    camera.silence(3, picture_threshold=15.0)
    assert camera.told(SayBlind)[0].since == camera.shot.last_arrival


def test_a_slow_camera_is_told_after_a_while_and_is_over_after_a_while(camera: Camera) -> None:
    camera.stream(9, ratio=0.3).stream(1, ratio=0.9)
    assert camera.told(SayDegraded) == []
    slow_from = camera.now
    camera.stream(12, ratio=0.3)
    (degraded,) = camera.told(SayDegraded)
    assert degraded.cause is Cause.SLOW
    assert degraded.since == pytest.approx(slow_from, abs=0.3)
    camera.stream(30, ratio=0.6)
    assert camera.told(SayRecovered) == []
    camera.stream(11, ratio=0.8)
    assert camera.told(SayRecovered) == [SayRecovered(Cause.SLOW)]


@pytest.mark.parametrize(
    ("evidence", "blame"),
    [
        ({"lag": 3.0}, Blame.NETWORK),
        ({"queued": 3.0, "decode": 0.05, "rate": 25.0}, Blame.DECODE),
        ({"age": 3.0, "wait": 2.8}, Blame.INFERENCE),
    ],
)
def test_late_pictures_are_told_with_blame(camera: Camera, evidence: dict[str, float], blame: Blame) -> None:
    camera.stream(4, **evidence).stream(1)
    assert camera.told(SayDegraded) == []
    camera.stream(6, **evidence)
    (degraded,) = camera.told(SayDegraded)
    assert (degraded.cause, degraded.blame) == (Cause.LATE, blame)
    camera.stream(6)
    assert camera.told(SayRecovered) == [SayRecovered(Cause.LATE)]


def test_what_is_degraded_ends_where_blindness_begins(camera: Camera) -> None:
    camera.stream(12, ratio=0.3, lag=3.0)
    camera.silence(2)
    kinds = [type(action) for _, action in camera.said[-3:]]
    assert kinds == [SayRecovered, SayRecovered, SayBlind]


def test_changes_of_codec_and_size_are_told(camera: Camera) -> None:
    camera.see(Ended(reason=EndReason.ENDED))
    camera.now += 0.5
    camera.open("hevc")
    camera.shot = replace(camera.shot, width=1280, height=720)
    camera.stream(2)
    happened = camera.told(SayHappened)
    assert [event.cause for event in happened] == [Cause.CODEC_CHANGED, Cause.RESOLUTION_CHANGED]
    assert [event.detail for event in happened] == ["h264 → hevc", "640×360 → 1280×720"]


@pytest.mark.parametrize(
    ("seconds", "cause"),
    [(3.0, Cause.TIMESTAMP_GAP), (3600.0, Cause.TIMESTAMP_JUMP), (-2.0, Cause.TIMESTAMP_JUMP)],
)
def test_steps_of_the_streams_clock_are_told(camera: Camera, seconds: float, cause: Cause) -> None:
    (event,) = camera.see(TimestampStep(seconds))
    assert event.cause is cause


def test_a_clock_that_steps_all_the_time_is_a_condition(camera: Camera) -> None:
    for _ in range(30):
        camera.see(TimestampStep(-5.0))
        camera.stream(2)
    assert len(camera.told(SayHappened)) == 3
    assert [degraded.cause for degraded in camera.told(SayDegraded)] == [Cause.TIMESTAMPS]
    camera.stream(70)
    assert camera.told(SayRecovered) == [SayRecovered(Cause.TIMESTAMPS)]


def test_nothing_is_said_of_a_camera_that_was_closed(camera: Camera) -> None:
    camera.see(Closed())
    count = len(camera.said)
    camera.see(Ended(reason=EndReason.CLOSED))
    camera.silence(60)
    assert len(camera.said) == count


def test_a_session_that_we_closed_is_no_blindness(camera: Camera) -> None:
    assert camera.see(Ended(reason=EndReason.CLOSED)) == []


counts = st.integers(0, 8)
short = st.floats(0, 3)
looks = st.builds(
    Snapshot,
    threshold=st.floats(1, 30),
    picture_threshold=st.floats(1, 30),
    received=counts,
    failed=counts,
    unready=counts,
    behind=counts,
    given=counts,
    backlog=counts,
    lag=short,
    queued=short,
    decode=short,
    wait=short,
    age=short,
    rate=short,
    ratio=st.floats(0, 2),
    lost_packets=counts,
    width=st.sampled_from([0, 640, 1280]),
    height=st.just(360),
    link=st.none()
    | st.builds(
        LinkEvidence,
        silent_s=st.floats(0, 30),
        unanswered_s=st.floats(0, 30),
        probe_s=st.none() | st.floats(0, 30),
        answered=st.booleans(),
        unsent=st.sampled_from([0, 100]),
        tcp=st.sampled_from([None, IDLE, STUCK]),
    ),
)
ends = st.builds(Ended, reason=st.sampled_from(EndReason), blame=st.none() | st.sampled_from(Blame))
events = st.one_of(
    looks,
    looks,
    looks,
    st.builds(Opened, codec=st.sampled_from(["h264", "hevc"])),
    ends,
    st.just(PictureCame(0.0, 640, 360)),
    st.builds(TimestampStep, seconds=st.floats(-100, 100)),
)
passes = st.tuples(
    events, st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.25, 0.9, 1.2, 20.0]), st.booleans(), st.booleans()
)


@settings(max_examples=300, deadline=None)
@given(history=st.lists(passes, max_size=120))
def test_whatever_happens_blind_and_sees_alternate(history: list[tuple[Any, float, bool, bool]]) -> None:
    now, arrival, picture, looked = 100.0, 0.0, 0.0, None
    state, blind_since, sees, seen_at = began(now), None, False, 100.0
    blind_cause = None
    degraded: set[Cause] = set()
    for what, seconds, arrives, pictures in history:
        now += seconds
        arrival = now if arrives else arrival
        if pictures or isinstance(what, PictureCame):
            picture = arrival = now
        if isinstance(what, PictureCame):
            what = PictureCame(now, 640, 360)
        late = False
        if isinstance(what, Snapshot):
            late = looked is not None and now - looked > 1.0
            looked = now
            what = replace(what, last_arrival=arrival, last_picture=picture)
        state, actions = step(state, what, now)
        assert len(actions) <= 8
        assert not late or actions == (Forgive(),)
        for action in actions:
            match action:
                case SayBlind(since, cause, _, detail):
                    assert cause in LINK
                    assert detail
                    assert seen_at <= since <= now
                    if blind_since is not None:
                        assert since == blind_since
                        assert cause is blind_cause or explains_more(cause, blind_cause)
                    blind_since, blind_cause, sees = since, cause, False
                case SaySees(at):
                    assert not sees
                    assert at == picture <= now
                    assert blind_since is None or at > blind_since
                    blind_since, sees, seen_at = None, True, at
                case SayDegraded(since, cause, _, _):
                    assert cause not in degraded
                    assert since <= now
                    degraded.add(cause)
                case SayRecovered(cause):
                    degraded.remove(cause)


@settings(max_examples=100, deadline=None)
@given(
    reasons=st.lists(st.sampled_from(sorted(set(EndReason) - {EndReason.CLOSED})), min_size=50, max_size=200)
)
def test_an_outage_is_told_of_a_few_times_however_long_it_lasts(reasons: list[EndReason]) -> None:
    camera = Camera().open().stream(2)
    for reason in reasons:
        camera.see(Ended(reason=reason))
        camera.silence(1)
        camera.open()
    assert len(camera.told(SayBlind)) <= len(LINK)
    assert len(camera.told(SaySees)) == 1


def test_a_stream_of_which_a_third_is_damaged_is_corrupt_though_pictures_come(camera: Camera) -> None:
    began = camera.now
    camera.stream(6, failed=2, given=4)
    (blind,) = camera.told(SayBlind)
    assert (blind.cause, blind.blame) == (Cause.CORRUPT, Blame.CAMERA)
    assert began - 1 <= blind.since <= began + 2
    assert camera.when(SayBlind)[0] - began < 5
    assert not camera.told(HangUp), "pictures come: a new session would not help"
    camera.stream(10)
    assert [type(each) for each in camera.told(SayBlind) + camera.told(SaySees)] == [
        SayBlind,
        SaySees,
        SaySees,
    ]


def test_damage_for_want_of_packets_is_the_networks_though_pictures_come(camera: Camera) -> None:
    for _ in range(8):
        # The packet is missed in one look, the frame without it counted in the next.
        camera.stream(0.25, received=0, given=0, pictures=False, lost_packets=2).stream(
            0.5, failed=3, given=3
        )
    (blind,) = camera.told(SayBlind)
    assert (blind.cause, blind.blame) == (Cause.CORRUPT, Blame.NETWORK)
    assert "packets are missing" in blind.detail
    camera.stream(10)
    camera.stream(6, failed=2, given=4)
    assert [blind.blame for blind in camera.told(SayBlind)] == [Blame.NETWORK, Blame.CAMERA]


def test_a_packet_lost_now_and_then_is_no_corruption(camera: Camera) -> None:
    for _ in range(40):
        camera.stream(0.25, failed=1, given=5).stream(1.5)
    assert not camera.told(SayBlind)


def test_what_lies_unread_because_our_own_process_has_no_rest_is_no_stall_of_the_camera(
    camera: Camera,
) -> None:
    camera.silence(20, swamped=True)
    (blind,) = camera.told(SayBlind)
    assert (blind.cause, blind.blame) == (Cause.OVERLOADED, Blame.NODE)
    assert not camera.told(HangUp), "a new session would only be more to read"
    camera.stream(2, swamped=True)
    assert isinstance(camera.said[-1][1], SaySees)
