"""Each way in which a session can end has its own reason, and hanging up gives it the one that was said."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from ingest.rtsp.rtsp_actors import Visit, acting, asked
from ingest.rtsp.rtsp_replay import Collector
from patience import NEVER_S, PATIENCE_S
from vedette.causes import Blame
from vedette.clock import SystemClock
from vedette.facts import EndReason, SessionEnd
from vedette.ingest.live import LiveSource
from vedette.ingest.rtsp.client import RtspSource
from vedette.ingest.rtsp.evidence import LinkEvidence
from vedette.ingest.select import make_source

Scene = Callable[[Visit], Awaitable[None]]
PATIENT = {"connect_timeout": NEVER_S, "first_frame_timeout": NEVER_S, "stall_after": NEVER_S}


def camera(url: str, **options: float | bool) -> RtspSource:
    return RtspSource(url, clock=SystemClock(), **PATIENT | options)  # type: ignore[arg-type]


async def ending(scene: Scene, *, tls: bool = False, **options: float | bool) -> SessionEnd:
    async with acting(scene, tls=tls) as url, asyncio.timeout(PATIENCE_S):
        return await camera(url, **options).run(Collector())


async def stalling(scene: Scene, known: Callable[[LinkEvidence], bool]) -> SessionEnd:
    """A session that falls silent, and is over only when so much is known of that: until then it might be
    this machine that stands still."""
    async with acting(scene) as url, asyncio.timeout(PATIENCE_S):
        source, collector = camera(url), Collector()
        session = asyncio.create_task(source.run(collector))
        await collector.first_frame.wait()
        while not (evidence := source.evidence()) or evidence.silent_s < 0.5:
            await asyncio.sleep(0.01)
        await asked(source)
        while not (evidence := source.evidence()) or not known(evidence):
            await asyncio.sleep(0.01)
        source.stall_after = 0.5
        return await session


async def leaves_at_once(visit: Visit) -> None:
    pass


async def resets_at_once(visit: Visit) -> None:
    visit.reset()


async def reads_and_leaves(visit: Visit) -> None:
    await visit.request()


async def leaves_after_describe(visit: Visit) -> None:
    await visit.answer("200 OK", body=b"v=0\r\nm=video 0 RTP/AVP 26\r\n")
    await visit.request()


async def plays_and_leaves(visit: Visit) -> None:
    await visit.play()


async def plays_and_resets(visit: Visit) -> None:
    await visit.play()
    visit.reset()


async def plays_and_says_goodbye(visit: Visit) -> None:
    await visit.play()
    await visit.send(b"TEARDOWN rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\n\r\n")
    await visit.left()


async def plays_and_hangs(visit: Visit) -> None:
    await visit.play()
    await visit.left()


async def says_nothing(visit: Visit) -> None:
    await visit.left()


@pytest.mark.parametrize(
    ("scene", "reason"),
    [
        (leaves_at_once, EndReason.REFUSED),
        (resets_at_once, EndReason.REFUSED),
        (reads_and_leaves, EndReason.REFUSED),
        (leaves_after_describe, EndReason.CONNECTION_LOST),
        (plays_and_leaves, EndReason.CONNECTION_LOST),
        (plays_and_resets, EndReason.CONNECTION_LOST),
        (plays_and_says_goodbye, EndReason.ENDED),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
@pytest.mark.parametrize("tls", [False, True])
async def test_a_connection_that_goes_tells_by_when_it_goes_what_it_was(
    scene: Scene, reason: EndReason, tls: bool
) -> None:
    end = await ending(scene, tls=tls, verify_tls=False)
    assert end.reason is reason, end


@pytest.mark.parametrize("tls", [False, True])
def test_the_reasons_are_the_same_under_uvloop(tls: bool) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lost = runner.run(ending(plays_and_leaves, tls=tls, verify_tls=False))
        refused = runner.run(ending(leaves_at_once, tls=tls, verify_tls=False))
        untrusted = runner.run(ending(plays_and_leaves, tls=True))
    assert lost.reason is EndReason.CONNECTION_LOST, lost
    assert refused.reason is EndReason.REFUSED, refused
    assert untrusted.reason is EndReason.TLS, untrusted


async def test_a_certificate_that_nobody_vouches_for_is_a_matter_of_tls() -> None:
    end = await ending(plays_and_leaves, tls=True)
    assert (end.reason, "certificate" in end.detail) == (EndReason.TLS, True), end


@pytest.mark.parametrize("scene", [leaves_at_once, resets_at_once, reads_and_leaves])
async def test_no_encryption_at_the_other_end_is_a_matter_of_tls(scene: Scene) -> None:
    async def plain(visit: Visit) -> None:
        if scene is reads_and_leaves:
            await visit.reader.read(10)
            await visit.send(b"RTSP/1.0 400 Bad Request\r\n\r\n")
        else:
            await scene(visit)

    async with acting(plain) as url, asyncio.timeout(PATIENCE_S):
        end = await camera(url.replace("rtsp:", "rtsps:")).run(Collector())
    assert end.reason is EndReason.TLS, end


async def test_a_handshake_that_never_ends_is_a_matter_of_tls() -> None:
    async with acting(says_nothing) as url, asyncio.timeout(PATIENCE_S):
        end = await camera(url.replace("rtsp:", "rtsps:"), connect_timeout=3.0).run(Collector())
    assert end.reason is EndReason.TLS, end


async def test_an_address_that_does_not_react_is_unreachable() -> None:
    with contextlib.ExitStack() as stack:
        # A queue of connections that nobody accepts, filled: the kernel drops what comes after.
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        waiting = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        url = f"rtsp://127.0.0.1:{full.getsockname()[1]}/cam"
        end = await camera(url, connect_timeout=0.3).run(Collector())
        assert end.reason is EndReason.UNREACHABLE, end
        source = camera(url, connect_timeout=NEVER_S)
        session = asyncio.create_task(source.run(Collector()))
        await asyncio.sleep(0.1)
        source.hang_up(EndReason.CLOSED, "enough")
        assert await asyncio.wait_for(session, PATIENCE_S) == SessionEnd(EndReason.CLOSED, "enough")


async def test_an_opening_that_takes_its_time_with_each_step_comes_to_an_end() -> None:
    async def slow(visit: Visit) -> None:
        while True:
            await visit.request()
            await asyncio.sleep(0.35)
            await visit.send(b"RTSP/1.0 302 Moved\r\nLocation: " + url.encode() + b"\r\n\r\n")

    async with acting(slow) as url, asyncio.timeout(PATIENCE_S):
        end = await camera(url, connect_timeout=0.4).run(Collector())
    assert end.reason in (EndReason.UNREACHABLE, EndReason.REFUSED), end


async def test_a_probe_finds_a_server_that_hangs_to_be_the_cameras_fault() -> None:
    # Nobody asks for the probe. Of so long a silence enough is left for one, however late it is noticed.
    end = await ending(plays_and_hangs, stall_after=3.0)
    assert (end.reason, end.blame) == (EndReason.STALLED, Blame.CAMERA), end
    assert "does not answer" in end.detail


async def test_a_probe_finds_a_server_that_answers_to_be_the_cameras_fault() -> None:
    async def answers(visit: Visit) -> None:
        await visit.play()
        while True:
            await visit.answer("200 OK")

    end = await stalling(answers, lambda evidence: evidence.answered)
    assert (end.reason, end.blame) == (EndReason.STALLED, Blame.CAMERA), end
    assert "still answers" in end.detail


async def test_a_probe_finds_a_cut_cable_to_be_the_networks_fault() -> None:
    async def is_cut_off(visit: Visit) -> None:
        await visit.play()
        visit.cut_cable()
        await visit.left()

    end = await stalling(is_cut_off, lambda evidence: (evidence.probe_s or 0) > 1)
    assert (end.reason, end.blame) == (EndReason.STALLED, Blame.NETWORK), end
    assert "acknowledges" in end.detail


async def test_a_cable_cut_during_the_opening_is_the_networks_fault() -> None:
    async def is_cut_off(visit: Visit) -> None:
        visit.cut_cable()
        await visit.left()

    end = await ending(is_cut_off, connect_timeout=2.0)
    assert (end.reason, end.blame) == (EndReason.UNREACHABLE, Blame.NETWORK), end


async def test_a_server_that_takes_the_question_and_keeps_silent_is_to_blame() -> None:
    end = await ending(says_nothing, connect_timeout=2.0)
    assert (end.reason, end.blame) == (EndReason.UNREACHABLE, Blame.CAMERA), end


async def test_the_owner_can_ask_and_look_at_the_evidence() -> None:
    async def answers(visit: Visit) -> None:
        await visit.play()
        await visit.answer("200 OK")
        await visit.left()

    async with acting(answers) as url, asyncio.timeout(PATIENCE_S):
        source, collector = camera(url), Collector()
        assert source.evidence() is None
        source.probe()  # nothing runs: nothing is asked
        session = asyncio.create_task(source.run(collector))
        await collector.first_frame.wait()
        await asyncio.sleep(0.6)
        source.probe()
        while not (evidence := source.evidence()) or not evidence.answered:
            await asyncio.sleep(0.01)
        assert evidence.acknowledged in (True, None)
        assert evidence.probe_s is not None
        assert evidence.silent_s <= evidence.probe_s
        source.hang_up(EndReason.STALLED, "enough", Blame.CAMERA)
        source.hang_up(EndReason.CORRUPT, "the second word")
        assert await session == SessionEnd(EndReason.STALLED, "enough", Blame.CAMERA)
        assert source.evidence() is None
        source.hang_up(EndReason.STALLED, "it has ended")


async def test_hanging_up_ends_an_opening_wherever_it_is() -> None:
    end = SessionEnd(EndReason.STALLED, "enough")
    for tls in (False, True):  # waits for a reply, or for the handshake
        async with acting(says_nothing) as url, asyncio.timeout(PATIENCE_S):
            source = camera(url.replace("rtsp:", "rtsps:") if tls else url, connect_timeout=NEVER_S)
            session = asyncio.create_task(source.run(Collector()))
            await asyncio.sleep(0.1)
            source.hang_up(end.reason, end.detail)
            assert await session == end


async def test_a_session_after_one_that_was_hung_up_on_runs_as_ever() -> None:
    async with acting(plays_and_says_goodbye) as url, asyncio.timeout(PATIENCE_S):
        source = camera(url)
        session = asyncio.create_task(source.run(Collector()))
        await asyncio.sleep(0)
        source.hang_up(EndReason.STALLED, "enough")
        assert (await session).reason is EndReason.STALLED
        assert (await source.run(Collector())).reason is EndReason.ENDED


async def test_cancelling_outranks_hanging_up() -> None:
    async with acting(plays_and_hangs) as url, asyncio.timeout(PATIENCE_S):
        source, collector = camera(url), Collector()
        session = asyncio.create_task(source.run(collector))
        await collector.first_frame.wait()
        source.hang_up(EndReason.STALLED, "enough")
        session.cancel()
        with pytest.raises(asyncio.CancelledError):
            await session


async def test_patience_may_change_while_a_session_runs() -> None:
    async with acting(plays_and_hangs) as url, asyncio.timeout(PATIENCE_S):
        source, collector = camera(url, stall_after=NEVER_S), Collector()
        session = asyncio.create_task(source.run(collector))
        await collector.first_frame.wait()
        source.stall_after = 0.5
        assert (await session).reason is EndReason.STALLED


async def test_what_make_source_gives_for_a_camera_is_live_and_passes_everything_on() -> None:
    async with acting(plays_and_hangs) as url, asyncio.timeout(PATIENCE_S):
        source, collector = make_source(url, clock=SystemClock()), Collector()
        assert isinstance(source, LiveSource)
        source.stall_after, source.connect_timeout = 700.0, 300.0
        assert (source.stall_after, source.connect_timeout) == (700.0, 300.0)
        session = asyncio.create_task(source.run(collector))
        await collector.first_frame.wait()
        source.probe()
        assert source.evidence() is not None
        source.hang_up(EndReason.STALLED, "enough")
        assert (await session).reason is EndReason.STALLED


async def test_a_nonce_that_is_always_stale_is_not_answered_at_the_speed_of_the_network() -> None:
    questions: list[bytes] = []

    async def stale_for_ever(visit: Visit) -> None:
        await visit.answer("401 No", 'WWW-Authenticate: Digest realm="r", nonce="first"')
        await visit.play(timeout=2)  # asks for a sign of life every second
        for number in range(10_000):
            challenge = f'WWW-Authenticate: Digest realm="r", nonce="{number}", stale=true'
            questions.append(await visit.answer("401 No", challenge))

    async with acting(stale_for_ever, userinfo="me:pw") as url, asyncio.timeout(PATIENCE_S):
        source, began = camera(url), time.monotonic()
        session = asyncio.create_task(source.run(Collector()))
        while len(questions) < 5:
            await asyncio.sleep(0.01)
        # Each second one, and once more with the new nonce.
        assert len(questions) <= 2 * (time.monotonic() - began) + 1
        source.hang_up(EndReason.STALLED, "enough")
        assert (await session).reason is EndReason.STALLED


@pytest.mark.parametrize(
    "flood", [b"\r\n" * 500, b"RTSP/1.0 200 OK\r\n\r\n" * 500, b"OPTIONS * RTSP/1.0\r\n\r\n" * 500]
)
async def test_a_server_that_talks_without_end_is_left(flood: bytes) -> None:
    async def talks(visit: Visit) -> None:
        await visit.play()
        while True:
            await visit.send(flood)

    end = await ending(talks)
    assert end.reason is EndReason.CORRUPT, end
