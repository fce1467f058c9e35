"""What a worker said before it died is not lost with it."""

from __future__ import annotations

import pytest

from vedette.workers.protocol import Acknowledge, CameraFinished, Channel, Stop, pair


def test_what_was_said_is_heard_although_the_speaker_died_with_something_unread() -> None:
    ours, theirs = map(Channel, pair())
    assert ours.send(Acknowledge(0, 1))
    last_words = [CameraFinished(index, "ended", "") for index in range(3)]
    assert all(theirs.send(word) for word in last_words)
    theirs.close()  # with our message unread: a reset, not an end
    assert [ours.receive() for _ in last_words] == [(word, []) for word in last_words]
    assert not ours.send(Stop())
    with pytest.raises(EOFError):
        ours.receive()
    ours.close()
