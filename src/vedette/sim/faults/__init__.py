"""Faults on demand: what can go wrong, when it does, and the seam at which it acts."""

from vedette.sim.faults.kinds import KINDS, Kind
from vedette.sim.faults.parse import parse_flag, read_schedule
from vedette.sim.faults.schedule import EVERY, Fault, FaultEvent, RandomFaults, Schedule, Who, plan
from vedette.sim.faults.seam import Faults, NoFaults, Outgoing, Silence

__all__ = [
    "EVERY",
    "KINDS",
    "Fault",
    "FaultEvent",
    "Faults",
    "Kind",
    "NoFaults",
    "Outgoing",
    "RandomFaults",
    "Schedule",
    "Silence",
    "Who",
    "parse_flag",
    "plan",
    "read_schedule",
]
