"""Where the sockets of running nodes lie, and which of them are still answered.

``<node name>-<pid>.sock`` in a folder that only its owner may enter. Both ``$XDG_RUNTIME_DIR`` and the
temporary folder are searched: a service often has no ``XDG_RUNTIME_DIR`` where the shell beside it has one.
"""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vedette.control.protocol import ControlError

__all__ = [
    "LONGEST_PATH",
    "NodeAddress",
    "choose_node",
    "find_nodes",
    "folder_for_sockets",
    "is_answered",
    "socket_path",
]

LONGEST_PATH = 107
"""Bytes of a Unix socket's path on Linux, without the terminating zero."""

LONGEST_NAME = 40

_FILE = re.compile(r"(?P<name>.+?)-(?P<pid>\d+)(?:\.\d+)?\.sock")


@dataclass(frozen=True, slots=True, order=True)
class NodeAddress:
    """A node that runs on this machine. ``name``: as in the file's name, where other characters than
    letters, digits, ``_``, ``.`` and ``-`` became ``_``."""

    name: str
    pid: int
    path: Path

    def __str__(self) -> str:
        return f"{self.name} ({self.pid})"


def choose_node(wanted: str | None, nodes: list[NodeAddress]) -> NodeAddress:
    """The node that is meant by a name, a pid or None, which is the only one there is.

    Raises ControlError, with the list of those that run.
    """
    fitting = [node for node in nodes if wanted in (None, node.name, str(node.pid))]
    if len(fitting) == 1:
        return fitting[0]
    if not nodes:
        raise ControlError("no node of yours is running on this machine (vedette run starts one)")
    running = "".join(f"\n  {node}" for node in fitting or nodes)
    if not fitting:
        raise ControlError(f"no node {wanted} is running; these are:{running}")
    which = "several nodes are running" if wanted is None else f"several nodes are called {wanted}"
    raise ControlError(f"{which}; say which by name or pid:{running}")


def folder_for_sockets(environ: Mapping[str, str] | None = None) -> Path:
    """The folder for new sockets; made, with mode 0700, where it does not exist.

    Raises ControlError where it is not a folder of ours, or cannot be made.
    """
    folder = _candidates(os.environ if environ is None else environ)[0]
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as err:
        raise ControlError(f"cannot make {folder}: {err.strerror}") from err
    if (wrong := _not_ours(folder)) is not None:
        raise ControlError(f"{folder} {wrong}: no socket is put there")
    folder.chmod(0o700)
    return folder


def socket_path(folder: Path, name: str, pid: int) -> Path:
    """A path for the socket of this node that nobody answers at. A stale socket in its place is removed.

    Raises ControlError where the path would be too long.
    """
    stem = f"{_file_name(name)}-{pid}"
    for number in range(1, 1000):
        path = folder / (f"{stem}.sock" if number == 1 else f"{stem}.{number}.sock")
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise ControlError(f"{path} is too long for a Unix socket ({LONGEST_PATH} bytes at most)")
        if not is_answered(path):
            # The pid in its name is ours, so whoever left it is gone.
            path.unlink(missing_ok=True)
            return path
    raise ControlError(f"there are too many sockets of {stem} in {folder}")


def find_nodes(environ: Mapping[str, str] | None = None) -> list[NodeAddress]:
    """The nodes of this user that answer now, by name and pid. Sockets of dead ones are removed."""
    found = {
        address
        for folder in _candidates(os.environ if environ is None else environ)
        if _not_ours(folder) is None
        for address in _in_folder(folder)
    }
    return sorted(found)


def is_answered(path: Path) -> bool:
    """Whether somebody listens at this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except BlockingIOError:
            return True  # so many want to talk to it that they have to wait
        except OSError:
            return False
    return True


def _in_folder(folder: Path) -> list[NodeAddress]:
    found = []
    for path in folder.glob("*.sock"):
        match = _FILE.fullmatch(path.name)
        if match is None or not _is_our_socket(path):
            continue
        pid = int(match["pid"])
        if is_answered(path):
            found.append(NodeAddress(match["name"], pid, path))
        elif not _alive(pid):
            # Both must hold: a node in another pid namespace looks dead and answers, one that is just about
            # to listen is alive and does not.
            path.unlink(missing_ok=True)
    return found


def _candidates(environ: Mapping[str, str]) -> list[Path]:
    uid = os.geteuid()
    candidates = [Path(tempfile.gettempdir()) / f"vedette-{uid}"]
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or "")
    try:
        # sudo may hand on that of somebody else; what root made there would be in his way.
        if runtime.is_absolute() and runtime.stat().st_uid == uid:
            candidates.insert(0, runtime / "vedette")
    except OSError:
        pass  # it does not exist
    return candidates


def _not_ours(folder: Path) -> str | None:
    try:
        found = folder.lstat()
    except OSError as err:
        return err.strerror or "cannot be read"
    if not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    return None if found.st_uid == os.geteuid() else "belongs to somebody else"


def _is_our_socket(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:LONGEST_NAME].lstrip(".-") or "node"
