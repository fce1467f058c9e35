"""What a process has is read from the system as it is: real processes, with known amounts of everything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vedette.supervise.resources import Watched, memory_of, open_files, threads_of, times_of
from vedette.supervise.usage import Usage

HOLDS = """
import os, sys, threading, time
from vedette.workers.threads import name_thread

name_thread("loop")
mine = bytearray(os.urandom(1 << 20) * 40)
files = [open("/dev/null") for _ in range(50)]

def burn(group, seconds):
    name_thread(group)
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    done.release()
    said.wait()

said, done = threading.Event(), threading.Semaphore(0)
work = {"decode": 0.4, "take": 0.2, "ask": 0.1}
threads = [threading.Thread(target=burn, args=each, daemon=True) for each in work.items()]
for thread in threads:
    thread.start()
for _ in threads:
    done.acquire()
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "end threads":
        said.set()
        for thread in threads:
            thread.join()
    print("done", flush=True)
"""


class Child:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        assert self.answer() == "done"


@contextmanager
def running(code: str) -> Iterator[Child]:
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        child = Child(process)
        assert child.answer() == "ready"
        try:
            yield child
        finally:
            process.kill()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with running(HOLDS) as child:
        yield child


def test_memory_is_what_the_process_has_and_what_it_shares_with_nobody(child: Child) -> None:
    memory = memory_of(child.pid)
    assert 40 * 2**20 < memory.uss <= memory.pss < 400 * 2**20


def test_descriptors_are_counted(child: Child) -> None:
    assert open_files(child.pid) == 50 + 3


def test_threads_are_told_apart_by_their_names(child: Child) -> None:
    names = sorted(times.name for times in threads_of(child.pid).values())
    assert names == ["vedette-ask", "vedette-decode", "vedette-loop", "vedette-take"]
    assert times_of(child.pid).threads == 4


def test_a_process_is_described_whole() -> None:
    usage = Usage()
    with running(HOLDS) as child:
        usage.read([Watched("cameras-0", "camera", child.pid)], memory=True)
        found = usage.of("cameras-0")
        assert found is not None
        assert (found.worker, found.pid, found.fds, found.threads) == ("cameras-0", child.pid, 53, 4)
        assert found.gpu is None
        assert set(found.cpu_s) == {"loop", "decode", "take", "other"}
        assert found.cpu_s["decode"] > 0.3
        assert found.cpu_s["take"] > 0.1
        assert sum(found.cpu_s.values()) == pytest.approx(usage.cpu_s, abs=0.05)


def test_the_time_of_threads_that_ended_stays_in_their_group() -> None:
    usage = Usage()
    with running(HOLDS) as child:
        watched = [Watched("cameras-0", "camera", child.pid)]
        usage.read(watched, memory=True)
        before = usage.of("cameras-0")
        child.tell("end threads")
        usage.read(watched, memory=True)
        after = usage.of("cameras-0")
    assert before is not None
    assert after is not None
    assert (before.threads, after.threads) == (4, 1)
    assert all(after.cpu_s[group] >= seconds for group, seconds in before.cpu_s.items())
    assert after.cpu_s["decode"] > 0.3
    assert after.cpu.keys() == after.cpu_s.keys()


def test_threads_that_a_runtime_starts_count_with_the_thread_that_started_them() -> None:
    code = """
import sys, time
from vedette.workers.threads import name_thread
name_thread("detect")
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 4
from onnx import TensorProto, helper
node = helper.make_node("MatMul", ["a", "b"], ["c"])
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [64, 64])
graph = helper.make_graph([node], "g", [value("a"), value("b")], [value("c")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
print("ready", flush=True)
sys.stdin.read()
"""
    with running(code) as child:
        names = [times.name for times in threads_of(child.pid).values()]
    assert names.count("vedette-detect") >= 4


def test_a_process_that_is_gone_is_an_oserror() -> None:
    with running("print('ready')") as child:
        pass
    for read in (memory_of, open_files, threads_of, times_of):
        with pytest.raises(OSError, match=str(child.pid)):
            read(child.pid)


def test_a_name_with_brackets_and_spaces_is_a_name() -> None:
    code = """
import ctypes, sys
ctypes.CDLL(None).prctl(15, b"a) R (b 1", 0, 0, 0)
print("ready", flush=True)
sys.stdin.read()
"""
    with running(code) as child:
        assert times_of(child.pid).name == "a) R (b 1"
        assert times_of(child.pid).threads == 1


def test_it_can_look_at_itself() -> None:
    assert open_files(os.getpid()) > 3
    assert times_of(os.getpid()).cpu_s > 0
