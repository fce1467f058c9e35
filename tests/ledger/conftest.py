"""A real PostgreSQL for the session, and a fresh ledger on each kind of database for a test."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from patience import PATIENCE_S
from servers import free_port

PASSWORD = "hunter2:@/"


class Postgres:
    """The server out of the package ``pgserver``, without that package's own start: as root that one adds a
    user to the system and opens every folder above its data to everybody.

    PostgreSQL refuses to run as root; then it runs as ``nobody``. Over its socket it trusts whoever may open
    that, over TCP it wants the password.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vpg"))
        self._names = count()
        self._as: dict[str, Any] = {}
        self._bin = _binaries()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._bin = self._reachable()
        self._make()
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def _reachable(self) -> Path:
        try:
            self._run(self._bin / "initdb", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            copy = self.folder / "pginstall"  # the environment lies where only root may look
            shutil.copytree(self._bin.parent, copy, symlinks=True)
            return copy / "bin"
        return self._bin

    def _run(self, *command: str | Path) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self._as)

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            *(self._bin / "initdb", "-D", self.folder / "data", "-U", "postgres", "--no-sync"),
            *("--encoding=UTF8", "--no-locale", f"--pwfile={password}"),
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
        )

    def start(self) -> None:
        settings = {
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "fsync": "off",  # tests cut no real power
            "max_connections": "50",
            "shared_buffers": "16MB",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as,
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.admin("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """At once, as if it had crashed."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: "immediate shutdown"
            self._process.wait(PATIENCE_S)
            self._process = None

    def admin(self, statement: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def database(self) -> str:
        """The URL of a new, empty one."""
        name = f"ledger{next(self._names)}"
        self.admin(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}&port={self.port}"

    def over_tcp(self, url: str, password: str = PASSWORD) -> str:
        """The same database by host and password."""
        name = url.split("@/")[1].split("?")[0]
        quoted = password.replace("%", "%25").replace("@", "%40").replace("/", "%2F").replace(":", "%3A")
        return f"postgresql://postgres:{quoted}@127.0.0.1:{self.port}/{name}"


def _binaries() -> Path:
    spec = find_spec("pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new ledger may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()
