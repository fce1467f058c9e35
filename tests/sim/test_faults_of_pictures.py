"""Faults of pictures, sizes and codecs: what comes over the wire is decoded and looked at."""

from __future__ import annotations

import asyncio
import contextlib
import re
from itertools import pairwise

import av
import numpy as np
import pytest

from patience import PATIENCE_S
from servers import FFMPEG
from vedette.sim import Clip, SimulatedCameras, encode_frames
from vedette.sim.faults import KINDS
from vedette.sim.faults.kinds import options_of
from vedette.sim.faults.variants import variant

SIZE = (176, 144)
GROUP = 5
"""Frames from one keyframe of the scene to the next."""


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "fault-cache"))


@pytest.fixture(scope="module")
def scene() -> Clip:
    """A textured scene through which a bright square walks, 1 s at 25 fps, a keyframe every 5."""
    draw = np.random.default_rng(3)
    ground = np.kron(draw.integers(60, 200, (18, 22)), np.ones((8, 8))).astype(np.uint8)

    def picture(index: int) -> np.ndarray:
        shown = ground.copy()
        shown[40:72, 4 * index : 4 * index + 32] = 235
        return np.repeat(shown[:, :, None], 3, axis=2)

    return encode_frames((picture(index) for index in range(25)), fps=25, keyframe_every_s=0.2)


def annexb(payloads: list[bytes], codec: str) -> bytes:
    """The access unit from its RTP payloads, from the receiving side (RFC 6184, RFC 7798)."""
    data = b""
    for payload in payloads:
        if codec == "h265":
            kind, start, head = payload[0] >> 1 & 0x3F, 3, b""
            fragment, first = kind == 49, kind == 49 and payload[2] & 0x80
            if first:
                head = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
        else:
            fragment, start = payload[0] & 0x1F == 28, 2
            first = fragment and payload[1] & 0x80
            head = bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) if first else b""
        if not fragment:
            data += b"\x00\x00\x00\x01" + payload
        else:
            data += (b"\x00\x00\x00\x01" + head if first else b"") + payload[start:]
    return data


def decoded(units: list[list[bytes]], codec: str = "h264") -> list[np.ndarray]:
    """Luma of each picture."""
    decoder = av.CodecContext.create("hevc" if codec == "h265" else "h264", "r")
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(annexb(unit, codec)))]
    return [frame.to_ndarray(format="gray") for frame in frames + decoder.decode(None)]


async def pictures(reader, count: int, codec: str = "h264") -> list[np.ndarray]:
    """The next pictures; the first of them must be one that can be decoded by itself."""
    units = await reader.frames(count)
    return decoded([[packet.payload for packet in unit] for unit in units], codec)


async def started(connect, server: SimulatedCameras, index: int = 0):
    reader = await connect(server, index)
    await reader.play()
    await reader.frames(2)
    return reader


async def skip_to_keyframe(reader) -> list[bytes]:
    while True:
        (unit,) = await reader.frames(1)
        if unit[0].payload[0] & 0x1F == 7:
            return [packet.payload for packet in unit]


async def skip_to(reader, clip: Clip) -> list[bytes]:
    """The first keyframe of ``clip``: frames of another lie in the socket, as many as there are."""
    keyframes = {unit.payloads for unit in clip.units if unit.keyframe}
    while tuple(unit := await skip_to_keyframe(reader)) not in keyframes:
        pass
    return unit


async def skip_to_whole_groups(reader, clip: Clip) -> None:
    """What comes next is a keyframe of ``clip``, with all that goes with it: so not the first of them, after
    which the reader has yet to find into step."""
    await skip_to(reader, clip)
    await skip_to_keyframe(reader)
    await reader.frames(GROUP - 1)


async def under(
    serve, connect, clip: Clip, kind: str, count: int = 20, **options: object
) -> list[np.ndarray]:
    """Pictures of a running reader from the moment the fault begins; before and after all is well."""
    server = await serve(clip, cameras=2, fps=50)
    reader, other = await started(connect, server), await started(connect, server, 1)
    await server.set_fault("cam0", kind, **options)
    unit = await skip_to(reader, server.cameras[0].clip)
    rest = await reader.frames(count - 1)
    shown = decoded([unit, *[[packet.payload for packet in each] for each in rest]])
    await server.clear_fault("cam0", kind)
    assert server.cameras[0].clip is clip is server.cameras[1].clip
    await skip_to_keyframe(reader)
    await other.frames(count)
    assert server.cameras[1].counts.withheld == 0
    return shown


