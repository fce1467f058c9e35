"""A plan, played: in this event loop, and by the command in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_S
from vedette.sim.child import sim_process
from vedette.sim.faults import Fault, Schedule, Who, plan
from vedette.sim.faults.board import FaultNote
from vedette.sim.faults.player import Player

SMALL = ("--port", "0", "--size", "64x48", "--fps", "25", "--keyframe-every", "500ms")


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "fault-player-cache"))


async def test_a_plan_is_played_to_its_end(serve) -> None:
    server = await serve(cameras=3)
    schedule = Schedule(
        (
            Fault("stall", Who(("cam0",)), 0.1, 0.3),
            Fault("drop", Who(("cam1",)), 0.2),
            Fault("black", Who(("cam2",)), 0.1, 0.2),
            Fault("freeze", Who(("cam1",)), 0.3, 0.2),
            Fault("slow", Who(("cam*",)), 0.0, 0.5, options={"kbps": 100.0, "buffer": 64.0}),
            Fault("outage", at=0.6, lasts=0.2),
            Fault("restart", at=0.7, lasts=0.2),
        ),
        duration=1.0,
    )
    events = plan(schedule, [camera.name for camera in server.cameras])
    notes: list[FaultNote] = []
    server.on_fault(notes.append)
    player = Player(server, events)
    await player.prepare()
    player.start()
    async with asyncio.timeout(PATIENCE_S):
        await player.finished()
    assert {note.event.id for note in notes} == {event.id for event in events}
    for event in events:
        began, ended = (note for note in notes if note.event is event)
        assert (began.ended, ended.ended) == (False, True)
        assert began.at >= player.began_at + event.start
        assert ended.at >= max(began.at, player.began_at + event.end)
    # All is well again.
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.close()


async def test_stopping_in_the_middle_tells_how_everything_ended(serve, connect) -> None:
    tasks = asyncio.all_tasks()
    server = await serve(cameras=2)
    notes: list[FaultNote] = []
    server.on_fault(notes.append)
    faults = (
        Fault("hang", Who(("cam0",))),
        Fault("flap", Who(("cam1",))),
        Fault("black"),
        Fault("jitter", at=50),
    )
    player = Player(server, plan(Schedule(faults), ["cam0", "cam1"]))
    await player.prepare()
    player.start()
    while sum(not note.ended for note in notes) < 4:
        await asyncio.sleep(0.01)
    await player.stop()
    await server.stop()
    assert sum(note.ended for note in notes) == 4
    assert asyncio.all_tasks() == tasks


async def test_the_command_plays_a_file_and_flags_and_logs_them(connect, tmp_path: Path) -> None:
    log, file = tmp_path / "faults.jsonl", tmp_path / "faults.yaml"
    file.write_text("seed: 3\nfaults:\n- {kind: drop, cameras: cam0, at: 1s, every: 1s}\n")
    options = ("--faults", str(file), "--fault", "blur cam1 at=500ms for=500ms", "--fault-log", str(log))
    async with sim_process(*SMALL, "--cameras", "2", *options) as sim:
        reader = await connect(sim, 0)
        # It may be cut before it plays.
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            await reader.play()
            while True:
                await reader.receive()
        async with asyncio.timeout(PATIENCE_S):
            while len(log.read_bytes().splitlines()) < 6:
                await asyncio.sleep(0.1)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(line["what"], line["kind"], line["camera"]) for line in lines]
    assert told[:2] == [("began", "blur", "cam1"), ("ended", "blur", "cam1")] or told[:1] == [
        ("began", "blur", "cam1")
    ]
    assert ("began", "drop", "cam0") in told
    blur = [line["monotonic"] for line in lines if line["kind"] == "blur"]
    assert blur[0] < blur[1]
    assert all({"id", "wall", "start", "end", "options"} <= set(line) for line in lines)


async def test_the_command_survives_hangs_restarts_and_outages(connect, tmp_path: Path) -> None:
    """With the event loop that it runs on, which may be another than that of the tests."""
    log = tmp_path / "faults.jsonl"
    # So long that each is found while it lasts, also by a test that stands still for some seconds.
    flags = ("outage at=2s for=10s", "restart at=14s for=10s", "hang cam1 at=1s for=500ms")
    faults = [word for flag in flags for word in ("--fault", flag)]
    async with sim_process(*SMALL, "--cameras", "2", *faults, "--fault-log", str(log)) as sim:
        reader = await connect(sim, 1)
        await reader.play()

        async def begun(count: int) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while not log.exists() or log.read_text().count("began") < count:
                    await reader.receive() if count < 2 else await asyncio.sleep(0.01)

        await begun(2)
        with socket.socket() as probe:
            probe.setblocking(False)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await asyncio.get_running_loop().sock_connect(probe, (sim.host, sim.port))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                await reader.receive()
        await begun(3)
        with pytest.raises(ConnectionRefusedError):
            await connect(sim, 0)
        async with asyncio.timeout(PATIENCE_S):
            while log.read_text().count("ended") < 3:
                await asyncio.sleep(0.05)
        again = await connect(sim, 0)
        await again.play()
        await again.frames(3)
    kinds = [json.loads(line)["kind"] for line in log.read_text().splitlines()]
    assert kinds == ["hang", "hang", "outage", "outage", "restart", "restart"]


async def test_a_wrong_schedule_is_refused_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n- kind: stal\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vedette.sim", *SMALL, "--faults", str(file)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 2
    assert f"{file}:2: faults[0].kind: unknown kind (did you mean stall?)" in said.decode()
