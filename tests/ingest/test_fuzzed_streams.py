"""Whatever comes from a camera becomes pictures or a reason: no exception, no hang, no heap of memory.

The same kinds with more rounds: ``python -m benchmarks.streams.fuzz --rounds 20000``. About 20 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.streams import fuzz
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtsp.rtsp_actors import Visit, acting
from ingest.rtsp.rtsp_replay import Collector
from patience import PATIENCE_S
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.rtsp.client import RtspSource
from vedette.ingest.rtsp.sdp import aggregate_control, find_video, resolve_control

ROOT = Path(__file__).parents[2]
MOST_MIB = 400


def in_a_process(kind: str, rounds: int, seed: int = 1) -> dict[str, Any]:
    """A crash of libavcodec is a finding, and none of this test's business to survive."""
    command = [sys.executable, "-m", "benchmarks.streams.fuzz"]
    command += ["--kind", kind, "--rounds", str(rounds), "--seed", str(seed)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=3 * PATIENCE_S, check=False
    )
    assert done.stdout, f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
    findings: dict[str, Any] = json.loads(done.stdout)
    assert findings["wrong"] == []
    assert done.returncode == 0
    return findings


@pytest.mark.parametrize(
    ("kind", "rounds"), [("dialogues", 400), ("descriptions", 2000), ("packets", 400), ("bitstreams", 600)]
)
def test_everything_hostile_comes_to_a_reason(kind: str, rounds: int) -> None:
    findings = in_a_process(kind, rounds)
    assert findings["peak_mib"] < MOST_MIB
    assert findings["slowest_s"] < fuzz.LONGEST_SESSION_S


def test_hostile_dialogues_reach_every_part_of_a_session() -> None:
    reasons = set(in_a_process("dialogues", 200, seed=2)["reasons"])
    assert reasons >= {"corrupt", "connection_lost", "refused", "unreachable", "stalled"}


lines = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.sampled_from(
            ["m=video 0 RTP/AVP 96", "m=video", "a=rtpmap:96 H264/90000", "a=rtpmap:96 H265/0", "a=control:*"]
        ),
        st.builds("a=fmtp:96 sprop-parameter-sets={}".format, st.text(max_size=60)),
        st.builds("a=control:{}".format, st.text(max_size=60)),
        st.builds("a=framesize:96 {}-{}".format, st.integers(), st.integers()),
    ),
    max_size=20,
)


@given(lines)
@settings(max_examples=300, deadline=None)
def test_any_description_is_read_or_left(text: list[str]) -> None:
    body = "\r\n".join(text).encode("utf-8", "replace")
    track, offered = find_video(body)
    base = resolve_control("rtsp://h/cam", aggregate_control(body))
    if track is not None:
        assert track.clock_rate > 0
        assert resolve_control(base, track.control)
    assert isinstance(offered, str)


@pytest.mark.parametrize("codec", ["H264", "H265", "JPEG"])
async def test_a_frame_without_end_ends_nothing_but_itself(codec: str) -> None:
    """Gigabytes of one frame's fragments: what is held stays bounded, and no frame comes of it."""

    async def pours(visit: Visit) -> None:
        sdp = f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\n"
        await visit.answer("200 OK", body=sdp.encode())
        await visit.answer("200 OK", "Session: 7", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        await visit.answer("200 OK", "Session: 7")
        for number in range(2000):
            await visit.send(_middle(codec, number))

    collector = Collector()
    async with acting(pours) as url:
        source = RtspSource(url, clock=SystemClock(), first_frame_timeout=PATIENCE_S)
        end: SessionEnd = await source.run(collector)
    assert end.reason is EndReason.CONNECTION_LOST
    assert (len(collector.frames), collector.breaks) == (0, 1)


def _middle(codec: str, number: int) -> bytes:
    first = number == 0
    offset = (number * 60_000) & 0xFFFFFF
    payload = {
        "H264": bytes([0x7C, 0x85 if first else 0x05]),
        "H265": bytes([98, 1, 0x93 if first else 0x13]),
        "JPEG": b"\0" + offset.to_bytes(3, "big") + bytes([1, 50, 20, 12]),
    }[codec]
    packet = b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + bytes(8) + payload + b"\x80" * 60_000
    return b"$\0" + len(packet).to_bytes(2, "big") + packet
