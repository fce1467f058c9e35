"""Which stage keeps a node from doing more, and how sure one may be of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.endings import ENDINGS
from vedette.observe.bottleneck import find_bottleneck
from vedette.observe.tally import Lately, Tally
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles, SinkView, WorkerView
from vedette.supervise.figures import MachineUsage, ProcessUsage


def camera(name: str = "gate", fps_in: float = 25, **changes: object) -> CameraView:
    fields: dict[str, object] = {"frames": Frames(received=1), "fps_in": fps_in}
    return CameraView(name, "live", **(fields | changes))  # type: ignore[arg-type]


def busy(detector: float = 0.3, camera: float = 0.3, **of_camera: float) -> tuple[WorkerView, ...]:
    waited = of_camera.pop("detector_waited", 0.0)
    return (
        WorkerView("inference-0", "inference", busy=detector, waited=waited),
        WorkerView("cameras-0", "camera", busy=camera, **of_camera),  # type: ignore[arg-type]
    )


STAGES = ("infer", "canary", "decode", "convert", "track", "emit", "wait", "lag", "cpu", "sinks", "none")
FEW_LET_GO = {"analysed.emit": 1000}
MANY_SUPERSEDED = {"analysed.emit": 190, "superseded.wait": 610}


def test_a_detector_without_rest_before_which_frames_are_superseded_is_the_bottleneck() -> None:
    cameras = tuple(camera(f"c{number}", endings=MANY_SUPERSEDED) for number in range(32))
    found = find_bottleneck(NodeView(cameras, analysed_per_s=190, workers=busy(detector=0.97)))
    assert found.stage == "infer"
    assert found.sentence == "The detector: busy 97%; the cameras bring 800 frames/s, it looks at 190."


def test_frames_that_nobody_wanted_are_not_held_against_the_detector() -> None:
    endings = MANY_SUPERSEDED | {"skipped.rate": 800}
    view = NodeView((camera(endings=endings),), analysed_per_s=4, workers=busy(detector=0.97))
    assert "bring 25 frames/s, 12 of them wanted, it looks at 4." in find_bottleneck(view).sentence


def test_a_worker_without_rest_before_which_frames_wait_is_decoding() -> None:
    endings = {"analysed.emit": 500, "skipped.backlog": 400}
    view = NodeView(
        (camera(endings=endings, backlog=41),),
        workers=busy(camera=0.96, waited=0.29),
        stages_s={"decode": 50.0, "track": 3.0, "infer": 80.0},
    )
    found = find_bottleneck(view)
    assert found.stage == "decode"
    assert found.sentence == (
        "Decoding: the busiest of the cameras' workers has no rest (96%, 30% of it waiting for a core) "
        "and 41 frames wait to be decoded."
    )


def test_a_worker_that_mostly_tracks_is_told_as_tracking() -> None:
    view = NodeView(
        (camera(endings=MANY_SUPERSEDED),),
        workers=busy(camera=0.96),
        stages_s={"decode": 5.0, "track": 30.0, "infer": 80.0},
    )
    found = find_bottleneck(view)
    assert found.stage == "track"
    assert found.sentence.startswith("Tracking: ")


@pytest.mark.parametrize(("before_decode", "stage"), [(10, "infer"), (2000, "decode")])
def test_of_two_that_have_no_rest_the_one_before_which_more_is_let_go(before_decode: int, stage: str) -> None:
    endings = MANY_SUPERSEDED | {"expired.decode": before_decode}
    found = find_bottleneck(NodeView((camera(endings=endings),), workers=busy(0.97, 0.95)))
    assert found.stage == stage
    assert "at their limit, too" in found.sentence or "at its limit, too" in found.sentence


def test_workers_that_wait_for_cores_that_are_all_in_use_lack_cores() -> None:
    view = NodeView(
        (camera(endings=MANY_SUPERSEDED),),
        workers=busy(0.9, 0.96, waited=0.5, detector_waited=0.4),
        cpu_busy=0.99,
    )
    found = find_bottleneck(view)
    assert found.stage == "cpu"
    assert found.sentence == (
        "The machine's cores: 99% in use, and the busiest of the cameras' workers got none for 50% of the "
        "time and the detector got none for 40% of the time."
    )


def test_late_arrival_with_workers_at_rest_is_the_networks() -> None:
    late = [camera("a", lag_ms=620), camera("b", lag_ms=900)]
    found = find_bottleneck(NodeView((*late, camera("c", endings=FEW_LET_GO)), workers=busy()))
    assert found.stage == "lag"
    assert found.sentence == (
        "The network, or the cameras: frames of 2 cameras arrive 900 ms after they were captured at worst "
        "(b)."
    )


def test_late_arrival_at_a_worker_without_rest_may_be_its_own_doing() -> None:
    view = NodeView((camera(lag_ms=700, endings=MANY_SUPERSEDED),), workers=busy(camera=0.97))
    found = find_bottleneck(view)
    assert found.stage == "decode"
    assert "gate's frames arrive 700 ms after they were captured" in found.sentence
    assert "or our own late reading" in found.sentence


def test_frames_that_came_too_old_while_nothing_is_late_now_are_the_networks_too() -> None:
    view = NodeView(
        (camera(endings={"analysed.emit": 90, "expired.decode": 10}),),
        workers=busy(),
        stages_ms={"lag": Percentiles(10, 1400, 2000)},
    )
    found = find_bottleneck(view)
    assert found.stage == "lag"
    assert "10% of the frames that were wanted were let go" in found.sentence


def test_a_sink_that_loses_results_comes_before_all_that_it_holds_up() -> None:
    sink = SinkView("https://user:secret@hook", written=50, dropped=40, waiting=512)
    view = NodeView((camera(endings=MANY_SUPERSEDED),), workers=busy(0.99), sinks=(sink,))
    found = find_bottleneck(view)
    assert found.stage == "sinks"
    assert "could not take 40 results in time, 512 wait" in found.sentence
    assert "secret" not in found.sentence


def test_a_sink_that_lost_one_of_many_is_not_worth_a_word() -> None:
    sinks = (SinkView("jsonl", written=10_000, dropped=1),)
    found = find_bottleneck(NodeView((camera(endings=FEW_LET_GO),), workers=busy(), sinks=sinks))
    assert found.stage == "none"


def test_a_node_that_does_not_take_what_its_workers_hand_on_is_named() -> None:
    view = NodeView((camera(endings=FEW_LET_GO),), workers=busy(outbox=300))
    assert find_bottleneck(view).sentence == "The node itself: 300 messages wait for it to take them."


def test_a_detector_that_answers_nothing_is_named() -> None:
    view = NodeView((camera(endings={"superseded.wait": 100}),), workers=busy(0.0, 0.2))
    found = find_bottleneck(view)
    assert (found.stage, found.sentence) == (
        "infer",
        "The detector: it looks at nothing; the cameras bring 25 frames/s.",
    )


def test_when_every_wanted_frame_was_analysed_nothing_is_the_bottleneck() -> None:
    endings = {"analysed.emit": 100, "skipped.rate": 900, "skipped.motion": 5, "skipped.rung": 8}
    found = find_bottleneck(NodeView((camera(endings=endings),), workers=busy()))
    assert not found.is_one
    assert found.sentence == "Nothing: every frame that was wanted was analysed."


def test_damaged_frames_are_not_called_analysed() -> None:
    endings = {"analysed.emit": 100, "failed.decode": 3, "orphaned.wait": 1}
    found = find_bottleneck(NodeView((camera(endings=endings),), workers=busy()))
    assert found.sentence == "Nothing: no frame was let go for want of time (3 failed, 1 orphaned)."


def test_a_few_that_were_let_go_are_nothing_to_speak_of() -> None:
    endings = {"analysed.emit": 995, "superseded.wait": 5}
    found = find_bottleneck(NodeView((camera(endings=endings),), workers=busy()))
    assert not found.is_one
    assert found.sentence.startswith("Nothing to speak of: 0.5% of the frames")


def test_a_detector_at_its_limit_that_loses_nothing_is_said_to_lose_nothing() -> None:
    view = NodeView((camera(endings=FEW_LET_GO),), analysed_per_s=25, workers=busy(0.99))
    found = find_bottleneck(view)
    assert found.stage == "infer"
    assert found.sentence.endswith("no frame was let go for it.")


def test_losses_without_anything_at_its_limit_are_not_explained_away() -> None:
    found = find_bottleneck(
        NodeView((camera(endings=MANY_SUPERSEDED),), analysed_per_s=9, workers=busy(0.6, 0.4))
    )
    assert found.stage == "wait"
    assert found.sentence.startswith("Not clear: 76% of the frames that were wanted were let go")
    assert "detector is busy 60% and the busiest of the cameras' workers 40%" in found.sentence


def test_a_few_frames_that_gave_way_beside_workers_at_rest_are_nobodys_limit() -> None:
    endings = {"analysed.emit": 940, "superseded.wait": 60}
    view = NodeView((camera(endings=endings),), analysed_per_s=9, workers=busy(0.2, 0.3), cpu_busy=0.4)
    found = find_bottleneck(view)
    assert not found.is_one
    assert found.sentence == (
        "Nothing is at its limit: 6.0% of the frames that were wanted gave way to a newer one of their "
        "camera; the detector is busy 20% and the busiest of the cameras' workers 30%."
    )


@pytest.mark.parametrize(
    ("endings", "workers", "cpu"),
    [
        ({"analysed.emit": 800, "superseded.wait": 200}, busy(0.2, 0.3), 0.4),
        ({"analysed.emit": 940, "expired.wait": 60}, busy(0.2, 0.3), 0.4),
        ({"analysed.emit": 940, "superseded.wait": 60}, busy(0.6, 0.3), 0.4),
        ({"analysed.emit": 940, "superseded.wait": 60}, busy(0.2, 0.6), 0.4),
        ({"analysed.emit": 940, "superseded.wait": 60}, busy(0.2, 0.3), 0.6),
        ({"analysed.emit": 940, "superseded.wait": 60}, (), 0.4),
    ],
    ids=["many", "too old", "detector", "cameras", "cores", "not known"],
)
def test_what_is_lost_otherwise_is_not_clear_and_not_sure(
    endings: dict[str, int], workers: tuple[WorkerView, ...], cpu: float
) -> None:
    view = NodeView((camera(endings=endings),), analysed_per_s=9, workers=workers, cpu_busy=cpu)
    found = find_bottleneck(view)
    assert found.sentence.startswith("Not clear: ")
    assert not found.sure


def test_losses_beside_a_detector_that_is_slow_at_times_are_probably_its_spikes() -> None:
    view = NodeView(
        (camera(endings=MANY_SUPERSEDED),),
        analysed_per_s=9,
        workers=busy(0.6),
        stages_ms={"infer": Percentiles(5, 6, 50)},
    )
    found = find_bottleneck(view)
    assert found.stage == "infer"
    assert "5.0 ms at the median and 50.0 ms at p99" in found.sentence


def test_cameras_below_full_are_told_in_the_order_of_the_ladder() -> None:
    cameras = (camera("a", step="keyframes"), camera("b", step="fewer"), camera("c", endings=FEW_LET_GO))
    found = find_bottleneck(NodeView((*cameras, camera("d", step="keyframes")), workers=busy()))
    assert not found.is_one
    assert found.sentence.endswith("; below full: fewer 1, keyframes 2.")


def test_before_the_first_frame_there_is_no_verdict() -> None:
    assert find_bottleneck(NodeView()).sentence == "Nothing: no frame was wanted yet."


def test_only_what_was_let_go_since_the_view_before_counts() -> None:
    then = NodeView((camera(endings=MANY_SUPERSEDED),))
    now = NodeView((camera(endings=MANY_SUPERSEDED | {"analysed.emit": 290}),), workers=busy())
    assert find_bottleneck(now).is_one
    assert not find_bottleneck(now, before=then).is_one


def beside(
    *,
    loss: dict[str, int],
    canary_loss: dict[str, int],
    detector: float,
    canary: float,
    camera_busy: float = 0.3,
) -> NodeView:
    """Two cameras, of which a canary has the second."""
    return NodeView(
        (
            camera("gate", endings=loss, fps_analysed=6),
            camera("yard", endings=canary_loss, fps_analysed=3, canary="/models/new.onnx"),
        ),
        analysed_per_s=9,
        workers=(*busy(detector, camera_busy), WorkerView("canary-0", "canary", busy=canary, cameras=1)),
    )


def test_a_canary_without_rest_is_told_apart_from_the_detector() -> None:
    view = beside(loss=FEW_LET_GO, canary_loss=MANY_SUPERSEDED, detector=0.4, canary=0.99)
    found = find_bottleneck(view)
    assert found.stage == "canary"
    assert found.sentence == "The canary: busy 99%; its cameras bring 25 frames/s, it looks at 3."


def test_beside_a_canary_the_detector_is_judged_by_its_own_cameras() -> None:
    view = beside(loss=MANY_SUPERSEDED, canary_loss=FEW_LET_GO, detector=0.97, canary=0.4)
    found = find_bottleneck(view)
    assert found.stage == "infer"
    assert found.sentence == "The detector: busy 97%; its cameras bring 25 frames/s, it looks at 6."
    idle = find_bottleneck(
        beside(loss={"superseded.wait": 90}, canary_loss=FEW_LET_GO, detector=0.0, canary=0.4)
    )
    assert idle.sentence.startswith("The detector: it looks at nothing; its cameras bring 25"), idle


def test_a_detector_that_loses_nothing_is_not_at_its_limit_because_a_canary_does() -> None:
    view = beside(loss=FEW_LET_GO, canary_loss=MANY_SUPERSEDED, detector=0.9, canary=0.99)
    assert "too" not in find_bottleneck(view).sentence


@pytest.mark.parametrize(
    ("of_detector", "of_canary", "stage"), [(610, 500, "infer"), (500, 610, "canary"), (500, 500, "infer")]
)
def test_of_a_detector_and_a_canary_without_rest_the_one_before_which_more_is_let_go(
    of_detector: int, of_canary: int, stage: str
) -> None:
    found = find_bottleneck(
        beside(
            loss={"analysed.emit": 100, "superseded.wait": of_detector},
            canary_loss={"analysed.emit": 100, "superseded.wait": of_canary},
            detector=0.97,
            canary=0.98,
            camera_busy=0.9,
        )
    )
    assert found.stage == stage
    other = (
        "the canary is at its limit, too (98%)" if stage == "infer" else "the detector is at its limit, too"
    )
    assert other in found.sentence
    assert "the cameras' workers are at their limit, too (90%)" in found.sentence


def test_losses_beside_a_canary_that_are_not_explained_name_all_three() -> None:
    view = beside(loss=MANY_SUPERSEDED, canary_loss=MANY_SUPERSEDED, detector=0.5, canary=0.6)
    assert find_bottleneck(view).sentence.endswith("the cameras' workers 30%, the canary 60%.")


shares = st.floats(0, 1)
views = st.builds(
    NodeView,
    cameras=st.lists(
        st.builds(
            CameraView,
            name=st.sampled_from("abc"),
            state=st.sampled_from(["live", "waiting", "removed"]),
            fps_in=st.floats(0, 1000),
            endings=st.dictionaries(st.sampled_from([each.value for each in ENDINGS]), st.integers(0, 10**9)),
            step=st.sampled_from(["full", "fewer", "reference", "keyframes", "paused"]),
            lag_ms=st.floats(0, 1e6),
            backlog=st.integers(0, 100),
            canary=st.sampled_from(["", "new.onnx"]),
        ),
        max_size=3,
    ).map(tuple),
    analysed_per_s=st.floats(0, 1e5),
    workers=st.lists(
        st.builds(
            WorkerView,
            name=st.just("w"),
            kind=st.sampled_from(["camera", "inference", "canary", "shadow"]),
            busy=shares,
            waited=shares,
            outbox=st.integers(0, 1000),
            usage=st.none()
            | st.dictionaries(st.sampled_from(["loop", "decode", "detect", "other"]), st.floats(0, 64)).map(
                lambda cpu: ProcessUsage("w", 7, 9.0, 1, 1, None, 3, 4, cpu, cpu)
            ),
        ),
        max_size=3,
    ).map(tuple),
    stages_ms=st.dictionaries(
        st.sampled_from(["lag", "infer"]), st.builds(Percentiles, *[st.floats(0, 1e5)] * 3)
    ),
    cpu_busy=shares,
    machine=st.none()
    | st.builds(
        MachineUsage, st.integers(0, 10**12), shares, st.none() | st.integers(0, 10**12), st.integers(1, 64)
    ),
)


@given(views)
def test_any_node_gets_one_sentence_and_a_known_stage(view: NodeView) -> None:
    found = find_bottleneck(view)
    assert found.stage in STAGES
    assert found.sentence.endswith(".")
    assert found.sentence.startswith("Nothing") != found.is_one


def at(seconds: float, analysed: int, superseded: int, detector: float) -> NodeView:
    endings = {"analysed.emit": analysed, "superseded.wait": superseded}
    return NodeView((camera(endings=endings),), uptime_s=seconds, analysed_per_s=9, workers=busy(detector))


def test_lately_forgets_an_overload_that_is_over() -> None:
    lately, verdicts = Lately(), []
    analysed = superseded = 0
    for step in range(400):
        overloaded = 100 <= step < 200
        analysed, superseded = analysed + 2, superseded + (4 if overloaded else 0)
        verdicts.append(lately.judge(at(step * 0.25, analysed, superseded, 0.97 if overloaded else 0.3)))
    assert not verdicts[99].is_one
    assert verdicts[199].stage == "infer"
    assert not verdicts[-1].is_one
    assert not any(each.is_one for each in verdicts[200 + 60 :]), "within 15 s"


def test_nothing_is_said_of_now_before_frames_have_come_for_a_while() -> None:
    lately = Lately()
    assert lately.judge(NodeView(uptime_s=100, workers=busy(0.9))).sentence == ""
    assert lately.judge(at(101, 1, 5, 0.9)).sentence == ""
    lately.judge(at(104, 10, 20, 0.9))
    assert lately.judge(at(105, 20, 40, 0.9)).stage == "infer"


def test_the_whole_run_is_judged_by_its_means_and_not_by_its_last_moment() -> None:
    whole = Tally(from_start=True)
    whole.add(NodeView(workers=busy(0.0)))
    whole.add(at(1, 0, 6, 0.0))  # the first frames have come: the load of the second before says nothing
    for step in range(10):
        whole.add(at(5 + step, step * 2, step * 6, 0.99 if step % 2 else 0.91))
    end = replace(at(16, 20, 60, 0.0), cpu_busy=0.7)
    found = whole.judge(end)
    assert found.stage == "infer"
    assert "busy 95%" in found.sentence
    over = whole.over(end)
    assert over.workers[0].busy == pytest.approx(0.95)
    assert over.cpu_busy == 0.0
    assert over.cameras == end.cameras


def test_a_run_too_short_to_have_a_mean_is_judged_by_its_end() -> None:
    whole = Tally(from_start=True)
    end = at(1, 10, 90, 0.99)
    whole.add(end)
    assert whole.gauges is None
    assert whole.judge(end).stage == "infer"
    assert whole.over(end) == end


def test_late_turns_are_remembered_at_their_worst() -> None:
    whole = Tally()
    for late in (1.0, 80.0, 2.0):
        whole.add(NodeView((camera(),), workers=busy(late_ms=late)))
    assert whole.gauges is not None
    assert whole.gauges.late_ms == 80
    assert whole.over(NodeView(workers=busy())).workers[1].late_ms == 80


# ---- what processes have and cost


def using(
    decode: float = 0.0, loop: float = 0.3, detect: float = 0.5, **of_busy: float
) -> tuple[WorkerView, ...]:
    """Workers whose groups of threads have so many cores in use."""
    detector, cameras = busy(**of_busy)  # type: ignore[arg-type]
    return (
        replace(detector, usage=used("inference-0", detect=detect, ask=0.1, other=0.0)),
        replace(cameras, usage=used("cameras-0", loop=loop, decode=decode, take=0.0, other=0.0)),
    )


def used(worker: str, **cpu: float) -> ProcessUsage:
    return ProcessUsage(worker, 7, 9.0, 1, 1, None, 3, 4, cpu, cpu)


FOUR_CORES = MachineUsage(8 * 10**9, 0.5, None, 4)
BACKLOG = {"analysed.emit": 500, "skipped.backlog": 400}


def test_decoders_that_have_no_rest_are_named_though_the_loop_beside_them_has_rest() -> None:
    view = NodeView(
        (camera(endings=BACKLOG, backlog=41),), workers=using(decode=3.9), machine=FOUR_CORES, cpu_busy=0.8
    )
    found = find_bottleneck(view)
    assert found.stage == "decode"
    assert found.sentence == (
        "Decoding: the decoding threads of the busiest of the cameras' workers have no rest (3.9 of 4 cores) "
        "and 41 frames wait to be decoded."
    )


def test_one_camera_that_takes_a_whole_thread_is_decoding_at_its_limit() -> None:
    view = NodeView((camera(endings=BACKLOG, backlog=16),), workers=using(decode=0.97), machine=FOUR_CORES)
    assert "(1.0 of 4 cores) and 16 frames wait" in find_bottleneck(view).sentence


def test_decoders_that_have_rest_are_not_blamed() -> None:
    view = NodeView((camera(endings=BACKLOG),), workers=using(decode=0.5), machine=FOUR_CORES)
    found = find_bottleneck(view)
    assert found.stage == "decode"
    assert found.sentence.startswith("Not clear: ")


def test_busy_decoders_that_keep_up_are_no_bottleneck() -> None:
    view = NodeView((camera(endings=FEW_LET_GO, backlog=1),), workers=using(decode=2.0), machine=FOUR_CORES)
    assert not find_bottleneck(view).is_one


def test_frames_that_arrive_too_late_are_not_blamed_on_busy_decoders() -> None:
    endings = {"analysed.emit": 500, "expired.decode": 400}
    view = NodeView(
        (camera(lag_ms=900, endings=endings, backlog=2),), workers=using(decode=1.5), machine=FOUR_CORES
    )
    assert find_bottleneck(view).stage == "lag"


def test_a_detector_without_rest_is_not_taken_for_decoding_nor_the_other_way_round() -> None:
    cameras = (camera(endings=MANY_SUPERSEDED),)
    view = NodeView(cameras, workers=using(decode=1.5, detector=0.97), machine=FOUR_CORES)
    assert find_bottleneck(view).stage == "infer"
    cameras = (camera(endings=MANY_SUPERSEDED | {"skipped.backlog": 2000}, backlog=20),)
    found = find_bottleneck(replace(view, cameras=cameras))
    assert found.stage == "decode"
    assert found.sentence.endswith("; the detector is at its limit, too (97%).")
    cameras = (camera(endings=MANY_SUPERSEDED | {"skipped.backlog": 200}, backlog=20),)
    found = find_bottleneck(replace(view, cameras=cameras))
    assert found.stage == "infer"
    assert found.sentence.endswith("; the cameras' workers are at their limit, too (1.5 of 4 cores).")


def test_decoders_that_have_all_cores_are_at_their_limit_though_the_ladder_lets_nothing_go() -> None:
    view = NodeView(
        (camera(endings=FEW_LET_GO, step="keyframes"),), workers=using(decode=3.6), machine=FOUR_CORES
    )
    found = find_bottleneck(view)
    assert found.stage == "decode"
    assert found.sentence.endswith("no frame was let go for it; below full: keyframes 1.")


def test_where_cores_are_short_it_is_told_who_has_them() -> None:
    view = NodeView(
        (camera(endings=MANY_SUPERSEDED),),
        workers=using(1.2, 0.5, 0.8, detector=0.9, camera=0.96, waited=0.5, detector_waited=0.4),
        cpu_busy=0.99,
        machine=FOUR_CORES,
    )
    found = find_bottleneck(view)
    assert found.stage == "cpu"
    assert found.sentence.endswith("; the cameras' workers have 1.7 of them, the detector 0.9.")


def test_where_cores_are_short_candidates_are_told_to_have_some() -> None:
    view = NodeView(
        (camera(endings=MANY_SUPERSEDED),),
        workers=(
            *using(1.2, 0.5, 0.8, detector=0.9, camera=0.96, waited=0.5, detector_waited=0.4),
            WorkerView("shadow-0", "shadow", usage=used("shadow-0", other=0.7)),
        ),
        cpu_busy=0.99,
        machine=FOUR_CORES,
    )
    assert find_bottleneck(view).sentence.endswith("the detector 0.9, candidates 0.7.")


def test_decoders_that_get_too_few_of_the_cores_are_told_so() -> None:
    view = NodeView(
        (camera(endings={"analysed.emit": 500, "skipped.backlog": 1500}, backlog=15),),
        workers=using(decode=0.5, loop=0.1, detect=0.0, detector=0.0, camera=0.1),
        cpu_busy=1.0,
        machine=FOUR_CORES,
    )
    assert find_bottleneck(view).sentence == (
        "Probably the machine's cores (100% in use): 75% of the frames that were wanted were let go; "
        "the cameras' workers have 0.6 of them, the detector 0.1."
    )


def test_memory_and_disk_that_run_out_are_told_beside_any_verdict() -> None:
    machine = MachineUsage(61_000_000, 0.5, 12_000_000, 4)
    well = NodeView((camera(endings={"analysed.emit": 100}),), workers=busy(), machine=machine)
    assert find_bottleneck(well).sentence == (
        "Nothing: every frame that was wanted was analysed; besides, only 61 MB of memory and 12 MB of disk "
        "for the ledger are left."
    )
    overloaded = replace(well, cameras=(camera(endings=MANY_SUPERSEDED),), workers=busy(0.97))
    found = find_bottleneck(replace(overloaded, machine=replace(machine, disk_free=None)))
    assert found.stage == "infer"
    assert found.sentence.endswith("; besides, only 61 MB of memory are left.")


def test_of_a_run_the_least_that_was_left_is_told() -> None:
    whole = Tally()
    for left in (9 * 10**9, 20_000_000, 8 * 10**9):
        whole.add(NodeView((camera(),), workers=busy(), machine=MachineUsage(left)))
    whole.add(NodeView((camera(),), workers=busy()))
    end = NodeView((camera(endings={"analysed.emit": 100}),), workers=busy(), machine=MachineUsage(9 * 10**9))
    assert "only 20 MB of memory are left" in whole.judge(end).sentence
