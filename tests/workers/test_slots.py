"""Pictures that two processes share."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from vedette.workers.slots import Slots

IN_A_CHILD = """
import os, sys
from vedette.workers.slots import Slots
slots = Slots(int(sys.argv[1]), 4, 6, 10)
assert (slots[1] == 7).all()
slots[3][:] = 9
"""


def test_a_picture_is_bytes_by_height_width_and_channel() -> None:
    slots, fd = Slots.create(4, 6, 10)
    os.close(fd)
    assert slots.pictures.shape == (4, 6, 10, 3)
    assert slots[2].shape == (6, 10, 3)
    assert slots[2].dtype == np.uint8


def test_what_one_process_writes_another_reads() -> None:
    slots, fd = Slots.create(4, 6, 10)
    slots[1][:] = 7
    subprocess.run([sys.executable, "-c", IN_A_CHILD, str(fd)], pass_fds=[fd], check=True)
    os.close(fd)
    assert [int(slots[slot].max()) for slot in range(4)] == [0, 7, 0, 9]
    assert (slots[3] == 9).all()


def test_the_descriptor_that_is_taken_over_is_closed_and_the_one_to_hand_on_is_not() -> None:
    slots, fd = Slots.create(1, 2, 2)
    handed_on = os.dup(fd)
    other = Slots(handed_on, 1, 2, 2)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handed_on)
    os.close(fd)
    slots[0][:] = 3
    assert (other[0] == 3).all(), "the memory lives as long as somebody holds it"
