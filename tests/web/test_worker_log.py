"""What the dashboard's process writes to its log."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import logging
import structlog
from vedette.observe.log import configure_logging
from vedette.web.worker import _let_libraries_log

configure_logging()
_let_libraries_log()
structlog.get_logger("vedette.web").warning("cannot be opened", url="rtsp://ann:hunter2@host/x")
try:
    raise ValueError("rtsp://ann:hunter2@host/x is none")
except ValueError:
    logging.getLogger("uvicorn.error").exception("in the application")
logging.getLogger("nicegui").warning("http://host/x?token=hunter2 not found")
"""


def test_no_line_of_ours_or_of_a_library_has_a_credential_in_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert not done.stdout
    for part in ("cannot be opened", "in the application", "is none", "not found"):
        assert part in done.stderr
    assert "hunter2" not in done.stderr
