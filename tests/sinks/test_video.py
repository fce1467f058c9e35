"""Annotated video: what is drawn, and files that survive whatever happens."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sinks.sink_results import boxes
from vedette.results import Boxes
from vedette.sinks import SinkUnavailable
from vedette.sinks.annotate import annotate
from vedette.sinks.video import AnnotatedVideo

START = 1795000000.0


def picture(height: int = 120, width: int = 160, value: int = 90) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def times_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def test_frames_are_shown_when_they_were_captured(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path, "gate")
    offsets = [0.0, 0.04, 0.5, 2.75, 2.8]
    for offset in offsets:
        video.write(picture(), Boxes.empty(), START + offset)
    video.close()
    (path,) = tmp_path.iterdir()
    assert path.name == f"gate-{time.strftime('%Y%m%d-%H%M%S', time.localtime(START))}.mp4"
    assert times_of(path) == pytest.approx(offsets, abs=0.001)


def test_a_new_file_begins_when_the_size_changes_after_a_gap_and_when_time_goes_back(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path, "gate")
    for offset, height in ((0, 120), (1, 120), (2, 240), (3, 240), (100, 240), (50, 240), (50.1, 240)):
        video.write(picture(height), Boxes.empty(), START + offset)
    video.close()
    assert sorted(len(times_of(path)) for path in tmp_path.iterdir()) == [1, 2, 2, 2]


def test_no_file_is_written_over(tmp_path: Path) -> None:
    for _ in range(3):
        video = AnnotatedVideo(tmp_path, "gate")
        video.write(picture(), Boxes.empty(), START)
        video.close()
    assert len(list(tmp_path.iterdir())) == 3


def test_repeated_and_backward_times_still_give_a_playable_file(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path, "gate")
    for offset in (0, 0, 0.1, 0.05, 0.2):
        video.write(picture(), Boxes.empty(), START + offset)
    video.close()
    (path,) = tmp_path.iterdir()
    times = times_of(path)
    assert len(times) == 5
    assert times == sorted(set(times))


def test_odd_sizes_are_cut_to_even_ones(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path, "gate")
    video.write(picture(121, 163), Boxes.empty(), START)
    video.write(picture(1, 1), Boxes.empty(), START + 1)
    video.close()
    (path,) = tmp_path.iterdir()
    with av.open(str(path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (162, 120)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    video = AnnotatedVideo(tmp_path / "file" / "folder", "gate")
    with pytest.raises(SinkUnavailable, match="video cannot be written"):
        video.write(picture(), Boxes.empty(), START)
    video.close()


RECORD = """
import sys, time
import numpy as np
from pathlib import Path
from vedette.results import Boxes
from vedette.sinks.video import AnnotatedVideo
video = AnnotatedVideo(Path(sys.argv[1]), "gate")
for index in range(100):
    video.write(np.full((120, 160, 3), index, np.uint8), Boxes.empty(), 1795000000.0 + index / 10)
print("written", flush=True)
time.sleep(60)
"""


def test_a_file_is_playable_after_its_process_was_killed(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", RECORD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (path,) = tmp_path.iterdir()
    # Ten seconds were written; a fragment is two.
    assert times_of(path)[-1] >= 7.5


# ---- what is drawn


def test_a_box_is_drawn_where_it_is_and_its_label_beside_it() -> None:
    before = picture(360, 640)
    after = annotate(before, boxes((200, 100, 300, 300)))
    changed = (before != after).any(axis=2)
    assert changed[200, 200]
    assert changed[200, 300]
    assert not changed[200, 250]
    assert changed[87:98, 203:250].mean() > 0.9
    assert not changed[:, 320:].any()
    assert (before == 90).all(), "the given picture must stay as it is"


def test_labels_of_boxes_that_overlap_do_not_hide_each_other() -> None:
    two = annotate(picture(360, 640), boxes((200, 100, 300, 300), (205, 102, 305, 302)))
    one = annotate(picture(360, 640), boxes((200, 100, 300, 300)))
    # The second label found a place outside of the first one's.
    assert (two[60:99, 200:300] == one[60:99, 200:300]).mean() > 0.9


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    xyxy=arrays(np.float32, st.tuples(st.integers(0, 4), st.just(4))),
)
def test_anything_can_be_drawn_into_any_picture(size: tuple[int, int], xyxy: np.ndarray) -> None:
    n = len(xyxy)
    nobody = np.full(n, -1)
    found = Boxes(
        xyxy, np.full(n, np.nan, np.float32), nobody.astype(np.int32), ("é\n🚲",) * n, nobody.astype(np.int64)
    )
    assert annotate(picture(*size), found, caption="gate").shape == (*size, 3)
