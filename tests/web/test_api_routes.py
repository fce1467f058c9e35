"""The API beside a node that is none: what is answered, refused, ordered and written down."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from fake_node import FakeNode
from vedette.control.protocol import Became, NodeRefusedError
from vedette.errors import LedgerError
from vedette.web.settings import WebSettings


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert {"type", "title", "detail", "kind"} <= told.keys()
    return told


# ---- how it is


async def test_the_status_counts_cameras_and_tells_what_is_wrong(ask: httpx.AsyncClient) -> None:
    told = (await ask.get("status")).json()

    assert told["answers"]
    counts = dict(told["cameras"])
    assert counts.pop("total") == 8 == sum(counts.values())
    assert told["problems_total"] >= counts["blind"]
    assert told["blind_s_today"] is None


async def test_a_node_that_is_away_has_a_status_and_no_cameras(
    ask: httpx.AsyncClient, node: FakeNode
) -> None:
    node.gone = True

    told = (await ask.get("status")).json()
    assert not told["answers"]
    assert told["problems"][0]["kind"] == "node"
    answer = await ask.get("cameras")
    assert answer.status_code == 503
    assert problem(answer)["kind"] == "node-away"
    assert answer.headers["retry-after"]


async def test_lives_and_is_ready_only_with_its_node(made: Any, node: FakeNode) -> None:
    client, _, _ = made()
    node.gone = True

    assert (await client.get("http://node/livez")).status_code == 200
    assert (await client.get("http://node/readyz")).status_code == 503
    node.gone = False
    assert (await client.get("http://node/healthz")).status_code == 200


# ---- cameras


async def test_cameras_are_filtered_sorted_and_cut(ask: httpx.AsyncClient) -> None:
    everything = (await ask.get("cameras")).json()
    blind = (await ask.get("cameras", params={"health": "blind"})).json()
    aged = (await ask.get("cameras", params={"sort": "age", "limit": 3})).json()

    assert everything["total"] == everything["found"] == 8
    assert {each["health"] for each in blind["cameras"]} == {"blind"}
    ages = [each["age_ms"]["p99"] for each in aged["cameras"]]
    assert len(ages) == 3
    assert ages == sorted(ages, reverse=True)
    assert (await ask.get("cameras", params={"q": "camera_7"})).json()["found"] == 1


async def test_what_was_not_changed_is_not_sent_again(ask: httpx.AsyncClient) -> None:
    first = await ask.get("cameras")
    again = await ask.get("cameras", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 304
    assert not again.content


async def test_answers_to_other_machines_are_compressed(made: Any, node: FakeNode) -> None:
    _, app, _ = made()
    transport = httpx.ASGITransport(app=app, client=("10.0.0.9", 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://node/api/v1/") as far:
        answer = await far.get("cameras", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json()["total"] == 8


async def test_one_camera_is_told_whole(ask: httpx.AsyncClient) -> None:
    told = (await ask.get("cameras/camera_1")).json()

    assert told["stages_ms"]["infer"]["p50"] == 1
    assert told["settings"]["url"] == "rtsp://host/camera_1"
    assert problem(await ask.get("cameras/nobody"))["kind"] == "not-found"


async def test_what_the_ledger_has_open_says_since_when_and_why(made: Any, written: str) -> None:
    client, _, _ = made(ledger=written)
    node_says = (await client.get("cameras/camera_1")).json()

    assert node_says["health"] == "blind"
    assert node_says["cause"] == "unreachable"
    assert node_says["since"] is not None
    told = (await client.get("status")).json()
    kinds = [each["kind"] for each in told["problems"]]
    assert kinds[0] == "incident"
    assert told["blind_s_today"] > 0


@pytest.mark.parametrize(("what", "kind"), [("pause", "pause"), ("resume", "resume"), ("restart", "restart")])
async def test_operators_pause_resume_and_restart(made: Any, node: FakeNode, what: str, kind: str) -> None:
    client, _, guard = made()
    guard.role = "operator"

    answer = await client.post(f"cameras/camera_1/{what}")

    assert answer.status_code == 200
    assert answer.json()["done"]
    assert (node.orders[-1].kind, node.orders[-1].what) == (kind, "camera_1")
    assert guard.audited == [(kind, "camera_1", "done")]


async def test_the_reason_of_a_pause_is_handed_on(ask: httpx.AsyncClient, node: FakeNode) -> None:
    await ask.post("cameras/camera_2/pause", json={"why": "the lens is being cleaned"})

    assert node.orders[-1].why == "the lens is being cleaned"
    assert (await ask.get("cameras/camera_2")).json()["health"] == "paused"


async def test_an_added_camera_has_an_address(ask: httpx.AsyncClient, node: FakeNode) -> None:
    answer = await ask.post("cameras", json={"name": "gate", "url": "rtsp://10.0.0.5/1", "max_fps": 5})

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/cameras/gate"
    assert node.orders[-1].settings == {"url": "rtsp://10.0.0.5/1", "max_fps": 5}
    again = await ask.post("cameras", json={"name": "gate", "url": "rtsp://10.0.0.5/1"})
    assert problem(again)["kind"] == "exists"


async def test_takes_cameras_as_deepstream_does(ask: httpx.AsyncClient, node: FakeNode) -> None:
    body = {"camera_id": "7", "camera_name": "Front Door", "camera_url": "rtsp://10.0.0.7/live"}
    answer = await ask.post("cameras", json=body)

    assert answer.status_code == 201
    assert node.orders[-1].what == "front_door"


async def test_camera_urls_over_http_do_not_follow_redirects(ask: httpx.AsyncClient, node: FakeNode) -> None:
    await ask.post("cameras", json={"name": "web", "url": "http://10.0.0.7/live.mjpg"})

    assert node.orders[-1].settings["options"] == {"max_redirects": "0"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "gate"},
        {"name": "Gate!", "url": "rtsp://10.0.0.5/1"},
        {"name": "gate", "url": "rtsp://10.0.0.5/1", "colour": "red"},
        {"name": "gate", "url": "/etc/passwd"},
        {"name": "gate", "url": "file:///etc/passwd"},
        {"name": "gate", "url": "http://169.254.169.254/latest/meta-data"},
        {"name": "gate", "url": "rtsp://***@10.0.0.5/1"},
        {"name": "gate", "url": "rtsp://10.0.0.5/1", "options": {"protocol_whitelist": "file"}},
        {"name": "gate", "url": "rtsp://10.0.0.5/1", "every_frame": True},
        {"name": "gate", "url": "rtsp://10.0.0.5/1", "stall_after": "soon"},
        {"name": "gate", "url": "rtsp://" + "x" * 3000},
        [1],
        "gate",
    ],
)
async def test_refuses_cameras_that_are_wrong(ask: httpx.AsyncClient, node: FakeNode, body: object) -> None:
    answer = await ask.post("cameras", json=body)

    assert answer.status_code == 422
    assert problem(answer)["kind"] == "invalid"
    assert not node.orders


async def test_no_message_repeats_a_password(ask: httpx.AsyncClient) -> None:
    answer = await ask.post("cameras", json={"name": "gate", "url": "rtsp://me:s3cret@[broken"})

    assert answer.status_code == 422
    assert "s3cret" not in answer.text


async def test_local_sources_are_taken_where_that_is_allowed(
    made: Any, node: FakeNode, tmp_path: Path
) -> None:
    client, _, _ = made(WebSettings(local_sources=True))
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")

    answer = await client.post("cameras", json={"name": "clip", "url": str(clip), "every_frame": True})
    assert answer.status_code == 201


async def test_a_change_says_only_what_is_changed(ask: httpx.AsyncClient, node: FakeNode) -> None:
    assert (await ask.patch("cameras/camera_1", json={"site": "yard"})).status_code == 200
    assert node.orders[-1].settings == {"site": "yard"}
    assert (await ask.patch("cameras/camera_1", json={})).status_code == 422
    assert (await ask.delete("cameras/camera_1")).status_code == 200
    assert (await ask.get("cameras/camera_1")).status_code == 404


async def test_what_the_node_refuses_is_told_in_its_words(made: Any, node: FakeNode) -> None:
    client, _, guard = made()
    node.refuses = "the last camera stays"

    answer = await client.delete("cameras/camera_1")

    assert answer.status_code == 409
    assert problem(answer)["detail"] == "the last camera stays"
    assert guard.audited[0][2].startswith("refused")


async def test_what_takes_longer_is_asked_for_again(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(FakeNode):
        became_now = Became(done=False, words="is being loaded")

        async def became(self, number: int) -> Became:
            await super().became(number)
            return self.became_now

    slow = Slow(2)
    client, _, guard = made(asked=slow)
    monkeypatch.setattr("vedette.web.api.models.WAIT_S", 0.0)

    answer = await client.put("model", json={"file": "/models/new.onnx"})
    assert answer.status_code == 202
    where = answer.headers["location"]
    assert (await client.get(f"http://node{where}")).json()["words"] == "is being loaded"
    assert guard.audited == [("model", "/models/new.onnx", "begun")]
    slow.became_now = Became(done=True, failed="it is no model")
    answer = await client.put("model", json={"file": "/models/new.onnx"})
    assert problem(answer)["kind"] == "not-done"
    slow.became_now = Became(done=True, unkept="it is done, but not kept: the disk is full")
    answer = await client.put("model", json={"file": "/models/new.onnx"})
    assert (answer.status_code, problem(answer)["kind"]) == (507, "not-kept")
    assert problem(answer)["detail"] == "it is done, but not kept: the disk is full"
    assert guard.audited[-1][2].startswith("done, but not kept")
    assert problem(await client.get("orders/99"))["kind"] == "not-found"


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("POST", "cameras/camera_1/pause", "viewer"),
        ("DELETE", "cameras/camera_1", "operator"),
        ("PUT", "model", "operator"),
        ("POST", "drift/learn", "viewer"),
        ("POST", "workers/cameras-0/recycle", "reviewer"),
        ("POST", "models?name=a.onnx", "operator"),
        ("DELETE", "shadow", "operator"),
    ],
)
async def test_changes_need_their_role(made: Any, node: FakeNode, method: str, path: str, role: str) -> None:
    client, _, guard = made()
    guard.role = role

    answer = await client.request(method, path)

    assert answer.status_code == 403
    assert not node.orders


# ---- errors


async def test_all_errors_are_problem_details(ask: httpx.AsyncClient) -> None:
    assert problem(await ask.get("nothing/there"))["kind"] == "not-found"
    wrong = await ask.put("cameras", json={})
    assert problem(wrong)["kind"] == "method"
    assert wrong.headers["allow"] == "GET, POST"
    assert problem(await ask.get("cameras", params={"colour": "red"}))["errors"]
    assert problem(await ask.get("gaps"))["kind"] == "no-ledger"
    assert problem(await ask.get("review"))["kind"] == "no-review"
    assert problem(await ask.post("models?name=a.onnx", content=b"x"))["kind"] == "no-store"


async def test_a_mistake_of_ours_is_told_without_its_secrets(made: Any) -> None:
    class Broken(FakeNode):
        async def look(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError("rtsp://me:s3cret@host")

    client, _, _ = made(asked=Broken(2))
    answer = await client.get("pictures", params={"cameras": "camera_1"})

    assert problem(answer)["kind"] == "failed"
    assert "s3cret" not in answer.text


async def test_each_kind_of_problem_has_a_text(ask: httpx.AsyncClient) -> None:
    assert "node" in (await ask.get("problems/node-away")).text
    assert (await ask.get("problems/none")).status_code == 404


# ---- the ledger


async def test_gaps_come_newest_first_and_are_counted(made: Any, written: str) -> None:
    client, _, _ = made(ledger=written)

    told = (await client.get("gaps", params={"limit": 2})).json()
    assert told["total"] == 4
    assert [each["id"] for each in told["gaps"]] == ["g2", "g4"]
    assert (await client.get("gaps", params={"open": "true"})).json()["total"] == 1
    assert (await client.get("gaps", params={"kind": "degraded"})).json()["total"] == 1
    assert (await client.get("gaps", params={"camera": "camera_1"})).json()["total"] == 2
    oldest = (await client.get("gaps", params={"order": "oldest", "offset": 1, "limit": 1})).json()
    assert [each["id"] for each in oldest["gaps"]] == ["g3"]


@pytest.mark.parametrize(
    "query",
    [{"camera": "nope"}, {"cause": "nope"}, {"since": "soon"}, {"since": "1h", "until": "2h"}, {"node": "x"}],
)
async def test_questions_that_make_no_sense_are_told_so(
    made: Any, written: str, query: dict[str, str]
) -> None:
    client, _, _ = made(ledger=written)
    answer = await client.get("gaps", params=query)

    assert answer.status_code == 422
    assert problem(answer)["detail"].startswith(tuple(query))
    assert "--" not in problem(answer)["detail"], "it is no command line that asked"


async def test_gaps_are_exported_as_the_command_line_does(made: Any, written: str) -> None:
    client, _, _ = made(ledger=written)

    as_csv = await client.get("gaps.csv")
    assert as_csv.text.splitlines()[0].startswith("node,camera,kind")
    assert len(as_csv.text.splitlines()) == 5
    assert "attachment" in as_csv.headers["content-disposition"]
    assert len((await client.get("gaps.json", params={"kind": "blind"})).json()) == 2
    picture = await client.get("gaps.svg")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    assert (await client.get("gaps.parquet")).content[:4] == b"PAR1"


async def test_coverage_adds_up(made: Any, written: str) -> None:
    client, _, _ = made(ledger=written)

    rows = (await client.get("coverage", params={"by": "hour"})).json()["coverage"]
    assert {each["camera"] for each in rows} == {"camera_1", "camera_2"}
    for row in rows:
        assert row["seen_s"] + row["blind_s"] == pytest.approx(row["watched_s"])
        assert sum(row["causes"].values()) == pytest.approx(row["blind_s"])
    strips = (await client.get("coverage/strips")).json()
    assert len(strips["shares"]["camera_1"]) == len(strips["edges"]) - 1
    assert 0 < strips["day"]["camera_1"] < 1
    assert strips["day"]["camera_2"] == 1
    assert "stalled" in (strips["names"][each] for each in strips["causes"]["camera_1"] if each >= 0)


async def test_a_timeline_has_all_of_a_camera(made: Any, written: str) -> None:
    client, _, _ = made(ledger=written)
    told = (await client.get("cameras/camera_1/timeline")).json()

    assert [each["id"] for each in told["blind"]] == ["g1", "g2"]
    assert [each["epoch"] for each in told["epochs"]] == [1]
    assert told["watched"][0]["end"] is None
    assert told["incidents"][0]["id"] == "i1"
    assert (await client.get("incidents", params={"open": "true"})).json()["total"] == 1


async def test_a_ledger_that_is_gone_is_a_problem_and_not_a_failure(made: Any, tmp_path: Path) -> None:
    client, _, _ = made(ledger=str(tmp_path / "none.db"))

    assert problem(await client.get("gaps"))["kind"] == "ledger"
    assert (await client.get("status")).json()["answers"]
    assert LedgerError.exit_code == 6


# ---- pictures


async def test_pictures_come_with_their_boxes(ask: httpx.AsyncClient, node: FakeNode) -> None:
    seen = next(each.name for each in node.cameras.values() if each.blind is None)
    told = (await ask.get("pictures", params={"cameras": f"{seen},nobody"})).json()["pictures"]

    assert list(told) == [seen]
    assert told[seen]["boxes"][0]["class_name"] == "person"
    many = ",".join(f"c{number}" for number in range(65))
    assert (await ask.get("pictures", params={"cameras": many})).status_code == 422


async def test_a_snapshot_is_a_jpeg_and_boxes_are_drawn_into_it(
    ask: httpx.AsyncClient, node: FakeNode
) -> None:
    seen = next(each.name for each in node.cameras.values() if each.blind is None)
    plain = await ask.get(f"cameras/{seen}/snapshot.jpg", params={"width": 320})
    drawn = await ask.get(f"cameras/{seen}/snapshot.jpg", params={"width": 320, "boxes": 1})

    assert Image.open(io.BytesIO(plain.content)).size == (320, 180)
    assert Image.open(io.BytesIO(drawn.content)).size == (320, 180)
    assert float(drawn.headers["x-captured-at"]) > 0
    assert plain.content != drawn.content


async def test_says_why_there_is_no_picture(ask: httpx.AsyncClient, node: FakeNode) -> None:
    node.cameras["camera_1"] = replace(node.cameras["camera_1"], blind="unreachable")
    answer = await ask.get("cameras/camera_1/snapshot.jpg")

    assert problem(answer)["kind"] == "no-picture"
    assert "not reachable" in problem(answer)["detail"]


# ---- the rest


async def test_the_rest_of_what_there_is_to_know(ask: httpx.AsyncClient) -> None:
    for path, keys in {
        "workers": {"workers"},
        "system": {"stages", "memory", "machine", "ladder", "bottleneck"},
        "system/history": {"samples"},
        "drift": {"watched", "stages", "cameras"},
        "accuracy": {"cameras", "sites", "validation"},
        "validation": {"runs", "total"},
        "alerts": {"alerts"},
        "model": {"detector", "shadow", "canary"},
        "models": {"models", "largest"},
        "shadow": {"shadow"},
        "canary": {"canary", "words"},
        "happenings": {"happenings", "last", "missed"},
    }.items():
        answer = await ask.get(path)
        assert answer.status_code == 200, answer.text
        assert keys <= answer.json().keys(), path


async def test_orders_of_models_workers_and_drift(ask: httpx.AsyncClient, node: FakeNode) -> None:
    file = {"file": "/models/new.onnx"}
    await ask.post("shadow", json={**file, "share": 0.5, "lasts_s": 60})
    asked = {**file, "cameras": ["gate_*"], "lasts_s": 60, "then": "set", "force": True}
    await ask.post("canary", json=asked)
    await ask.delete("canary")
    await ask.post("workers/inference-0/recycle")
    await ask.post("drift/learn", json={"cameras": ["camera_1", "camera_2"], "keep": True})

    shadow, canary, back, recycled, learnt = node.orders
    assert (shadow.kind, shadow.share, shadow.seconds) == ("shadow", 0.5, 60)
    assert (canary.kind, canary.cameras, canary.then) == ("canary", ("gate_*",), "set")
    assert canary.force
    assert (back.kind, recycled.kind, recycled.what) == ("uncanary", "recycle", "inference-0")
    assert (learnt.kind, learnt.what) == ("learn_more", "camera_1,camera_2")
    assert (await ask.post("workers/nobody/recycle")).status_code == 404
    assert (await ask.put("model", json={"file": "/etc/passwd"})).status_code == 422


async def test_the_configuration_is_yaml(ask: httpx.AsyncClient) -> None:
    answer = await ask.get("config")

    assert answer.headers["content-type"] == "application/yaml"
    assert answer.text.startswith("cameras:")


async def test_a_node_that_cannot_say_something_is_no_failure(made: Any) -> None:
    class Old(FakeNode):
        async def configuration(self) -> dict[str, Any]:
            raise NodeRefusedError("the node refused: this node cannot say that")

    client, _, _ = made(asked=Old(2))

    assert (await client.get("cameras")).status_code == 200
    assert problem(await client.get("config"))["kind"] == "refused"


async def test_many_who_ask_at_once_cost_the_node_one_question(made: Any) -> None:
    class Counting(FakeNode):
        asked = 0

        async def view(self, *, details: bool = False) -> Any:
            self.asked += 1
            await asyncio.sleep(0.01)
            return await super().view(details=details)

    node = Counting(4)
    client, _, _ = made(asked=node)
    answers = await asyncio.gather(*(client.get("cameras") for _ in range(20)))

    assert {msgspec.json.decode(each.content)["total"] for each in answers} == {4}
    assert node.asked == 1
