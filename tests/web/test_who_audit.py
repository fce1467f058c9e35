"""The audit log."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from vedette.web.who.audit import Audit


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
