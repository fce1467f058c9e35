"""What is left on the machine, and what control groups leave of it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from vedette.supervise.machine import disk_free, memory_available, read_machine, store_folder

GB = 10**9


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with 8 GB left, whose node runs in the group ``/pod/box``."""
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "meminfo").write_text(
        f"MemTotal: {16 * GB // 1024} kB\nMemAvailable: {8 * GB // 1024} kB\nBuffers: 1 kB\n"
    )
    (folder / "self" / "cgroup").write_text("4:memory:/old\n0::/pod/box\n")
    return folder


def group(folder: Path, limit: str, used: int, inactive: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\nactive_file 7\n")


def test_without_groups_it_is_what_the_machine_has_left(proc: Path, tmp_path: Path) -> None:
    assert memory_available(proc, tmp_path / "cgroup") == pytest.approx(8 * GB, abs=1024)


def test_a_group_without_a_limit_limits_nothing(proc: Path, tmp_path: Path) -> None:
    group(tmp_path / "cgroup" / "pod" / "box", "max", 3 * GB)
    assert memory_available(proc, tmp_path / "cgroup") == pytest.approx(8 * GB, abs=1024)


def test_a_limit_leaves_what_is_not_used_of_it(proc: Path, tmp_path: Path) -> None:
    group(tmp_path / "cgroup" / "pod" / "box", str(4 * GB), 3 * GB)
    assert memory_available(proc, tmp_path / "cgroup") == 1 * GB


def test_a_limit_further_up_counts_when_it_is_stricter(proc: Path, tmp_path: Path) -> None:
    group(tmp_path / "cgroup" / "pod", str(5 * GB), 5 * GB - 1000)
    group(tmp_path / "cgroup" / "pod" / "box", str(4 * GB), 3 * GB)
    assert memory_available(proc, tmp_path / "cgroup") == 1000


def test_files_that_were_read_once_do_not_fill_a_group(proc: Path, tmp_path: Path) -> None:
    group(tmp_path / "cgroup" / "pod" / "box", str(4 * GB), 4 * GB, inactive=3 * GB)
    assert memory_available(proc, tmp_path / "cgroup") == 3 * GB


def test_a_container_that_sees_only_its_own_group_is_limited_by_it(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/\n")
    group(tmp_path / "cgroup", str(2 * GB), 2 * GB + 5)
    assert memory_available(proc, tmp_path / "cgroup") == 0


@pytest.mark.parametrize("text", ["0::/../outside\n", "4:memory:/old\n", "", "0::\n"])
def test_groups_that_cannot_be_seen_limit_nothing(text: str, proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text(text)
    group(tmp_path / "outside", "1000", 0)
    (tmp_path / "cgroup").mkdir()
    assert memory_available(proc, tmp_path / "cgroup") == pytest.approx(8 * GB, abs=1024)


def test_where_the_system_says_nothing_there_is_no_figure(tmp_path: Path) -> None:
    assert memory_available(tmp_path, tmp_path) is None
    assert read_machine(0.5, None, proc=tmp_path) is None


def test_of_this_machine_no_more_is_left_than_it_has(tmp_path: Path) -> None:
    found = read_machine(0.25, tmp_path)
    assert found is not None
    assert 0 < found.memory_available <= psutil.virtual_memory().total
    assert found.cpu == 0.25
    assert found.disk_free is not None
    assert 0 < found.disk_free <= psutil.disk_usage(str(tmp_path)).total
    assert found.cores >= 1


def test_a_folder_that_is_not_there_has_no_disk(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "nowhere") is None
    assert disk_free(None) is None


def test_only_a_ledger_that_is_a_file_lies_on_a_disk_of_ours() -> None:
    assert store_folder("/var/lib/vedette/vedette.db") == Path("/var/lib/vedette")
    assert store_folder("vedette.db") == Path.cwd()
    assert store_folder("postgresql://me:secret@db/ledger") is None
    assert store_folder("/var/lib/vedette/vedette.db", enabled=False) is None
