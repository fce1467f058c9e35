"""What an uploaded file is, found out in a process of its own: whoever made the file may mean it ill.

Run as ``python -m vedette.web.api.probe KIND FILE``: one line of JSON, ``{"words": …}`` or
``{"refused": …}``. Before it looks at the file, the process gives up most of what it may have: memory, time,
new files and cores (setrlimit(2)), and its place in the queue for the processor. A parser that is made to
crash or to eat memory takes nothing but this process with it.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import sys
from pathlib import Path

import msgspec

import vedette
from vedette.errors import VedetteError, redact
from vedette.workers.step_back import end_first

__all__ = ["CPU_S", "MEMORY", "WITHIN_S", "Found", "Refusal", "main", "probed"]

MEMORY = 6 << 30
"""Bytes of address space: four times what loading the largest model takes that is let in."""
CPU_S = 60
WITHIN_S = 120.0
FILES = 64
_PATHS = re.compile(r"(?<![\w:/.])/[^\s\"']+")
SAID_AT_MOST = 16_384
NAMES_SHOWN = 200


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """``words``: what it is. ``names``: classes, the first of them. ``refused``: why it is of no use."""

    words: str = ""
    names: list[str] = []
    classes: int = 0
    refused: str = ""


class Refusal(VedetteError):  # noqa: N818 - the word for what it is
    """The file is of no use; the message says why."""


async def probed(kind: str, path: Path, *, within: float = WITHIN_S) -> Found:
    """What it is. ``kind``: model or labels. Raises Refusal."""
    process = await asyncio.create_subprocess_exec(
        # -P: the folder of the file is no place to import from.
        *(sys.executable, "-P", "-m", "vedette.web.api.probe", kind, str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_little(),
        cwd=path.parent,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(within):
            said = await process.stdout.read(SAID_AT_MOST + 1)
            code = await process.wait()
    except TimeoutError:
        raise Refusal(f"it was not understood within {within:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _understood(said, code)


def _little() -> dict[str, str]:
    """Of our environment: whatever else is in there may be secret."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    ours = str(Path(vedette.__file__).parent.parent)
    return {**kept, "PYTHONPATH": ours, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _understood(said: bytes, code: int) -> Found:
    if code < 0 or not said:
        raise Refusal(f"reading it took more than it may, or broke the process that did (code {code})")
    try:
        found = msgspec.json.decode(said, type=Found)
    except msgspec.DecodeError as err:
        raise Refusal("what it is could not be told") from err
    if found.refused:
        raise Refusal(found.refused)
    return found


# ---- in the process


def main(kind: str, path: Path) -> Found:
    """Raises nothing: what goes wrong is said."""
    try:
        return _model(path) if kind == "model" else _labels(path)
    except VedetteError as err:
        # Of where it lies here nobody needs to know.
        said = _PATHS.sub("…", redact(str(err)).replace(str(path), path.name))
        return Found(refused=said[:500])
    except MemoryError:
        return Found(refused="it needs more memory than it may have")
    except Exception as err:  # whatever a parser makes of bytes that mean it ill
        return Found(refused=f"it cannot be read ({type(err).__name__})")


def _model(path: Path) -> Found:
    from vedette.infer.load import DetectorSpec, load_detector

    detector = load_detector(DetectorSpec(model=str(path), runtime="onnxruntime", device="cpu", threads=1))
    detector.warm_up()
    return Found(detector.describe, list(detector.names[:NAMES_SHOWN]), len(detector.names))


def _labels(path: Path) -> Found:
    from vedette.infer.labels import class_names

    names = class_names(str(path))
    return Found(f"{len(names)} names", list(names[:NAMES_SHOWN]), len(names))


def _give_up() -> None:
    os.nice(19)
    end_first()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


if __name__ == "__main__":
    _give_up()
    sys.stdout.buffer.write(msgspec.json.encode(main(sys.argv[1], Path(sys.argv[2]))))
    sys.stdout.flush()
    os._exit(0)
