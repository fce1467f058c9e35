"""A worker ends with its node, also where the node was gone before the worker could ask to be told."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from vedette.workers.protocol import Channel, Start, pair
from vedette.workers.table import Table

START = """
import os, subprocess, sys
command = [sys.executable, "-m", "vedette.workers", "camera", sys.argv[1]]
subprocess.Popen(command, pass_fds=[int(sys.argv[1])])
"""


def test_a_link_knows_who_made_it() -> None:
    one, other = pair()
    assert Channel(one).made_by == os.getpid()
    assert Channel(other).made_by == os.getpid()
    one.close()
    other.close()


def test_a_worker_whose_parent_is_not_its_node_ends_although_its_link_is_open() -> None:
    """As if the node had died before the worker asked to be told: it has a task, and nobody to do it for."""
    ours, theirs = pair()
    table = Table.create(1, 1)
    doorbell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    channel = Channel(ours)
    assert channel.send(Start(worker=0, cameras=1, workers=1), [table.fd, doorbell])
    descriptor = str(theirs.fileno())
    subprocess.run([sys.executable, "-c", START, descriptor], pass_fds=[theirs.fileno()], check=True)
    theirs.close()
    readable, _, _ = select.select([channel], [], [], 60)
    assert readable, "it ended, or said something"
    with pytest.raises(EOFError):
        channel.receive()
    channel.close()
    os.close(table.fd)
    os.close(doorbell)
