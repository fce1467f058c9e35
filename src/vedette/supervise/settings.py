"""What the section ``recycle`` of a configuration may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator

from vedette import config_checks as checks
from vedette.supervise.seen import Limits, Measure

__all__ = ["RecycleSettings"]

MACHINE_SHARE = 0.8
AUTO_LEAST_BYTES = 512_000_000
"""Below it the limit would be met by workers that are well."""


def _off(value: object) -> bool:
    """YAML takes ``off`` for a boolean."""
    return value is False or value == "off"


def _lifetime(value: object) -> float | None:
    if _off(value):
        return None
    try:
        return checks.duration(value)
    except ValueError as err:
        raise ValueError(f"{err}, or off") from None


def _frames(value: object) -> int | None:
    text = str(value)
    if _off(value):
        return None
    if (
        isinstance(value, (int, str))
        and text.isascii()
        and text.isdigit()
        and 0 < len(text) < 16
        and int(text)
    ):
        return int(text)
    raise ValueError("must be a whole number of frames, or off")


def _limit(value: object) -> int | Literal["auto"] | None:
    if _off(value):
        return None
    if value == "auto":
        return "auto"
    try:
        return checks.size(value)
    except ValueError as err:
        raise ValueError(f"{err}; or auto, or off") from None


Limit = Annotated[int | Literal["auto"] | None, PlainValidator(_limit)]
Flag = Annotated[bool, BeforeValidator(checks.flag)]


class RecycleSettings(BaseModel):
    """When workers are replaced before they hurt. ``off`` is None here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    max_lifetime: Annotated[float | None, PlainValidator(_lifetime)] = 86_400.0
    """Seconds. Each worker's own is between three quarters of it and the whole."""
    max_frames: Annotated[int | None, PlainValidator(_frames)] = None
    memory_limit: Limit = "auto"
    """Bytes (USS) of one worker; it is replaced at nine tenths of it."""
    gpu_memory_limit: Limit = "auto"
    leak: Flag = True
    """Replace workers that would reach a limit within four days at the rate at which they leak."""
    apart: Annotated[float, BeforeValidator(checks.duration)] = 600.0
    """Seconds between two planned replacements, at least; stretched by up to a half."""

    def limits(
        self,
        *,
        workers: int,
        memory: int,
        on_gpu: int = 1,
        gpu_memory: int | None = None,
        files: int | None = None,
        threads: int | None = None,
    ) -> Limits:
        """As they hold on this machine.

        ``workers``: of the node, ``on_gpu``: of the device. ``memory``: bytes of the machine, or what its
        container may have; ``gpu_memory``: of the device. ``files``, ``threads``: what a process may have.
        """
        most = {
            Measure.MEMORY: _resolved(self.memory_limit, memory, workers, AUTO_LEAST_BYTES),
            Measure.GPU: _resolved(self.gpu_memory_limit, gpu_memory, on_gpu, 0),
            Measure.FILES: files,
            Measure.THREADS: threads,
        }
        return Limits(
            most={measure: float(amount) for measure, amount in most.items() if amount is not None},
            lifetime=self.max_lifetime,
            frames=self.max_frames,
            apart=self.apart,
            leak=self.leak,
        )


def _resolved(limit: int | Literal["auto"] | None, total: int | None, sharing: int, least: int) -> int | None:
    """``auto``: an equal share for each of them and one more, the one that warms up in another's place."""
    if limit != "auto":
        return limit
    return None if total is None else max(least, round(MACHINE_SHARE * total / (sharing + 1)))
