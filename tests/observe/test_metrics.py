"""What the page of metrics says of a node."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_fd_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as parse_plain

from observe.metric_tools import promtool
from observe.metric_views import ENDINGS, SECRET, camera, histograms, node
from vedette.endings import Ending
from vedette.errors import redact
from vedette.histogram import BUCKETS, bucket_of
from vedette.observe.metrics.bins import AGES, CAMERA_STAGES, Bins
from vedette.observe.metrics.collect import Collector
from vedette.observe.metrics.families import FAMILIES
from vedette.observe.views import CameraView, DriftView, Frames, Histograms, NodeView
from vedette.supervise.figures import MachineUsage
from vedette.testing import ManualClock
from vedette.workers.table import STAGES

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def collector(view: Any = None, counts: Any = None, **options: Any) -> Collector:
    shown = view if view is not None else node()
    names = [each.name for each in shown.cameras]
    found = counts if counts is not None else histograms(names)
    return Collector(lambda: shown, lambda: found, version="1.2.3", **options)


def samples(text: bytes) -> Samples:
    families = parse_plain(io.StringIO(text.decode()))
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def read(page: Collector) -> Callable[..., float | None]:
    found = samples(page.text())

    def value(name: str, **labels: str) -> float | None:
        return found.get((f"vedette_{name}", frozenset(labels.items())))

    return value


def test_promtool_finds_nothing_to_complain_of() -> None:
    for text in (collector().text(), collector(NodeView(), Histograms.none(STAGES)).text()):
        checked = promtool("check", "metrics", text=text)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_promtool_would_complain() -> None:
    wrong = collector().text().replace(b"vedette_batches_total", b"vedette_batches")
    assert promtool("check", "metrics", text=wrong).returncode != 0


def test_both_formats_say_the_same() -> None:
    page = collector()
    found: Samples = {}
    for family in parse_openmetrics(io.StringIO(page.text(openmetrics=True).decode())):
        found |= {(each.name, frozenset(each.labels.items())): each.value for each in family.samples}
    assert found == samples(page.text())


def test_every_family_is_on_the_page_of_a_node_that_has_been_through_everything() -> None:
    page = collector(requests=lambda: {"ok": 1})
    text = page.text().decode()
    assert set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) == {family.name for family in FAMILIES}
    for name, labels in samples(page.text()):
        family = next(each for each in FAMILIES if re.fullmatch(f"{each.name}(_bucket|_sum|_count)?", name))
        assert {key for key, _ in labels} - {"le"} == set(family.labels), name


def test_what_was_planned_and_what_was_not_are_counted_apart_for_whoever_has_the_work() -> None:
    value = read(collector())
    assert value("worker_replacements_total", worker="cameras-1", reason="operator") == 3
    assert value("worker_replacements_total", worker="cameras-1", reason="lifetime") == 1
    assert value("worker_deaths_total", worker="cameras-1") == 2
    assert value("worker_deaths_total", worker="cameras-0") == 0
    assert value("worker_deaths_total", worker="cameras-5") is None, "the name of today"
    assert value("worker_cameras", worker="cameras-5", kind="camera") == 1


def test_who_is_in_quarantine_and_what_leaks_is_there_for_alerts() -> None:
    value = read(collector())
    assert [value("worker_quarantined", worker=name) for name in ("cameras-0", "cameras-1")] == [0, 1]
    assert value("worker_leak_per_hour", worker="cameras-1", measure="memory") == 2e7
    assert value("worker_leak_per_hour", worker="cameras-1", measure="files") == 10
    assert value("worker_leak_per_hour", worker="cameras-0", measure="memory") is None


def test_helps_need_no_escapes_and_end_as_sentences_do() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r'[^"\\\n]+\.', family.help), family


def test_the_node_is_described() -> None:
    value = read(collector())
    assert value("build_info", version="1.2.3") == 1
    assert value("detector_info", detector="picodet_s_416", input="416x320") == 1
    assert value("uptime_seconds") == 3600
    assert value("max_age_seconds") == 1
    assert value("cpu_seconds_total") == 1234.5
    assert value("memory_pss_bytes") == 250e6
    assert value("cpu_busy_ratio") == 0.75
    assert value("detector_busy_ratio") == 0.9
    assert value("batches_total") == 77


def test_each_stage_has_the_queue_in_front_of_it() -> None:
    value = read(collector())
    queues = {stage: value("queue", stage=stage) for stage in ("decode", "wait", "infer", "emit", "sinks")}
    assert queues == {"decode": 9, "wait": 3, "infer": 1, "emit": 2, "sinks": 1}


def test_workers_are_described() -> None:
    value = read(collector())
    labels = {"worker": "cameras-0", "kind": "camera"}
    names = ("busy_ratio", "waited_ratio", "late_seconds", "outbox", "cameras")
    assert [value(f"worker_{name}", **labels) for name in names] == [0.5, 0.1, 0.012, 2, 2]


def test_what_workers_and_the_node_have_and_cost_is_described() -> None:
    value = read(collector())
    for worker in ("cameras-0", "inference-0", "node"):
        assert value("worker_memory_bytes", worker=worker, kind="pss") == 100e6
        assert value("worker_memory_bytes", worker=worker, kind="uss") == 80e6
        assert value("worker_open_fds", worker=worker) == 40
        assert value("worker_threads", worker=worker) == 9
    seconds = {"loop": 30.5, "decode": 60.25, "take": 1.5, "other": 0}
    shown = {group: value("worker_cpu_seconds_total", worker="cameras-0", group=group) for group in seconds}
    assert shown == seconds
    assert value("worker_open_fds", worker="cameras-5") is None, "it was not looked at yet"


def test_gpu_memory_is_shown_where_there_is_any() -> None:
    value = read(collector())
    assert value("worker_memory_bytes", worker="inference-0", kind="gpu") == 3e9
    assert value("worker_memory_bytes", worker="cameras-0", kind="gpu") is None


def test_what_is_left_on_the_machine_is_described() -> None:
    value = read(collector())
    assert value("node_memory_available_bytes") == 8e9
    assert value("store_disk_free_bytes") == 20e9
    value = read(collector(node(machine=MachineUsage(5))))
    assert value("node_memory_available_bytes") == 5
    assert value("store_disk_free_bytes") is None, "the ledger is no file"
    assert read(collector(node(machine=None)))("node_memory_available_bytes") is None


def test_a_camera_is_described() -> None:
    value = read(collector())
    assert value("camera_info", camera="gate", width="1920", height="1080") == 1
    assert value("camera_gaps_total", camera="gate") == 5
    assert value("sessions_total", camera="gate") == 4
    assert value("epoch", camera="gate") == 3
    assert value("camera_lag_seconds", camera="gate") == pytest.approx(0.04)
    assert value("camera_backlog", camera="gate") == 3
    assert value("camera_kept", camera="gate") == 1
    assert value("camera_step", camera="gate") == 2
    assert value("camera_ladder_info", camera="gate", step="reference", decodes="reference") == 1
    assert value("camera_blind_seconds_total", camera="gate", cause="stalled") == 7.5
    assert value("camera_degraded", camera="yard", cause="blurred") == 1
    assert value("camera_degraded", camera="gate", cause="blurred") is None


def test_a_camera_is_in_one_state_and_live_only_while_it_is_seen() -> None:
    frozen = camera("frozen", blind="frozen", blame="camera")
    value = read(collector(node([camera(), frozen, camera("away", state="waiting")])))
    states = ("connecting", "live", "waiting", "finished", "paused")
    shown = {
        name: [value("camera_state", camera=name, state=state) for state in states]
        for name in ("gate", "away")
    }
    assert shown == {"gate": [0, 1, 0, 0, 0], "away": [0, 0, 1, 0, 0]}
    assert [value("camera_live", camera=name) for name in ("gate", "frozen", "away")] == [1, 0, 0]
    assert value("camera_blind", camera="frozen", cause="frozen", blame="camera") == 1
    assert not [
        key
        for key in samples(collector().text())
        if key[0] == "vedette_camera_blind" and ("camera", "gate") in key[1]
    ]


def test_every_ending_is_counted_by_outcome_stage_and_reason_and_they_add_up() -> None:
    page = collector(node([camera()]))
    value = read(page)
    for ending in Ending:
        labels = {"outcome": ending.outcome.value, "stage": ending.stage, "reason": ending.reason}
        assert value("frames_total", camera="gate", **labels) == ENDINGS[ending.value]
    ended = sum(found for (name, _), found in samples(page.text()).items() if name == "vedette_frames_total")
    assert value("frames_received_total", camera="gate") == ended + value("frames_in_flight", camera="gate")  # type: ignore[operator]


def test_an_age_is_counted_in_each_bucket_it_is_not_above() -> None:
    value = read(collector())
    buckets = {
        le: value("frame_age_seconds_bucket", camera="gate", le=le)
        for le in ("0.005", "0.01", "0.05", "0.5", "0.75", "+Inf")
    }
    assert buckets == {"0.005": 0, "0.01": 60, "0.05": 90, "0.5": 90, "0.75": 100, "+Inf": 100}
    assert value("frame_age_seconds_count", camera="gate") == 100
    assert value("frame_age_seconds_sum", camera="gate") == pytest.approx(
        0.008 * 60 + 0.04 * 30 + 0.6 * 10, rel=0.02
    )


def test_stages_are_counted_for_the_node_and_for_each_camera() -> None:
    value = read(collector())
    assert value("stage_seconds_bucket", stage="decode", le="0.0025") == 0
    assert value("stage_seconds_bucket", stage="decode", le="0.005") == 300
    assert value("stage_seconds_sum", stage="decode") == pytest.approx(0.9, rel=0.02)
    assert value("camera_stage_seconds_bucket", camera="gate", stage="infer", le="0.001") == 0
    assert value("camera_stage_seconds_bucket", camera="gate", stage="infer", le="0.005") == 100
    assert value("camera_stage_seconds_sum", camera="gate", stage="infer") == pytest.approx(0.3, rel=0.07)
    assert len(CAMERA_STAGES) + 1 <= 8


@pytest.mark.parametrize(
    ("cameras", "wanted", "shown"),
    [(100, None, True), (101, None, False), (101, True, True), (3, False, False)],
)
def test_each_camera_has_its_own_stages_while_they_are_few_or_as_is_wanted(
    cameras: int, wanted: bool | None, shown: bool
) -> None:
    view = node([CameraView(f"c{number}") for number in range(cameras)])
    text = collector(view, per_camera_stages=wanted).text()
    assert (b"vedette_camera_stage_seconds_bucket" in text) is shown
    assert b"vedette_stage_seconds_bucket" in text


def test_no_password_is_on_the_page() -> None:
    url = f"rtsp://me:{SECRET}@10.0.0.1/live"
    view = node([camera(url), camera("gate")], detector=url)
    page = collector(view)
    for openmetrics in (False, True):
        assert SECRET.encode() not in page.text(openmetrics=openmetrics)
    assert read(page)("frames_in_flight", camera="rtsp://***@10.0.0.1/live") == 2


def test_live_pictures_that_were_left_out_are_counted_by_why() -> None:
    value = read(collector(node()))
    assert (value("live_cameras"), value("live_pictures_total")) == (2, 500)
    assert value("live_dropped_total", why="slow") == 40
    assert value("live_dropped_total", why="no_room") == 1


def test_sinks_that_differ_only_in_their_passwords_are_one() -> None:
    from vedette.observe.views import SinkView

    sinks = tuple(SinkView(f"http://me:{number}@host/", written=1, failed=number) for number in (1, 2))
    value = read(collector(node(sinks=sinks)))
    assert value("sink_results_total", sink="http://***@host/", outcome="written") == 2
    assert value("sink_results_total", sink="http://***@host/", outcome="failed") == 3
    assert value("sink_results_total", sink="http://***@host/", outcome="dropped") == 0


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_name_can_be_read_back(name: str) -> None:
    page = collector(node([camera(name)]))
    lines = page.text().decode().split("\n")
    (line,) = [each for each in lines if each.startswith("vedette_epoch")]
    assert line.endswith('"} 3')
    ((sample,),) = [family.samples for family in parse_plain(io.StringIO(line + "\n", newline="\n"))]
    assert sample.labels == {"camera": redact(name)}


def test_what_is_no_number_does_not_spoil_the_page() -> None:
    page = collector(node(max_age_s=float("inf"), cpu_busy=float("nan"), cpu_s=np.float64(1.5)))
    text = page.text().decode()
    assert "\nvedette_max_age_seconds +Inf\n" in text
    assert "\nvedette_cpu_busy_ratio NaN\n" in text
    assert "\nvedette_cpu_seconds_total 1.5\n" in text
    assert promtool("check", "metrics", text=page.text()).returncode == 0


def test_words_that_are_not_known_yet_are_left_out_and_break_nothing() -> None:
    page = collector(node([camera(step="sideways", endings={"lost.somewhere": 3, "analysed.emit": 1})]))
    text = page.text().decode()
    assert "somewhere" not in text
    assert "vedette_camera_step{" not in text
    assert promtool("check", "metrics", text=page.text()).returncode == 0


def test_cameras_that_come_or_go_between_the_two_looks_break_nothing() -> None:
    value = read(collector(node([camera("gate"), camera("new")]), histograms(["gate", "gone"])))
    assert value("frame_age_seconds_count", camera="gate") == 100
    assert value("frame_age_seconds_count", camera="gone") is None
    assert value("frames_in_flight", camera="new") == 2


def test_before_a_node_has_begun_there_is_a_page() -> None:
    value = read(collector(NodeView((CameraView("gate"),)), Histograms.none(STAGES)))
    assert value("camera_live", camera="gate") == 0
    assert value("epoch", camera="gate") == -1
    assert value("stage_seconds_count", stage="infer") == 0


def test_how_the_detector_does_is_shown_in_figures_that_are_always_finite() -> None:
    quiet = camera("new", drift=DriftView("learning", 0.25, "unknown light", 0.0))
    loud = camera("loud", drift=DriftView("suspected", 1.0, "unknown light", float("inf")))
    value = read(collector(node([camera(), quiet, loud])))
    states = ("changed", "learning", "suspected", "unseen", "watching")
    assert [value("drift_state", camera="gate", state=each) for each in states] == [0, 0, 1, 0, 0]
    assert [value("drift_state", camera="new", state=each) for each in states] == [0, 1, 0, 0, 0]
    assert value("drift_suspicions_total", camera="gate") == 2
    assert value("drift_evidence_log", camera="gate") == pytest.approx(3.3010, abs=1e-4)
    assert value("drift_evidence_log", camera="new") == -6
    assert value("drift_evidence_log", camera="loud") == 30
    assert (value("drift_lights", camera="gate"), value("drift_lights", camera="new")) == (2, 0)
    assert value("drift_learnt_ratio", camera="new") == 0.25
    assert read(collector(node([camera(drift=None)])))("drift_lights", camera="gate") is None


def test_accuracy_is_shown_of_cameras_and_sites_and_none_where_frames_are_too_few() -> None:
    value = read(collector())
    recall = {"camera": "gate", "site": "north", "measure": "recall"}
    bounds = [value("accuracy", **recall, bound=bound) for bound in ("value", "lower", "upper")]
    assert bounds == [0.61, 0.52, 0.69]
    assert (value("accuracy_frames", **recall), value("accuracy_floor", **recall)) == (140, 0.8)
    assert value("accuracy_lost", **recall) == 1
    precision = recall | {"measure": "precision"}
    assert value("accuracy", **precision, bound="value") is None
    assert (value("accuracy_frames", **precision), value("accuracy_lost", **precision)) == (3, None)
    assert value("accuracy", camera="", site="north", measure="recall", bound="lower") == 0.75
    assert value("accuracy_lost", camera="", site="north", measure="recall") == 0


# ---- over time


def test_seconds_that_move_to_another_cause_let_no_counter_fall() -> None:
    clock, now = ManualClock(), {}
    page = Collector(
        lambda: node([camera(blind_s=now)]), lambda: histograms(["gate"]), version="1", clock=clock
    )

    def seconds(**causes: float) -> dict[str, float]:
        now.clear()
        now.update(causes)
        clock.advance(1)
        found = samples(page.text())
        return {
            dict(labels)["cause"]: value
            for (name, labels), value in found.items()
            if name == "vedette_camera_blind_seconds_total"
        }

    assert seconds(stalled=10.0) == {"stalled": 10}
    assert seconds(unreachable=15.0) == {"stalled": 10, "unreachable": 15}
    assert seconds(unreachable=90.0, stalled=4.0) == {"stalled": 10, "unreachable": 90}
    assert seconds(unreachable=90.0, stalled=12.0) == {"stalled": 12, "unreachable": 90}


def test_a_camera_that_is_gone_is_forgotten() -> None:
    clock, shown = ManualClock(), [camera(blind_s={"stalled": 9.0})]
    page = Collector(lambda: node(shown), lambda: histograms(["gate"]), version="1", clock=clock)
    for cameras in ([], [camera(blind_s={"stalled": 1.0})]):
        page.text()
        shown[:] = cameras
        clock.advance(1)
    assert b'vedette_camera_blind_seconds_total{camera="gate",cause="stalled"} 1.0\n' in page.text()


def test_who_asks_at_the_same_time_shares_one_look() -> None:
    clock, looks = ManualClock(), []

    def look() -> NodeView:
        looks.append(clock.monotonic())
        return node()

    page = Collector(look, histograms, version="1", clock=clock)
    for openmetrics in (False, True):
        for gzipped in (False, True):
            page.text(openmetrics=openmetrics, gzipped=gzipped)
    assert len(looks) == 1
    clock.advance(0.6)
    page.text()
    assert len(looks) == 2


def test_after_a_failure_there_is_no_old_page() -> None:
    clock, broken = ManualClock(), [False]

    def look() -> NodeView:
        if broken[0]:
            raise RuntimeError("no view")
        return node()

    page = Collector(look, histograms, version="1", clock=clock)
    page.text()
    broken[0] = True
    clock.advance(1)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            page.text()
    broken[0] = False
    assert page.text()


counts = st.dictionaries(st.integers(0, BUCKETS - 1), st.integers(1, 10**6), max_size=20)


@settings(deadline=None)
@given(counts, counts)
def test_buckets_hold_all_and_never_fall(first: dict[int, int], more: dict[int, int]) -> None:
    narrow = np.zeros(BUCKETS, np.uint32)
    bins, before, sum_before = Bins(AGES), None, 0.0
    for added in (first, more):
        for place, count in added.items():
            narrow[place] += count
        now = bins.sums(narrow)
        assert (np.diff(now) >= 0).all()
        assert now[-1] == narrow.sum()
        assert before is None or (now >= before).all()
        total = float(bins.totals(narrow))
        assert total >= sum_before
        before, sum_before = now, total


@settings(deadline=None)
@given(st.floats(1e-5, 99.0))
def test_a_time_is_in_the_right_bucket_but_for_1_6_percent(seconds: float) -> None:
    narrow = np.zeros(BUCKETS, np.uint32)
    narrow[bucket_of(seconds)] = 1
    bins = Bins(AGES)
    upper = next(edge for edge, count in zip((*AGES, np.inf), bins.sums(narrow), strict=True) if count)
    lower = max((edge for edge in AGES if edge < upper), default=0.0)
    assert lower / 1.017 <= seconds <= upper * 1.017
    assert float(bins.totals(narrow)) == pytest.approx(seconds, rel=0.017)


def test_outcomes_of_nothing_are_nothing() -> None:
    value = read(collector(node([CameraView("new", frames=Frames())])))
    assert value("frames_received_total", camera="new") == 0
