"""What a running node writes down, and what the next one makes of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from integration.harness import Cameras, Run, fake, no_detector_yet, nobody_read, wait_until
from patience import PATIENCE_S
from vedette.causes import Cause, Kind
from vedette.ledger.audit import partition_problems
from vedette.ledger.rows import LedgerGap
from vedette.ledger.store import Ledger


def record(folder: Path) -> list[LedgerGap]:
    """All rows, which must partition the time that was watched."""
    with Ledger.open(folder / "vedette.db", migrate=False) as ledger, ledger.snapshot():
        gaps, watches = ledger.gaps(), ledger.watches()
    assert partition_problems(watches, gaps) == []
    return gaps


def blind(folder: Path, camera: str) -> list[LedgerGap]:
    """Without what a busy machine adds."""
    found = [gap for gap in record(folder) if gap.camera == camera and gap.kind is Kind.BLIND]
    return [gap for gap in found if not is_busy(gap)]


def is_busy(gap: LedgerGap) -> bool:
    return nobody_read(gap) or no_detector_yet(gap)


def is_known_to_be_seen(folder: Path, camera: str) -> bool:
    """Whether the record says something of the time after its start."""
    with Ledger.open(folder / "vedette.db", migrate=False) as ledger, ledger.snapshot():
        gaps, known = ledger.gaps(cameras=[camera]), ledger.known_until("node") or 0
    return bool(gaps) and all(gap.end is not None and gap.end < known for gap in gaps)


def test_an_outage_is_written_when_it_opens_and_completed_when_it_ends(
    cameras: Cameras, tmp_path: Path
) -> None:
    with Cameras(1) as fickle:
        section = {**fickle.section("fickle"), "steady": {"url": cameras.url(0)}}
        with Run(tmp_path, {"cameras": section, "detector": fake()}) as run:
            run.until_all_analysed(section, 20)
            fickle.stop()
            wait_until(lambda: any(gap.end is None for gap in blind(tmp_path, "fickle0")), "it is on record")
            wait_until(lambda: blind(tmp_path, "fickle0")[-1].cause is Cause.REFUSED, "its cause is known")
            fickle.start()
            wait_until(lambda: blind(tmp_path, "fickle0")[-1].end is not None, "it is over")
            assert run.interrupt() == 0
        report = run.report["cameras"]
    starting, outage = blind(tmp_path, "fickle0")
    assert (starting.cause, starting.epoch_after) == (Cause.STARTING, 0)
    assert (outage.epoch_before, outage.epoch_after) == (0, 1)
    assert outage.frames_missed
    assert outage.detail.startswith("ended") or "refused" in outage.detail
    assert [gap.cause for gap in blind(tmp_path, "steady")] == [Cause.STARTING]
    busy = [gap for gap in record(tmp_path) if gap.camera == "fickle0" and is_busy(gap)]
    assert report["fickle0"]["gaps"] == 2 + len(busy)
    # The last attempts may have been given up before a busy machine refused them.
    assert outage.cause in (Cause.REFUSED, Cause.UNREACHABLE)
    causes = {Cause.STARTING, outage.cause, *(gap.cause for gap in busy)}
    assert set(report["fickle0"]["blind_s"]) == causes


def test_a_node_that_is_killed_is_accounted_for_by_the_next_one(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": cameras.section(), "detector": fake()}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(["cam0"], 20)
        run.until(lambda _: is_known_to_be_seen(tmp_path, "cam0"), "that is on record")
        run.process.send_signal(signal.SIGKILL)
        run.wait()
    first, seen = record(tmp_path), len(run.results_of("cam0"))
    with Run(tmp_path, config) as run:
        run.until(lambda run: len(blind(tmp_path, "cam0")) >= 3, "it was accounted for")
        run.until(lambda run: len(run.results_of("cam0")) > seen + 20, "it sees again")
        assert run.interrupt() == 0
        epochs = {result["epoch"] for result in run.results_of("cam0")}
    causes = [gap.cause for gap in blind(tmp_path, "cam0")]
    assert causes == [Cause.STARTING, Cause.NODE_DOWN, Cause.STARTING]
    assert {gap.id for gap in first} <= {gap.id for gap in record(tmp_path)}
    assert len(epochs) == 2, "the second life goes on with epochs of its own"
    ids: dict[int, set[int]] = {}
    for result in run.results_of("cam0"):
        found = {each["track_id"] for each in result["detections"] if each["track_id"] is not None}
        ids.setdefault(result["epoch"], set()).update(found)
    first_ids, second_ids = (ids[epoch] for epoch in sorted(ids))
    assert not first_ids & second_ids


def test_a_second_node_of_the_same_name_does_not_start(cameras: Cameras, tmp_path: Path) -> None:
    config = {"cameras": cameras.section(), "detector": fake()}
    with Run(tmp_path, config) as run:
        run.until_all_analysed(["cam0"])
        command = [sys.executable, "-m", "vedette.cli", "run", str(run.config_file), "--no-table"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert second.returncode == 6
        assert "another node named node" in second.stderr
        assert run.interrupt() == 0


def test_the_record_is_read_by_its_commands_while_the_node_runs(cameras: Cameras, tmp_path: Path) -> None:
    with Run(tmp_path, {"cameras": cameras.section(), "detector": fake()}) as run:
        run.until_all_analysed(["cam0"], 20)
        wait_until(lambda: bool(blind(tmp_path, "cam0")), "the start is on record")

        def ask(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "vedette.cli", *words, "--config", str(run.config_file)]
            return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

        gaps = ask("gaps", "--format", "csv")
        assert gaps.returncode == 0, gaps.stderr
        assert "starting" in gaps.stdout
        seen = ask("coverage", "--since", "1h")
        assert seen.returncode == 0, seen.stderr
        assert "cam0" in seen.stdout
        drawn = ask("gaps", "--plot", str(tmp_path / "day.png"), "--since", "1h")
        assert drawn.returncode == 0, drawn.stderr
        assert (tmp_path / "day.png").stat().st_size > 1000
        assert ask("gaps", "--audit").returncode == 0
        assert run.interrupt() == 0
