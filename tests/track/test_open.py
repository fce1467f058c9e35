"""Which tracks a gap cuts."""

from __future__ import annotations

import numpy as np

from vedette.track.open import OPEN_FOR_S, OpenTracks


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_tracks_of_the_last_picture_are_open() -> None:
    tracks = OpenTracks()
    tracks.seen(ids(3, 1, -1), 10.0)
    assert tracks.end() == [1, 3]
    assert tracks.end() == [], "what has ended does not end again"


def test_a_track_that_was_hidden_for_a_moment_is_open_and_one_gone_for_long_is_not() -> None:
    tracks = OpenTracks()
    tracks.seen(ids(1, 2), 10.0)
    tracks.seen(ids(2), 10.0 + OPEN_FOR_S / 2)
    tracks.seen(ids(3), 10.0 + OPEN_FOR_S * 1.1)
    assert tracks.end() == [2, 3]


def test_an_empty_scene_lets_tracks_end_by_themselves() -> None:
    tracks = OpenTracks()
    tracks.seen(ids(1), 10.0)
    tracks.seen(ids(), 20.0)
    assert tracks.end() == []
