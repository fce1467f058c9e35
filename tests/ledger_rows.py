"""Rows for tests of the ledger."""

from __future__ import annotations

from typing import Any

from vedette.causes import Blame, Cause, Kind
from vedette.facts import Gap, Incident

HOSTS = {"a": "10.0.0.1", "b": "10.0.0.2"}


def blind(id: str, camera: str, start: int, end: int | None = None, **more: Any) -> Gap:
    given = {"kind": Kind.BLIND, "cause": Cause.STALLED, "blame": Blame.CAMERA} | more
    return Gap(id=id, camera=camera, start=start, end=end, **given)


def degraded(id: str, camera: str, start: int, end: int | None = None) -> Gap:
    return blind(id, camera, start, end, kind=Kind.DEGRADED, cause=Cause.BLURRED)


def event(id: str, camera: str, at: int) -> Gap:
    return blind(id, camera, at, at, kind=Kind.EVENT, cause=Cause.CODEC_CHANGED)


def incident(id: str, start: int, end: int | None = None, cameras: list[str] | None = None) -> Incident:
    return Incident(
        id=id, scope="host 10.0.0.1", start=start, end=end, cause=Cause.STALLED, cameras=cameras or ["a"]
    )
