"""The peer's own virtual environment, ``.venv-peer``, from hashed requirements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import ROOT

__all__ = ["make_peer_environment"]


def make_peer_environment() -> None:
    """Make it, unless it is there and up to date."""
    venv, requirements = ROOT / ".venv-peer", Path(__file__).parent / "requirements-peer.txt"
    stamp = venv / ".installed"
    if stamp.exists() and stamp.stat().st_mtime >= requirements.stat().st_mtime:
        return
    print(f"Installing the peer into {venv.name} from benchmarks/{requirements.name} (hashed)", flush=True)
    python = str(venv / "bin" / "python")
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*install, "--require-hashes", "--no-deps", "-r", str(requirements)], check=True)
    stamp.touch()
