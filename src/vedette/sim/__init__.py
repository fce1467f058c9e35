"""Simulated cameras: clips, encoded once, played by many cameras over real RTSP."""

from vedette.sim.clip import AccessUnit, Clip, encode_frames, prepare_clip
from vedette.sim.sentlog import SentLog
from vedette.sim.server import SimulatedCameras

__all__ = ["AccessUnit", "Clip", "SentLog", "SimulatedCameras", "encode_frames", "prepare_clip"]
