"""Hostile servers and damaged bitstreams, drawn from a seed: each must come to a reason, to nothing worse.

``python -m benchmarks.streams.fuzz --rounds 2000`` runs all kinds; the tests run a few rounds of each.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import resource
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.frame import EncodedFrame, Rung, StreamInfo
from vedette.ingest.decode import DecodedFrame, DecodeFailed, Decoder
from vedette.ingest.rtsp.auth import Authenticator
from vedette.ingest.rtsp.client import RtspSource
from vedette.ingest.rtsp.connection import Connection
from vedette.ingest.rtsp.sdp import Track, aggregate_control, find_video, resolve_control
from vedette.ingest.rtsp.stream import VideoStream

__all__ = ["KINDS", "LONGEST_SESSION_S", "Findings", "fuzz"]

FIXTURES = Path(__file__).parents[2] / "tests" / "ingest" / "rtsp" / "fixtures"
_CODECS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}
_LIMIT_S = 0.3
LONGEST_SESSION_S = 20.0
"""Three times the connect timeout, the first frame, a farewell; and a machine that does other things."""

_AT_ONCE = 24
_UNREAD = "could not be read ("
"""How the client words an exception of its own making: whoever sees this has found a mistake."""


@dataclass
class Findings:
    """What came of it. ``wrong``: what must never happen, with the round in which it did."""

    rounds: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mib: int = 0

    def took(self, seconds: float) -> None:
        self.rounds += 1
        self.slowest_s = max(self.slowest_s, seconds)

    def ended(self, where: str, end: SessionEnd) -> None:
        self.reasons[end.reason] += 1
        if end.reason is EndReason.CLOSED or not end.detail or _UNREAD in end.detail or len(end.detail) > 300:
            self.wrong.append(f"{where}: {end.reason} {end.detail}")


class Nobody:
    """A receiver that counts, and holds nothing."""

    def __init__(self, rng: random.Random) -> None:
        self.rung = rng.choice(list(Rung))
        self.told = 0
        self.largest = 0

    def opened(self, info: StreamInfo) -> None:
        pass

    def frame(self, frame: EncodedFrame) -> None:
        self.told += 1
        self.largest = max(self.largest, len(frame.data))

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        self.told += count

    def broken(self, count: int = 1) -> None:
        self.told += count

    def lost(self, packets: int) -> None:
        pass


def recordings() -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.rtsp"))}


def split(recording: bytes) -> list[bytes]:
    """The replies to DESCRIBE, SETUP and PLAY, and the interleaved data after them."""
    parts, at = [], 0
    for _ in range(3):
        head_end = recording.index(b"\r\n\r\n", at) + 4
        size = recording[at:head_end].lower().partition(b"content-length:")[2].split()
        end = head_end + (int(size[0]) if size else 0)
        parts.append(recording[at:end])
        at = end
    return [*parts, recording[at:]]


def packets(media: bytes, channel: int = 0) -> list[bytes]:
    found, at = [], 0
    while at + 4 <= len(media):
        end = at + 4 + int.from_bytes(media[at + 2 : at + 4], "big")
        if media[at + 1] == channel and end <= len(media):
            found.append(media[at + 4 : end])
        at = end
    return found


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A few bits flipped, bytes set, stretches dropped, doubled, or replaced by noise."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        if not changed:
            break
        at, size = rng.randrange(len(changed)), rng.choice([1, 1, 2, 8, 64])
        match rng.randrange(6):
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at] = rng.choice([0, 0x24, 0x7F, 0x80, 0xFF, rng.randrange(256)])
            case 2:
                del changed[at : at + size]
            case 3:
                changed[at:at] = changed[at : at + size]
            case 4:
                changed[at : at + size] = rng.randbytes(size)
            case _:
                del changed[at:]
    return bytes(changed)


# Dialogues, over real sockets.


def replies(rng: random.Random) -> tuple[list[bytes], str]:
    """What a hostile server answers to DESCRIBE, SETUP and PLAY, and sends then; and how it differs."""
    parts = split(rng.choice(list(recordings().values())))
    parts[3] = parts[3][: rng.choice([0, 100, 4000, 20_000])]
    at = rng.randrange(4)
    kind = rng.choice(
        ["damaged", "cut", "junk", "head", "lines", "sequence", "length", "drip", "status", "empty"]
    )
    head, _, body = parts[at].partition(b"\r\n\r\n")
    changes: dict[str, Callable[[], bytes]] = {
        "damaged": lambda: damaged(rng, parts[at]),
        "cut": lambda: parts[at][: rng.randrange(len(parts[at]) + 1)],
        "junk": lambda: rng.randbytes(rng.choice([1, 5, 300, 70_000])),
        "head": lambda: head + b"\r\nX: " + b"y" * rng.choice([1000, 60_000, 200_000]) + b"\r\n\r\n" + body,
        "lines": lambda: b"RTSP/1.0 200 OK\r\n" + b"X-Y: z\r\n" * 40_000,
        "sequence": lambda: parts[at].replace(b"CSeq: ", rng.choice([b"CSeq: 9", b"CSeq: -", b"No: "])),
        "length": lambda: head + b"\r\nContent-Length: " + rng.choice(_LENGTHS) + b"\r\n\r\n" + body,
        "drip": lambda: parts[at],
        "status": lambda: b"RTSP/1.0 %d \xff\x1b[0m\r\nCSeq: %d\r\n\r\n" % (rng.randrange(1000), at + 1),
        "empty": lambda: b"\r\n" * rng.choice([1, 50, 5000]),
    }
    parts[at] = changes[kind]()
    return parts, kind


_LENGTHS = [b"0", b"-1", b"99999999999999999999", b"1e9", b"0x10", b"1048576", b"3", "٣".encode(), b""]


async def dialogue(rng: random.Random, findings: Findings, where: str) -> None:
    """One session with a hostile server."""
    parts, kind = replies(rng)
    lingers, whole = rng.random() < 0.3, rng.random() < 0.5

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            for number, part in enumerate(parts):
                if number < 3:
                    await reader.readuntil(b"\r\n\r\n")
                for chunk in [part] if whole and kind != "drip" else _chunks(rng, part):
                    writer.write(chunk)
                    await writer.drain()
                    if kind == "drip":
                        await asyncio.sleep(0.001)
            if lingers:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"rtsp://me:secret-word@127.0.0.1:{server.sockets[0].getsockname()[1]}/cam"
    source = RtspSource(
        url,
        clock=SystemClock(),
        connect_timeout=_LIMIT_S,
        first_frame_timeout=_LIMIT_S,
        stall_after=_LIMIT_S,
    )
    began = time.monotonic()
    try:
        async with asyncio.timeout(LONGEST_SESSION_S):
            end = await source.run(Nobody(rng))
        findings.ended(f"{where} {kind}", end)
        if "secret-word" in end.detail:
            findings.wrong.append(f"{where} {kind}: shows the password")
    except Exception as error:  # nothing at all may come out of a session
        findings.wrong.append(f"{where} {kind}: {type(error).__name__} {error}")
    finally:
        findings.took(time.monotonic() - began)
        server.close()


def _chunks(rng: random.Random, data: bytes) -> list[bytes]:
    size = rng.choice([7, 100, 1500])
    return [data[at : at + size] for at in range(0, min(len(data), 300 * size), size)]


def dialogues(seed: int, rounds: int) -> Findings:
    findings = Findings()

    async def lane(first: int) -> None:
        for number in range(first, rounds, _AT_ONCE):
            await dialogue(random.Random(f"{seed}/{number}"), findings, f"dialogue {seed}/{number}")

    async def everything() -> None:
        errors: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(str(context.get("message"))))
        await asyncio.gather(*(lane(first) for first in range(_AT_ONCE)))
        findings.wrong += errors

    asyncio.run(everything())
    return findings


# Descriptions.


def descriptions(seed: int, rounds: int) -> Findings:
    findings, bodies = Findings(), [split(one)[0].partition(b"\r\n\r\n")[2] for one in recordings().values()]
    for number in range(rounds):
        rng = random.Random(f"{seed}/{number}")
        body = damaged(rng, rng.choice(bodies) * rng.choice([1, 1, 1, 2, 500]))
        began = time.monotonic()
        try:
            track, _ = find_video(body)
            url = resolve_control("rtsp://h/x", aggregate_control(body))
            if track is not None:
                resolve_control(url, track.control)
            findings.reasons["track" if track else "none"] += 1
        except Exception as error:  # any SDP is read, or found to hold nothing
            findings.wrong.append(f"sdp {seed}/{number}: {type(error).__name__} {error}")
        findings.took(time.monotonic() - began)
    return findings


# Packets.


def hostile_packets(rng: random.Random, codec: str) -> list[bytes]:
    """RTP and RTCP as no encoder sends them: with their interleaved header, for channels 0 and 1."""
    ssrc, stamp, sequence = rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(16)
    found = []
    for _ in range(rng.choice([3, 30, 200])):
        sequence += rng.choice([1, 1, 1, 1, 0, 2, -1, 1000])
        stamp += rng.choice([0, 0, 0, 3600, -3600, 1 << 31])
        if rng.random() < 0.02:
            ssrc = rng.getrandbits(32)
        flags = 0x80 if rng.random() < 0.9 else rng.randrange(256)
        kind = (96 if rng.random() < 0.95 else rng.randrange(128)) | rng.choice([0, 0, 128])
        head = struct.pack("!BBHII", flags, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
        found.append(b"\0" + head + _payload(rng, codec))
        if rng.random() < 0.05:
            words = rng.choice([0, 1, 6, 0xFFFF])
            kinds = rng.choice([200, 201, 202, 203, 204, 77])
            rtcp = struct.pack("!BBHI", rng.choice([0x80, 0x81, 0x9F, 0x40]), kinds, words, ssrc)
            found.append(b"\1" + rtcp + rng.randbytes(rng.choice([0, 3, 20, 200])))
    if rng.random() < 0.1:
        rng.shuffle(found)
    return [b"$" + one[:1] + len(one[1:]).to_bytes(2, "big") + one[1:] for one in found]


def _payload(rng: random.Random, codec: str) -> bytes:
    size = rng.choice([0, 0, 1, 2, 3, 8, 40, 1400, 60_000])
    noise = rng.randbytes(min(size, 64)) + bytes(max(0, size - 64))
    if codec == "mjpeg":
        offset = rng.choice([0, 0, size, rng.getrandbits(24)])
        kind, q = rng.choice([0, 1, 64, 65, 255]), rng.choice([0, 50, 99, 100, 127, 128, 255])
        return bytes([0]) + offset.to_bytes(3, "big") + bytes([kind, q, rng.randrange(256), 8]) + noise
    # Fragments in any order, aggregates of any sizes, and single units.
    flags = rng.choice([0x00, 0x40, 0x80, 0xC0])
    if codec == "h264":
        one = rng.choice([1, 5, 7, 8])
        return rng.choice([bytes([0x7C, flags | one]), bytes([0x78]), bytes([0x60 | one]), b""]) + noise
    one = rng.choice([1, 19, 32, 33, 34])
    return rng.choice([bytes([98, 1, flags | one]), bytes([96, 1]), bytes([one << 1, 1]), b""]) + noise


def packet_floods(seed: int, rounds: int) -> Findings:
    """Packets, hostile and recorded but damaged, through everything that reads them; no socket."""
    findings = Findings()

    async def everything() -> None:
        for number in range(rounds):
            rng = random.Random(f"{seed}/{number}")
            codec = rng.choice(list(_CODECS.values()))
            began = time.monotonic()
            try:
                _one_flood(rng, codec, findings, f"packets {seed}/{number} {codec}")
            except Exception as error:  # everything must have been caught where it was read
                findings.wrong.append(f"packets {seed}/{number}: {type(error).__name__} {error}")
            findings.took(time.monotonic() - began)

    asyncio.run(everything())
    return findings


def _one_flood(rng: random.Random, codec: str, findings: Findings, where: str) -> None:
    clock, receiver = SystemClock(), Nobody(rng)
    connection = Connection(Authenticator(None), clock, user_agent="fuzz")
    stream = VideoStream(
        Track(codec, 96, width=rng.choice([0, 160]), height=rng.choice([0, 96])),
        receiver,
        clock,
        send_rtcp=lambda packet: connection.send_packet(1, packet),
        on_goodbye=lambda: connection.finish(EndReason.ENDED, "goodbye"),
    )
    connection.carry(0, stream.on_rtp)
    connection.carry(1, stream.on_rtcp)
    sent = hostile_packets(rng, codec)
    data = b"".join(sent)
    if rng.random() < 0.3:
        data = damaged(rng, data)
    size = max(rng.choice([50, 1500, 200_000]), len(data) // 5000 + 1)
    for at in range(0, len(data), size):
        connection.data_received(data[at : at + size])
    stream.close()
    if connection.over.done():
        findings.ended(where, connection.over.result())
    if receiver.told > data.count(b"$") + 1 or receiver.largest > 9 * 1024 * 1024:
        findings.wrong.append(f"{where}: {receiver.told} frames, the largest of {receiver.largest} bytes")


# Bitstreams.


class Collected(Nobody):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.rung = Rung.ALL
        self.frames: list[EncodedFrame] = []

    def frame(self, frame: EncodedFrame) -> None:
        self.frames.append(frame)


def recorded_frames() -> dict[str, tuple[StreamInfo, list[EncodedFrame]]]:
    """Per recording: what the decoder is told, and whole frames as the client hands them over."""
    found = {}
    for name, recording in recordings().items():
        parts = split(recording)
        track, _ = find_video(parts[0].partition(b"\r\n\r\n")[2])
        assert track is not None
        collected = Collected()
        stream = VideoStream(track, collected, SystemClock(), send_rtcp=_nothing, on_goodbye=_nothing)
        for packet in packets(parts[3]):
            stream.on_rtp(packet, 0, len(packet))
        found[name] = StreamInfo(track.codec, track.parameter_sets), collected.frames
    return found


def _nothing(*_: object) -> None:
    pass


def bitstreams(seed: int, rounds: int) -> Findings:
    """Damaged frames into the decoder. Run it in a process of its own: libavcodec may take that with it."""
    findings, sources = Findings(), recorded_frames()
    for number in range(rounds):
        rng = random.Random(f"{seed}/{number}")
        name = rng.choice(sorted(sources))
        try:
            _one_bitstream(rng, *sources[name], findings)
        except Exception as error:  # the decoder has one error for everything that it cannot decode
            findings.wrong.append(f"bitstream {seed}/{number} {name}: {type(error).__name__} {error}")
    return findings


def _one_bitstream(
    rng: random.Random, info: StreamInfo, frames: Sequence[EncodedFrame], findings: Findings
) -> None:
    extradata = info.extradata
    if extradata and rng.random() < 0.3:
        extradata = damaged(rng, extradata)
    decoder = Decoder(StreamInfo(info.codec, extradata), wait_for_keyframe=rng.random() < 0.8)
    first = rng.randrange(max(1, len(frames) - 30))
    given = list(frames[first : first + 30])
    told: list[int] = []

    def take(work: Callable[[], list[DecodedFrame]]) -> None:
        began = time.monotonic()
        try:
            told.extend(picture.seq for picture in work())
        except DecodeFailed as failure:
            findings.reasons["failed"] += len(failure.seqs)
            told.extend([picture.seq for picture in failure.frames] + failure.seqs)
        findings.took(time.monotonic() - began)

    for seq, frame in enumerate(given):
        data = rng.randbytes(rng.choice([1, 64, 3000])) if rng.random() < 0.05 else frame.data
        if rng.random() < 0.4:
            data = damaged(rng, data)
        unit = EncodedFrame(data or b"\0", 0.0, 0.0, frame.keyframe)
        take(partial(decoder.decode, unit, seq))
    take(decoder.flush)
    findings.reasons["told"] += len(told)
    if sorted(told) != list(range(len(given))):
        findings.wrong.append(f"{info.codec}: of {len(given)} frames {sorted(told)} came out")


KINDS: dict[str, Callable[[int, int], Findings]] = {
    "dialogues": dialogues,
    "descriptions": descriptions,
    "packets": packet_floods,
    "bitstreams": bitstreams,
}


def fuzz(kind: str, *, seed: int, rounds: int) -> Findings:
    """Run one kind; ``peak_mib`` is the whole process's."""
    findings = KINDS[kind](seed, rounds)
    findings.peak_mib = _peak_mib()
    return findings


def _peak_mib() -> int:
    """The most memory this program has had. ``getrusage`` would begin with that of whoever started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """0: nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams.fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=[*KINDS], action="append")
    options = parser.parse_args(arguments)
    bad = 0
    for kind in options.kind or KINDS:
        findings = fuzz(kind, seed=options.seed, rounds=options.rounds)
        bad += len(findings.wrong)
        print(json.dumps({"kind": kind, **vars(findings)}), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
