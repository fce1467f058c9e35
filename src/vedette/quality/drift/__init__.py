"""Notices that a camera's detections are no longer what they were in this light. Pure: no I/O, no clock.

::

    frames ──► windows ──► baseline ──► evidence ──► state ──► decisions
    boxes,     10 s: a few  usual, in    e-detector   learning, watching,
    pictures   numbers      this light   per camera   unseen, suspected

:class:`~vedette.quality.drift.monitor.Monitor` puts it together; read that first.
"""
