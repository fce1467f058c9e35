"""Take the MediaMTX server out of the package that carries it: unpack_mediamtx.py REQUIREMENTS TARGET."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

MEMBER = "neat_insight/bin/mediamtx"


def main(requirements: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
            + ["--require-hashes", "-r", requirements, "-d", folder],
            check=True,
        )
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            binary = archive.read(MEMBER)
    # Written aside first: a half-written binary must never look like a whole one.
    draft = Path(target).with_suffix(".part")
    draft.write_bytes(binary)
    draft.chmod(0o755)
    draft.rename(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
