"""Changes made over the API hold at the next start, and can be taken back."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.config import Config
from vedette.control.protocol import Order
from vedette.errors import ConfigError
from vedette.lasting import CameraChange, Kept, LastingChanges, changed, changes_file, kept_after
from vedette.running import RunningNode

GATE = {"url": "rtsp://user:secret@host/gate", "max_fps": 5}
YARD = {"url": "rtsp://host/yard"}


def config(**cameras: Any) -> Config:
    return Config(cameras=cameras or {"gate": GATE, "yard": YARD})


def lasting(folder: Path, *orders: Order) -> LastingChanges:
    changes = LastingChanges(folder / "changes.json")
    changes.on(config())
    for order in orders:
        changes.carried_out(order)
    return changes


def order(kind: Any, what: str, **settings: Any) -> Order:
    return Order(kind=kind, what=what, settings=settings, keep=True)


def test_nothing_changed_is_the_file_itself(tmp_path: Path) -> None:
    changes = LastingChanges(tmp_path / "changes.json")
    assert changes.on(config()) == config()
    assert not list(changes.kept.words())


def test_a_camera_added_is_there_again(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("add", "lobby", url="rtsp://host/lobby", max_fps=2))
    again = LastingChanges(tmp_path / "changes.json").on(config())
    assert list(again.cameras) == ["gate", "yard", "lobby"]
    assert again.cameras["lobby"].max_fps == 2
    assert list(changes.kept.words()) == ["camera lobby: added"]


def test_only_what_was_changed_lies_above_the_file(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("change", "gate", max_fps=1), order("change", "gate", priority="high"))
    later = changes.on(config(gate={"url": "rtsp://other/gate", "max_fps": 9}, yard=YARD)).cameras["gate"]
    assert (later.url, later.max_fps, later.priority) == ("rtsp://other/gate", 1, "high")
    assert "secret" not in (tmp_path / "changes.json").read_text()


def test_what_is_taken_back_is_as_the_defaults_say(tmp_path: Path) -> None:
    changes = lasting(
        tmp_path,
        order("change", "gate", max_fps=1, site="yard"),
        order("change", "gate", max_fps=None, site=None),
        order("add", "lobby", url="rtsp://host/lobby", max_fps=2),
        order("change", "lobby", max_fps=None),
    )
    limited = Config(cameras={"gate": GATE, "yard": {**YARD, "max_fps": None}}, defaults={"max_fps": 10})
    cameras = LastingChanges(changes.path).on(limited).cameras
    assert {name: each.max_fps for name, each in cameras.items()} == {"gate": 10, "yard": None, "lobby": 10}
    assert cameras["gate"].site == ""


def test_a_camera_of_the_file_stays_removed_and_an_added_one_leaves_nothing(tmp_path: Path) -> None:
    changes = lasting(
        tmp_path,
        order("remove", "yard"),
        order("add", "lobby", url="rtsp://host/lobby"),
        order("remove", "lobby"),
    )
    assert list(changes.on(config()).cameras) == ["gate"]
    assert changes.kept == Kept({"yard": CameraChange(removed=True)})


def test_one_that_was_removed_and_added_again_is_as_it_was_added(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("remove", "gate"), order("add", "gate", url="rtsp://new/gate"))
    gate = changes.on(config()).cameras["gate"]
    assert (gate.url, gate.max_fps) == ("rtsp://new/gate", None)


def test_all_cameras_of_the_file_may_be_replaced_by_others(tmp_path: Path) -> None:
    orders = (order("add", "lobby", url="rtsp://host/l"), order("remove", "gate"), order("remove", "yard"))
    assert list(lasting(tmp_path, *orders).on(config()).cameras) == ["lobby"]


def test_a_pause_and_its_reason_last_until_it_is_resumed(tmp_path: Path) -> None:
    pause = Order(kind="pause", what="gate", why="works on the roof", keep=True)
    changes = lasting(tmp_path, pause)
    assert changes.kept.paused == {"gate": "works on the roof"}
    assert set(changes.kept.paused_since) == {"gate"}
    changes.carried_out(order("resume", "gate"))
    assert changes.kept == Kept()


def test_one_that_is_paused_again_is_paused_since_the_first_time_and_for_that_reason() -> None:
    kept = Kept()
    for at, why in ((10.0, "works on the roof"), (20.0, "holidays")):
        kept = kept_after(kept, Order(kind="pause", what="gate", why=why), in_file=True, at=at)
    assert (kept.paused, kept.paused_since) == ({"gate": "works on the roof"}, {"gate": 10.0})
    assert kept_after(kept, order("resume", "gate"), in_file=True, at=30.0) == Kept()


def test_a_pause_of_an_earlier_version_is_one_since_nobody_knows_when(tmp_path: Path) -> None:
    (tmp_path / "changes.json").write_text('{"cameras": {"gate": {"paused": "works"}}}')
    kept = LastingChanges(tmp_path / "changes.json").kept
    assert (kept.paused, kept.paused_since) == ({"gate": "works"}, {})


def test_whether_a_change_could_be_kept_is_known_before_it_is_made(tmp_path: Path) -> None:
    changes = LastingChanges(tmp_path / "folder" / "changes.json")
    changes.check()
    assert list(changes.path.parent.iterdir()) == []
    changes.path.write_text("rubbish")
    with pytest.raises(ConfigError, match="cannot be read"):
        changes.check()
    nowhere = Path("/proc")  # nobody can write there, whoever it is
    with pytest.raises(ConfigError, match="cannot be kept"):
        LastingChanges(nowhere / "changes.json").check()


def test_another_model_lasts(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").touch()
    changes = lasting(tmp_path, Order(kind="model", what=str(tmp_path / "other.onnx"), keep=True))
    assert changes.on(config()).detector.model == tmp_path / "other.onnx"


def test_the_names_of_a_model_last_with_it_until_others_are_given(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").touch()
    (tmp_path / "names.txt").write_text("heron\nstork\n")
    model, names = str(tmp_path / "other.onnx"), str(tmp_path / "names.txt")
    changes = lasting(tmp_path, order("model", model, classes=names), order("model", model))
    assert changes.on(config()).detector.classes == tmp_path / "names.txt"
    changes.carried_out(order("model", model, classes=["owl"]))
    assert changes.on(config()).detector.classes == ("owl",)
    changes.carried_out(order("model", model, classes=None))
    assert changes.on(config()).detector.classes is None


def test_changes_that_do_not_fit_any_more_say_how_to_go_on(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("remove", "gate"))
    with pytest.raises(ConfigError, match="vedette config reset"):
        changes.on(config(gate=GATE))


def test_a_change_of_a_camera_that_the_file_lost_is_left_out(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("change", "gate", max_fps=1))
    assert list(changes.on(config(yard=YARD)).cameras) == ["yard"]


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b'{"cameras": 3}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, garbage: bytes) -> None:
    (tmp_path / "changes.json").write_bytes(garbage)
    with pytest.raises(ConfigError, match=r"changes\.json: changes made over the API cannot be read"):
        LastingChanges(tmp_path / "changes.json").on(config())


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("add", "lobby", url="rtsp://user:secret@host/lobby"))
    assert stat.S_IMODE(changes.path.stat().st_mode) == 0o600


def test_all_or_those_of_a_camera_are_taken_back(tmp_path: Path) -> None:
    changes = lasting(tmp_path, order("change", "gate", max_fps=1), order("change", "yard", max_fps=1))
    assert changes.forget("gate")
    assert not changes.forget("gate")
    assert list(changes.kept.cameras) == ["yard"]
    assert changes.forget()
    assert changes.on(config()) == config()


def test_it_lies_beside_the_ledger_and_else_in_the_folder_of_the_configuration(tmp_path: Path) -> None:
    ledger = {"url": str(tmp_path / "store" / "vedette.db"), "node": "roof"}
    with_file = Config(cameras={"gate": GATE}, ledger=ledger, folder=tmp_path)
    without = Config(cameras={"gate": GATE}, ledger=False, folder=tmp_path)
    assert changes_file(with_file) == tmp_path / "store" / "changes-roof.json"
    assert changes_file(without) == tmp_path / "changes-node.json"


names = st.sampled_from(["gate", "yard", "lobby"])
kinds = st.sampled_from(["add", "change", "remove", "pause", "resume"])
figures = st.one_of(st.none(), st.integers(1, 9))


@given(st.lists(st.tuples(kinds, names, figures), max_size=12))
def test_what_is_kept_gives_what_the_node_had(orders: list[tuple[Any, str, int | None]]) -> None:
    """Whatever a node carries out, a node started anew with what was kept watches the same."""
    at_work, kept, paused = config(), Kept(), dict[str, str]()
    for kind, name, fps in orders:
        there = name in at_work.cameras
        if kind == "add" and fps is None:
            continue  # the API leaves out what is nothing
        if there == (kind == "add") or (kind == "remove" and len(at_work.cameras) == 1):
            continue  # a node refuses that
        given_now: dict[str, Any] = {"max_fps": fps} if fps is None or fps % 2 else {"priority": fps}
        given_now |= {"url": f"rtsp://host/{name}/{fps}"} if kind == "add" else {}
        if kind == "add":
            at_work = at_work.with_camera(name, given_now)
        elif kind == "change":
            before = at_work.cameras[name]
            known = {key: getattr(before, key) for key in before.model_fields_set}
            at_work = at_work.with_camera(name, changed(known, given_now))
        elif kind == "remove":
            at_work = at_work.without_camera(name)
            paused.pop(name, None)
        elif kind == "pause":
            paused[name] = ""
        else:
            paused.pop(name, None)
        settings = given_now if kind in ("add", "change") else {}
        kept = kept_after(kept, order(kind, name, **settings), in_file=name in ("gate", "yard"))
    again = kept.on(config())
    assert again.cameras == at_work.cameras
    assert kept.paused == paused


def test_what_is_just_being_kept_is_so_before_the_file_is_read_again(tmp_path: Path) -> None:
    changes = LastingChanges(tmp_path / "changes.json")
    node = RunningNode(changes.on(config()), None, None, None, False, False, changes)
    disk_is_back = threading.Event()
    node._changes.submit(disk_is_back.wait)
    carried_out: Future[None] = node._changes.submit(lambda: None)
    node._kept(order("add", "lobby", url="rtsp://host/lobby"), carried_out, changes)
    threading.Timer(0.05, disk_is_back.set).start()
    node.settled()
    assert "lobby" in changes.on(config()).cameras
    node._changes.close()
