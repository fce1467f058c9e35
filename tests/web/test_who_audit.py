"""The audit log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from vedette.web.who.audit import Audit, Often


def test_it_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, largest=500, kept=3)
    for number in range(100):
        audit.append({"number": number})
    audit.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(file.stat().st_size <= 500 for file in files)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    lines = [json.loads(line) for file in reversed(files) for line in file.read_text().splitlines()]
    numbers = [each["number"] for each in lines]
    assert numbers == list(range(numbers[0], 100))


def test_one_change_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    audit.append({"what": 'x\n{"who": "forged"}\r\n\u2028', "long": "y" * 10_000})
    audit.close()
    (line,) = (tmp_path / "audit.jsonl").read_bytes().split(b"\n")[:-1]
    assert json.loads(line)["what"].startswith("x\n")
    assert len(line) < 1000


def test_it_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("untouched")
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    audit = Audit(tmp_path / "audit.jsonl")
    audit.append({"what": "x"})
    audit.close()
    assert (tmp_path / "elsewhere").read_text() == "untouched"


def test_changes_that_there_is_no_room_for_are_counted(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl")
    stands_still = threading.Event()
    audit._thread.submit(stands_still.wait)
    for number in range(2010):
        audit.append({"number": number})
    stands_still.set()
    while audit._waiting:
        pass
    audit.append({"number": "last"})
    audit.close()
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert len(lines) == 2001
    assert lines[-1] == {"number": "last", "lost_before": 10}


def test_where_it_cannot_be_written_nobody_is_held_up(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "no" / "such" / "folder.jsonl")
    audit.append({"what": "x"})
    audit.close()


FULL_DISK = """
import resource, sys, time
from pathlib import Path
from vedette.web.who.audit import Audit, Often

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def append(**entry):
    audit.append(entry)
    while audit._waiting:
        time.sleep(0.001)

path = Path(sys.argv[1])
path.write_text('"before"' + ' ' * 891 + chr(10))
audit = Audit(path)
room(1000)
append(number=1, what='y' * 200)
append(number=2)
room(resource.RLIM_INFINITY)
append(number=3)
append(number=4)
audit.close()
"""


def test_a_full_disk_spoils_no_line_and_the_next_one_says_how_many_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", FULL_DISK, path], env=given, check=True)
    before, broken, *after = path.read_text().splitlines()
    assert json.loads(before) == "before"
    assert broken.startswith('{"number":1,')
    assert [json.loads(each) for each in after] == [{"number": 3, "lost_before": 2}, {"number": 4}]


def test_what_is_often_is_told_a_few_times_and_how_often_it_was() -> None:
    often = Often(most=2, span_s=60.0)
    assert [often.count("ann", now) for now in (0.0, 1.0, 2.0, 59.0)] == [0, 0, None, None]
    assert often.count("bob", 59.0) == 0
    assert [often.count("ann", now) for now in (60.0, 61.0, 62.0)] == [2, 0, None]
