"""Clips: one, many, damaged, paced, looped."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from ingest_media import ENCODERS, FPS, Notebook, ffmpeg, make_clip
from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.frame import EncodedFrame, Rung
from vedette.ingest.decode import Decoder
from vedette.ingest.files import FileSource, clips_at

FRAMES = 20


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for name in ENCODERS:
        make_clip(folder, name, frames=FRAMES)
    return folder


async def play(path: Path | str, notebook: Notebook, **options: bool) -> SessionEnd:
    return await FileSource(path, clock=SystemClock(), **{"pace": False, **options}).run(notebook)


@pytest.mark.parametrize("name", ENCODERS)
async def test_every_frame_of_a_clip_comes_once_at_its_time(clips: Path, name: str) -> None:
    notebook = Notebook()
    end = await play(clips / name, notebook)
    assert end.reason is EndReason.ENDED
    assert len(notebook.frames) == FRAMES
    shown = sorted(frame.pts for frame in notebook.frames)
    assert all(later - earlier == pytest.approx(1 / FPS, abs=0.002) for earlier, later in pairwise(shown))
    assert notebook.frames[0].keyframe


async def test_a_folder_is_one_stream_whose_time_goes_on(clips: Path, tmp_path: Path) -> None:
    for number, name in [(1, "h264.mp4"), (2, "vp9.webm"), (10, "h264.ts")]:
        shutil.copy(clips / name, tmp_path / f"clip{number}{Path(name).suffix}")
    (tmp_path / "notes.txt").write_text("no clip")
    notebook = Notebook()
    end = await play(tmp_path, notebook)
    assert end.reason is EndReason.ENDED
    assert len(notebook.infos) == 1
    assert [notebook.frames[at].data.stream.codec_context.name for at in (0, FRAMES, 2 * FRAMES)] == [
        "h264",
        "vp9",
        "h264",
    ]
    pts = [frame.pts for frame in notebook.frames]
    assert len(pts) == 3 * FRAMES
    assert all(later - earlier == pytest.approx(1 / FPS, abs=0.01) for earlier, later in pairwise(pts))


async def test_a_folder_of_different_codecs_decodes_through(clips: Path) -> None:
    notebook = Notebook()
    await play(clips, notebook)
    decoder = Decoder(notebook.infos[0])
    pictures = [
        picture.seq for seq, frame in enumerate(notebook.frames) for picture in decoder.decode(frame, seq)
    ]
    pictures += [picture.seq for picture in decoder.flush()]
    assert sorted(pictures) == list(range(len(ENCODERS) * FRAMES))


async def test_a_loop_goes_on_and_its_time_too(clips: Path) -> None:
    notebook = Notebook(count=3 * FRAMES)
    task = asyncio.create_task(play(clips / "h264.mp4", notebook, loop=True))
    assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
    task.cancel()
    await asyncio.wait({task})
    pts = [frame.pts for frame in notebook.frames[: 3 * FRAMES]]
    assert all(later - earlier == pytest.approx(1 / FPS, abs=0.002) for earlier, later in pairwise(pts))


async def test_paced_frames_are_never_early_and_the_schedule_does_not_drift(clips: Path) -> None:
    notebook = Notebook()
    await play(clips / "h264.mp4", notebook, pace=True)
    first = notebook.frames[0]
    # The first one may be a little late already, but not earlier than it was opened.
    late = [frame.arrived - notebook.opened_at - (frame.pts - first.pts) for frame in notebook.frames]
    assert min(late) >= -0.001
    assert len(late) == FRAMES


async def test_unpaced_frames_wait_for_the_receiver(clips: Path) -> None:
    class Slow(Notebook):
        def __init__(self) -> None:
            super().__init__()
            self.gate = threading.Semaphore(0)

        def frame(self, frame: EncodedFrame) -> None:
            self.gate.acquire()
            super().frame(frame)

    slow = Slow()
    task = asyncio.create_task(play(clips / "h264.mp4", slow))
    await asyncio.sleep(0.1)
    assert slow.frames == []
    for _ in range(FRAMES):
        slow.gate.release()
    assert (await task).reason is EndReason.ENDED
    assert len(slow.frames) == FRAMES


async def test_a_rung_that_rises_waits_for_the_next_keyframe(clips: Path) -> None:
    class Rising(Notebook):
        def skipped(self, count: int = 1, *, behind: bool = False) -> None:
            super().skipped(count)
            if self.left_out == 3:
                self.rung = Rung.ALL

    notebook = Rising(rung=Rung.KEYFRAMES)
    await play(clips / "h264.mp4", notebook)
    assert notebook.left_out == 9  # the rest of the first group of ten, though the rung rose within it
    assert [frame.keyframe for frame in notebook.frames] == [True, True] + [False] * 9


def cut_short(clip: Path, into: Path) -> Path:
    """Without its index, which such files carry at their end, an MP4 cannot be read."""
    into.write_bytes(clip.read_bytes()[:2000])
    return into


async def test_a_corrupt_clip_is_named(clips: Path, tmp_path: Path) -> None:
    end = await play(cut_short(clips / "h264.mp4", tmp_path / "broken.mp4"), Notebook())
    assert end.reason is EndReason.CORRUPT
    assert "broken.mp4" in end.detail


async def test_one_corrupt_clip_does_not_keep_the_others_from_playing(clips: Path, tmp_path: Path) -> None:
    shutil.copy(clips / "h264.mp4", tmp_path / "a.mp4")
    cut_short(clips / "h264.mp4", tmp_path / "b.mp4")
    shutil.copy(clips / "h264.mp4", tmp_path / "c.mp4")
    notebook = Notebook()
    end = await play(tmp_path, notebook)
    assert len(notebook.frames) == 2 * FRAMES
    assert end.reason is EndReason.CORRUPT
    assert "1 of 3 clips" in end.detail
    assert "b.mp4" in end.detail


async def test_a_loop_over_nothing_readable_ends(clips: Path, tmp_path: Path) -> None:
    cut_short(clips / "h264.mp4", tmp_path / "a.mp4")
    cut_short(clips / "h264.mp4", tmp_path / "b.mp4")
    end = await asyncio.wait_for(play(tmp_path, Notebook(), loop=True), PATIENCE_S)
    assert end.reason is EndReason.CORRUPT


async def test_sound_alone_is_unsupported(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", tmp_path / "tone.wav")
    end = await play(tmp_path / "tone.wav", Notebook())
    assert end.reason is EndReason.UNSUPPORTED
    assert "no video" in end.detail


async def test_missing_files_and_empty_folders_are_said_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mp4", tmp_path, tmp_path / "*.mp4"):
        end = await play(path, Notebook())
        assert end.reason is EndReason.UNREACHABLE
        assert str(path) in end.detail


async def test_a_file_url_and_a_glob_find_their_clips(clips: Path) -> None:
    notebook = Notebook()
    await play(f"file://{clips / 'h264.mp4'}", notebook)
    assert len(notebook.frames) == FRAMES
    notebook = Notebook()
    await play(f"{clips}/*.avi", notebook)
    assert len(notebook.frames) == 2 * FRAMES


async def test_what_the_receiver_raises_comes_out(clips: Path) -> None:
    class Picky(Notebook):
        def frame(self, frame: EncodedFrame) -> None:
            raise LookupError("not this one")

    with pytest.raises(LookupError, match="not this one"):
        await play(clips / "h264.mp4", Picky())


async def test_cancelling_a_paced_clip_does_not_wait_for_its_next_frame(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=1/60", "-frames:v", 3, tmp_path / "slow.mp4")
    notebook = Notebook()
    task = asyncio.create_task(play(tmp_path / "slow.mp4", notebook, pace=True))
    assert await asyncio.to_thread(notebook.enough.wait, PATIENCE_S)
    began = time.monotonic()
    task.cancel()
    await asyncio.wait({task})
    assert time.monotonic() - began < 30, "and not a minute"


def test_clips_come_in_natural_order(tmp_path: Path) -> None:
    names = ["clip1.mp4", "clip2.mp4", "clip10.mp4", "z.mkv"]
    for name in reversed([*names, "readme.md"]):
        (tmp_path / name).touch()
    assert [clip.name for clip in clips_at(str(tmp_path))] == names
