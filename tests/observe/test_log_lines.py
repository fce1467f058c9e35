"""Lines of the log are whole, though several threads write them."""

from __future__ import annotations

import json
import subprocess
import sys

from patience import PATIENCE_S

SCRIPT = """
import threading
import structlog
from vedette.observe.log import configure_logging
configure_logging("info", json=True)
log = structlog.get_logger()
def say(thread):
    for number in range(500):
        log.info("said", thread=thread, number=number)
threads = [threading.Thread(target=say, args=(thread,)) for thread in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_lines_from_several_threads_are_never_torn() -> None:
    command = [sys.executable, "-c", SCRIPT]
    found = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    lines = [json.loads(line) for line in found.stderr.splitlines()]
    said = sorted((line["thread"], line["number"]) for line in lines)
    assert said == [(thread, number) for thread in range(4) for number in range(500)]
