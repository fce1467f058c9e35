"""Who is inside a decoder is known from outside."""

from __future__ import annotations

import os

import pytest

from vedette.decoding import AtDecoder
from vedette.testing import ManualClock
from vedette.workers.table import Table


def test_the_table_says_since_when_a_camera_is_being_decoded_also_when_that_fails() -> None:
    table, clock = Table.create(2, 1), ManualClock(now=50.0)
    at_decoder = AtDecoder(table.rows[1], clock)
    with at_decoder:
        assert list(table.rows["decoding"]) == [0.0, 50.0]
    assert list(table.rows["decoding"]) == [0.0, 0.0]
    with pytest.raises(ValueError, match="damaged"), at_decoder:
        raise ValueError("damaged")
    assert list(table.rows["decoding"]) == [0.0, 0.0]
    with at_decoder:
        pass
    os.close(table.fd)
