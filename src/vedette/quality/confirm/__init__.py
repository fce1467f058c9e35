"""Confirmed loss: what people reviewed says beyond doubt that a detector fell below its floor.

::

    review store ──► looks ──► policy ──► facts
    what people      frames,   bets       LossConfirmed,
    said             judged    (pure)     LossOver

:mod:`~vedette.quality.confirm.policy` decides; :class:`~vedette.quality.confirm.watch.LossWatch` runs it.
"""
