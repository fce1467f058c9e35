"""One table, many processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.workers.table import OUTCOMES, Stage, Table, anonymous_memory


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table.create(3, 2)
    yield table
    os.close(table.fd)


def test_a_new_table_holds_nothing_that_could_be_asked_for(table: Table) -> None:
    assert table.rows["newest_seq"].tolist() == [-1] * 3
    assert table.rows["last_end"].tolist() == [-1] * 3
    assert table.rows["epoch"].tolist() == [-1] * 3
    assert table.rows["next_track_id"].tolist() == [1] * 3
    assert [table.in_flight(camera) for camera in range(3)] == [0] * 3
    assert not table.stages.any()
    assert not table.ages.any()


def test_another_mapping_of_the_same_memory_sees_each_write(table: Table) -> None:
    other = Table(table.fd, 3, 2)
    table.rows[1]["received"] = 41
    other.rows["received"][1] += 1
    assert table.rows[1]["received"] == 42
    other.header["batches"] = 7
    other.beats[2] = 1.5
    other.record_stage(2, 1, Stage.TRACK, 0.01)
    other.record_age(2, 0.3)
    assert table.header["batches"] == 7
    assert table.beats.tolist() == [0, 0, 1.5, 0], "the last place is a canary's"
    assert table.stages[2, Stage.TRACK].sum() == 1
    assert table.camera_stages[1, Stage.TRACK].sum() == 1
    assert table.ages[2].sum() == 1
    assert table.rows[2]["age_max"] == 0.3


IN_A_CHILD = """
import sys
from vedette.workers.table import Table
table = Table(int(sys.argv[1]), 3, 2)
table.rows["analysed"][2] = table.rows["received"][2] + 1
table.header["detector_idle"] = 1
table.beats[1] = 99.0
"""


def test_what_a_process_counted_is_still_there_when_it_is_gone(table: Table) -> None:
    table.rows["received"][2] = 5
    subprocess.run([sys.executable, "-c", IN_A_CHILD, str(table.fd)], pass_fds=[table.fd], check=True)
    assert table.rows["analysed"].tolist() == [0, 0, 6]
    assert table.header["detector_idle"] == 1
    assert table.beats[1] == 99.0


def test_in_flight_is_what_has_no_outcome_yet(table: Table) -> None:
    table.rows["received"][1] = 10
    table.rows["superseded"][1] = 3
    table.rows["failed"][1] = 2
    assert table.in_flight(1) == 5
    assert table.in_flight(0) == 0


def test_orphaning_ends_every_frame_of_one_camera(table: Table) -> None:
    table.rows["received"] = 10
    table.rows["analysed"] = 4
    table.rows["newest_seq"] = 9
    assert table.orphan(1) == 6
    assert table.rows["orphaned"].tolist() == [0, 6, 0]
    assert table.rows["newest_seq"].tolist() == [9, -1, 9]
    assert table.orphan(1) == 0
    assert table.in_flight(1) == 0


def test_orphaning_takes_nothing_back_when_a_worker_died_between_two_counts(table: Table) -> None:
    table.rows["received"][0] = 3
    table.rows["analysed"][0] = 4
    assert table.orphan(0) == 0
    assert table.rows["orphaned"][0] == 0


@given(cameras=st.integers(1, 1200), workers=st.integers(1, 256))
def test_everything_fits_and_each_counter_is_aligned_and_apart(cameras: int, workers: int) -> None:
    fd = anonymous_memory(Table.size(cameras, workers))
    table = Table(fd, cameras, workers)
    parts = [table.beats, table.rows, table.stages, table.ages]
    starts = [part.__array_interface__["data"][0] for part in parts]
    ends = [start + part.nbytes for start, part in zip(starts, parts, strict=True)]
    # Counters that lie across a cache line could be read half written.
    assert all(start % 64 == 0 for start in starts)
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert table.rows.itemsize % 8 == 0
    assert all(
        table.rows.dtype.fields[name][1] % table.rows.dtype[name].itemsize == 0
        for name in table.rows.dtype.names
    )
    assert ends[-1] - starts[0] + 64 <= Table.size(cameras, workers)
    table.ages[-1, -1] = 1  # the last byte is there
    os.close(fd)


def test_each_outcome_has_its_counter(table: Table) -> None:
    assert set(OUTCOMES) <= set(table.rows.dtype.names)
    assert len(OUTCOMES) == 6


def test_stages_of_two_workers_do_not_mix(table: Table) -> None:
    table.record_stage(0, 0, Stage.INFER, 0.005)
    table.record_stage(1, 0, Stage.DECODE, 0.001)
    assert np.argwhere(table.stages.sum(axis=2)).tolist() == [[0, Stage.INFER], [1, Stage.DECODE]]


def test_the_longest_age_is_kept(table: Table) -> None:
    for age in (0.2, 0.7, 0.1):
        table.record_age(0, age)
    assert table.rows["age_max"].tolist() == [0.7, 0, 0]
