"""Files that are sent here: looked at by somebody else, kept where only we may, and never more than fits."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import onnx
import pytest

from fake_node import FakeNode
from vedette.control.protocol import Became
from vedette.infer.load import BUNDLED
from vedette.web.api import uploads
from vedette.web.api.probe import Refusal, probed
from vedette.web.problems import ProblemError


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_model_is_kept_once_it_was_understood(made: Any, tmp_path: Path) -> None:
    client, _, guard = made(store=tmp_path)

    answer = await client.post("models", params={"name": "small.onnx"}, content=BUNDLED.read_bytes())

    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/models/small.onnx"
    told = answer.json()
    assert told["words"].startswith("small")
    assert told["sha256"] == hashlib.sha256(BUNDLED.read_bytes()).hexdigest()
    assert (tmp_path / "uploads").stat().st_mode & 0o077 == 0
    assert guard.audited[0][:2] == ("upload", "model small.onnx")
    assert [each["name"] for each in (await client.get("models")).json()["models"]] == ["small.onnx"]
    again = await client.post("models", params={"name": "small.onnx"}, content=b"x")
    assert again.json()["kind"] == "exists"
    assert (await client.put("model", json={"upload": "small.onnx"})).status_code == 200
    assert (await client.delete("models/small.onnx")).status_code == 204
    assert (await client.get("models")).json()["models"] == []
    assert (await client.put("model", json={"upload": "small.onnx"})).status_code == 404


async def test_class_names_are_taken_as_well(made: Any, tmp_path: Path) -> None:
    client, _, _ = made(store=tmp_path)
    answer = await client.post(
        "models", params={"name": "names.txt", "kind": "labels"}, content=b"person\ncar\n"
    )

    assert answer.status_code == 201
    assert answer.json()["names"] == ["person", "car"]


async def test_what_is_no_model_is_not_kept(made: Any, tmp_path: Path) -> None:
    client, _, _ = made(store=tmp_path)
    answer = await client.post("models", params={"name": "bad.onnx"}, content=b"\x08\x07" + b"x" * 5000)

    assert answer.status_code == 422
    assert str(tmp_path) not in answer.text
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../x.onnx", "a/b.onnx", ".x.onnx", "x", "x.onnx.about", "part-1.onnx", "a..onnx", "x" * 200]
)
async def test_no_name_leads_out_of_the_folder(made: Any, tmp_path: Path, name: str) -> None:
    client, _, _ = made(store=tmp_path)

    assert (await client.post("models", params={"name": name}, content=b"x")).status_code == 422
    assert (await client.delete(f"models/{name}")).status_code in (404, 405, 422)
    assert not uploads.Uploads(tmp_path).all()


async def test_more_than_fits_is_given_up_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(uploads.LARGEST, "model", 10)
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(4)
            yield b"more"

    with pytest.raises(ProblemError, match="at most 10 bytes"):
        await uploads.Uploads(tmp_path).take("a.onnx", "model", endless(), at=0.0, by="me")
    assert len(taken) == 3
    assert list((tmp_path / "uploads").iterdir()) == []
    with pytest.raises(ProblemError, match="empty"):
        await uploads.Uploads(tmp_path).take("a.onnx", "model", chunks(), at=0.0, by="me")


async def test_a_reader_that_hangs_or_dies_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "names.txt"
    file.write_text("person\n")
    program = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(program))
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    with pytest.raises(Refusal, match="within"):
        await probed("labels", file, within=0.2)
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(Refusal, match="broke"):
        await probed("labels", file)


async def test_a_model_is_ordered_with_the_names_of_its_classes(
    made: Any, tmp_path: Path, node: FakeNode
) -> None:
    client, _, _ = made(store=tmp_path)
    await client.post("models", params={"name": "small.onnx"}, content=BUNDLED.read_bytes())
    await client.post("models", params={"name": "names.txt", "kind": "labels"}, content=b"heron\nstork\n")
    path = str(tmp_path / "uploads" / "names.txt")
    upload, canary = {"upload": "small.onnx"}, {"cameras": ["camera_1"]}

    for method, where, more in (("put", "model", {}), ("post", "shadow", {}), ("post", "canary", canary)):
        answer = await getattr(client, method)(where, json={**upload, **more, "labels": "names.txt"})
        assert answer.status_code == 200, answer.text
        assert node.orders[-1].settings == {"classes": path}
    for classes in (["a", "b"], "coco", None):
        await client.put("model", json={**upload, "classes": classes})
        assert node.orders[-1].settings == {"classes": classes}
    await client.put("model", json=upload)
    assert node.orders[-1].settings == {}


@pytest.mark.parametrize(
    ("body", "status", "at"),
    [
        ({"file": "/a.onnx", "labels": "small.onnx"}, 422, "body.labels"),
        ({"upload": "names.txt"}, 422, "body.upload"),
        ({"file": "/a.onnx", "labels": "gone.txt"}, 404, ""),
        ({"file": "/a.onnx", "labels": "../names.txt"}, 422, "body.labels"),
        ({"file": "/a.onnx", "labels": "names.txt", "classes": ["a"]}, 422, "body"),
        ({"file": "/a.onnx", "classes": "/etc/passwd"}, 422, "body.classes"),
        ({"file": "/a.onnx", "classes": []}, 422, "body.classes"),
        ({"file": "/a.onnx", "classes": ["x" * 100] * 200}, 422, "body"),
    ],
)
async def test_names_that_cannot_be_are_refused(
    made: Any, tmp_path: Path, node: FakeNode, body: dict[str, Any], status: int, at: str
) -> None:
    client, _, _ = made(store=tmp_path)
    await client.post("models", params={"name": "names.txt", "kind": "labels"}, content=b"heron\nstork\n")
    answer = await client.put("model", json=body)
    assert answer.status_code == status, answer.text
    assert any(each["at"].startswith(at) for each in answer.json().get("errors", [])) or not at
    assert not node.orders


async def test_names_in_use_are_not_deleted(made: Any, tmp_path: Path) -> None:
    class Named(FakeNode):
        async def configuration(self) -> dict[str, Any]:
            path = str(tmp_path / "uploads" / "names.txt")
            return {**await super().configuration(), "detector": {"model": "/a.onnx", "classes": path}}

    client, _, _ = made(asked=Named(1), store=tmp_path)
    await client.post("models", params={"name": "names.txt", "kind": "labels"}, content=b"heron\nstork\n")
    answer = await client.delete("models/names.txt")
    assert (answer.status_code, answer.json()["kind"]) == (409, "refused")
    (told,) = (await client.get("models")).json()["models"]
    assert told["used"] == "names of what detects"


class Loads(FakeNode):
    """Takes its time, and makes nothing of what it was told before it is ``ready``."""

    ready = False

    async def became(self, number: int) -> Became:
        return Became(done=self.ready, failed="is not usable" if self.ready else "")


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [("PUT", "model", {}), ("POST", "shadow", {}), ("POST", "canary", {"cameras": ["camera_1"]})],
)
async def test_a_file_that_is_just_being_loaded_is_not_deleted(
    made: Any, tmp_path: Path, method: str, path: str, more: dict[str, Any]
) -> None:
    node = Loads(2)
    client, _, _ = made(asked=node, store=tmp_path)
    await client.post("models", params={"name": "new.onnx"}, content=BUNDLED.read_bytes())
    begun = await client.request(method, path, json={"upload": "new.onnx", **more})
    assert begun.status_code == 202
    answer = await client.delete("models/new.onnx")
    assert (answer.status_code, answer.json()["kind"]) == (409, "refused")
    assert "about to be used" in answer.json()["detail"]
    node.ready = True
    assert (await client.delete("models/new.onnx")).status_code == 204


def with_weights_elsewhere(place: str) -> bytes:
    """A model that wants its weights read from a file."""
    weights = onnx.TensorProto(
        name="w", data_type=onnx.TensorProto.FLOAT, dims=[4], data_location=onnx.TensorProto.EXTERNAL
    )
    for key, value in (("location", place), ("offset", "0"), ("length", "16")):
        weights.external_data.add(key=key, value=value)
    made = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in ("x", "y")]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g", made[:1], made[1:], [weights]
    )
    return bytes(onnx.helper.make_model(graph).SerializeToString())


async def test_a_model_reads_no_file_beside_it_or_elsewhere(made: Any, tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("secret" * 10)
    client, _, _ = made(store=tmp_path)
    for place in (
        "../../secrets.json",
        str(tmp_path / "secrets.json"),
        "../../no-such-file",
        "/etc/passwd",
    ):
        answer = await client.post(
            "models", params={"name": "new.onnx"}, content=with_weights_elsewhere(place)
        )
        assert answer.status_code == 422
        assert str(tmp_path) not in answer.text
    assert not list((tmp_path / "uploads").iterdir())


def test_whatever_reads_a_file_is_ended_before_whatever_sees() -> None:
    script = (
        "from vedette.web.api.probe import _give_up as g; g(); print(open('/proc/self/oom_score_adj').read())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1000"