@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.picture))
def test_an_altered_clip_is_kept(scene: Clip, kind: str) -> None:
    options = options_of(KINDS[kind], {})[0]
    made = variant(scene, kind, options)
    assert variant(scene, kind, options) == made
    assert made.units[0].keyframe


async def test_freeze_repeats_one_picture_exactly(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=1, fps=50)
    reader = await started(connect, server)
    await server.set_fault("cam0", "freeze")
    await skip_to_whole_groups(reader, server.cameras[0].clip)
    shown = await pictures(reader, 30)
    assert len(shown) == 30
    assert all(np.array_equal(picture, shown[0]) for picture in shown)
    own = decoded([list(unit.payloads) for unit in scene.units])
    assert min(np.abs(picture.astype(int) - shown[0]).mean() for picture in own) < 4
    await server.clear_fault("cam0", "freeze")
    await skip_to_whole_groups(reader, scene)
    after = await pictures(reader, 5)
    assert not any(np.array_equal(a, b) for a, b in pairwise(after))


@pytest.mark.parametrize(
    ("kind", "least", "most"), [("black", 0, 12), ("white", 230, 255), ("covered", 40, 90)]
)
async def test_nothing_is_to_be_seen_and_still_it_is_not_frozen(
    serve, connect, scene: Clip, kind: str, least: int, most: int
) -> None:
    shown = await under(serve, connect, scene, kind, 40)
    settled = shown[15:]
    assert all(least <= picture.mean() <= most for picture in settled)
    assert all(picture.std() < 16 for picture in settled)
    assert not any(np.array_equal(a, b) for a, b in pairwise(settled))


async def test_blur_takes_the_edges_away(serve, connect, scene: Clip) -> None:
    def sharpness(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture.astype(int), axis=1)).mean())

    (own, *_) = decoded([list(scene.units[0].payloads)])
    shown = await under(serve, connect, scene, "blur", 40)
    assert all(sharpness(picture) < sharpness(own) / 3 for picture in shown[15:])
    assert all(abs(picture.mean() - own.mean()) < 10 for picture in shown[15:])


async def test_moved_shows_what_was_further_right_and_down(serve, connect, scene: Clip) -> None:
    (own, *_) = decoded([list(scene.units[0].payloads)])
    shown = (await under(serve, connect, scene, "moved", 40, by=0.25))[-1]
    right, down = SIZE[0] // 4, SIZE[1] // 8
    ground, moved = own[80:, right:].astype(int), shown[80 - down : -down, :-right].astype(int)
    assert np.abs(ground - moved[: len(ground)]).mean() < 8
    assert np.abs(own.astype(int) - shown).mean() > 20


async def test_resolution_changes_in_band_and_in_the_description(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=1, fps=50)
    reader = await started(connect, server)
    _, _, before = await reader.ask("DESCRIBE")
    await server.set_fault("cam0", "resolution", size="96x64")
    _, _, after = await reader.ask("DESCRIBE")
    sets = [re.search(r"sprop-parameter-sets=(\S+)", text)[1] for text in (before, after)]
    assert sets[0] != sets[1]
    unit = await skip_to(reader, server.cameras[0].clip)
    assert decoded([unit])[0].shape == (64, 96)
    await server.clear_fault("cam0", "resolution")
    assert (await reader.ask("DESCRIBE"))[2] == before


async def test_codec_ends_sessions_and_speaks_another(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=1, fps=50)
    reader = await started(connect, server)
    await server.set_fault("cam0", "codec")
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            await reader.receive()
    assert reader.reports[-1][8:10] == bytes((0x81, 203))
    again = await connect(server)
    assert "H265/90000" in (await again.ask("DESCRIBE"))[2]
    await again.play()
    shown = await pictures(again, 20, "h265")
    assert len(shown) == 20
    assert shown[0].shape == (144, 176)
    assert await asyncio.to_thread(ffmpeg_reads, server.url(0)) == ("hevc", 176, 20)
    await server.clear_fault("cam0", "codec")
    assert "H264/90000" in (await (await connect(server)).ask("DESCRIBE"))[2]


