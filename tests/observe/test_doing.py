"""What a node is doing about a camera, in words."""

from __future__ import annotations

import pytest

from vedette.causes import Blame, Cause
from vedette.facts import EndReason, SessionEnded
from vedette.observe.doing import Doing, Retries, doing
from vedette.workers.table import CameraState

LIVE, WAITING, CONNECTING = CameraState.LIVE, CameraState.WAITING, CameraState.CONNECTING


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (Doing(LIVE), ""),
        (Doing(WAITING, Cause.REFUSED, retry_in=4.2), "opens it again in 4 s"),
        (Doing(WAITING, Cause.REFUSED, retry_in=600), "opens it again in 10 min"),
        (Doing(WAITING, Cause.REFUSED), "opens it again"),
        (Doing(CONNECTING, Cause.STARTING), "connects"),
        (Doing(LIVE, Cause.STARTING), "waits for its first picture"),
        (Doing(LIVE, Cause.STARTING, blame=Blame.CAMERA), "waits for a keyframe"),
        (Doing(LIVE, Cause.NO_KEYFRAME), "waits for a keyframe"),
        (Doing(LIVE, Cause.STALLED, hang_up_after=5), "opens it anew if nothing comes for 5 s"),
        (Doing(LIVE, Cause.DETECTOR_LOST, detector="is being started"), "the detector is being started"),
        (Doing(LIVE, Cause.DARK), "looks on, and says when it is over"),
        (Doing(LIVE, degraded=(Cause.BLURRED,)), "looks on, and says when it is over"),
        (Doing(LIVE, degraded=(Cause.THINNED,)), "does more for it again as soon as the machine can"),
        (
            Doing(WAITING, Cause.WORKER_LOST, worker="is being started again"),
            "its worker is being started again",
        ),
        (Doing(CameraState.PAUSED, Cause.PAUSED), "waits until it is resumed"),
        (Doing(CameraState.REMOVED), ""),
        (Doing(CameraState.FINISHED), ""),
    ],
)
def test_it_says_what_comes_next(of: Doing, words: str) -> None:
    assert doing(of) == words


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("state", list(CameraState))
def test_there_are_words_for_every_state_and_cause(state: CameraState, cause: Cause) -> None:
    said = doing(Doing(state, cause))
    assert bool(said) == (state not in (CameraState.REMOVED, CameraState.FINISHED))


def test_the_next_attempt_is_counted_down_to() -> None:
    retries = Retries()
    assert retries.after("gate", 10.0) is None
    ended = SessionEnded(at=10.0, camera="gate", reason=EndReason.REFUSED, detail="", frames=0, retry_in=4.0)
    retries.take(ended)
    assert retries.after("gate", 11.0) == 3.0
    assert retries.after("gate", 14.5) is None