def ffmpeg_reads(url: str) -> tuple[str, int, int]:
    """Codec, width and number of pictures that libavformat gets."""
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=PATIENCE_S) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in zip(container.decode(stream), range(20), strict=False))
        return stream.codec_context.name, stream.codec_context.width, count


async def test_corrupt_pictures_do_not_decode_as_they_were(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=2, fps=50)
    reader = await started(connect, server)
    await server.set_fault("cam0", "corrupt", share=1)
    known = {payload for unit in scene.units for payload in unit.payloads}
    # Frames sent before it lie in the socket.
    while {packet.payload for packet in (await reader.frames(1))[0]} <= known:
        pass
    sets = {scene.sps, scene.pps}
    units = await reader.frames(30)
    changed = [unit for unit in units if any(packet.payload not in known for packet in unit)]
    assert len(changed) == 30
    assert all(
        packet.payload in sets for unit in units for packet in unit if packet.payload[0] & 0x1F in (7, 8)
    )
    numbers = [packet.sequence for unit in units for packet in unit]
    assert all((b - a) % 65536 == 1 for a, b in pairwise(numbers))
    await server.clear_fault("cam0", "corrupt")
    while not {packet.payload for packet in (await reader.frames(1))[0]} <= known:
        pass
    assert len(decoded([await skip_to_keyframe(reader)])) == 1


async def test_ffmpeg_complains_of_corrupt_pictures(serve, scene: Clip) -> None:
    server = await serve(scene, cameras=1, fps=50)
    await server.set_fault("cam0", "corrupt", share=0.5)
    process = await asyncio.create_subprocess_exec(
        *(FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp"),
        *("-i", server.url(0), "-t", "1", "-f", "null", "-"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert b"error" in said.lower() or b"corrupt" in said.lower()


async def test_a_lower_rate_decodes_without_what_is_left_out(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=1)
    reader = await started(connect, server)
    await server.set_fault("cam0", "rate", fps=5)
    await skip_to(reader, server.cameras[0].clip)
    # The first one is out of turn, the next in step.
    await skip_to_keyframe(reader)
    units = await reader.frames(6)
    steps = [(b[0].timestamp - a[0].timestamp) % 2**32 / 90000 for a, b in pairwise(units)]
    assert all(step == pytest.approx(0.2, abs=0.001) for step in steps)


async def test_a_rate_may_decline_in_steps(serve, connect, scene: Clip) -> None:
    server = await serve(scene, cameras=1)
    reader = await started(connect, server)
    # In steps so long that a machine that stands still passes over few of them.
    await server.set_fault("cam0", "rate", fps=3, over="6s")
    steps: list[float] = []
    last = (await reader.frames(1))[0][0].timestamp
    while not steps or steps[-1] < 0.3:
        stamp = (await reader.frames(1))[0][0].timestamp
        steps.append((stamp - last) % 2**32 / 90000)
        last = stamp
    assert len({round(step, 2) for step in steps}) >= 3


async def test_the_newest_of_two_picture_faults_shows_and_the_older_comes_back(serve, scene: Clip) -> None:
    server = await serve(scene, cameras=2)
    await server.set_fault("cam0", "black")
    await server.set_fault("cam1", "black")
    black = server.cameras[0].clip
    assert server.cameras[1].clip is black is not scene
    await server.set_fault("cam0", "blur")
    assert server.cameras[0].clip not in (black, scene)
    await server.clear_fault("cam0", "blur")
    assert server.cameras[0].clip is black
    await server.clear_fault("cam0", "black")
    assert server.cameras[0].clip is scene


async def test_other_cameras_keep_their_step_while_a_clip_is_made(serve, connect) -> None:
    draw = np.random.default_rng(5)
    big = encode_frames(
        (draw.integers(0, 255, (360, 640, 3), np.uint8) for _ in range(30)), keyframe_every_s=0.4
    )
    server = await serve(big, cameras=2)
    reader = await started(connect, server, 1)
    making = asyncio.create_task(server.set_fault("cam0", "covered"))
    came = 0
    while not making.done():
        await reader.frames(1)
        came += 1
    assert came > 1
