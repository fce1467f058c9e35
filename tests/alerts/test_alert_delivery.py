"""Messages reach a real receiver; one that fails, hangs or is gone hurts nobody, and no address is shown."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from alerts.webhook import Webhook, until
from patience import PATIENCE_S
from vedette.alerts.deliver import WAITING_AT_MOST, Deliverer, send_test
from vedette.alerts.message import Message, Severity
from vedette.alerts.service import AlertService
from vedette.alerts.settings import AlertSettings
from vedette.causes import Blame, Cause, Kind
from vedette.facts import CameraAdded, Gap, GapClosed, GapOpened, Trouble
from vedette.testing import ManualClock


def message(title: str = "gate is down", severity: str = "warning", *, resolved: bool = False) -> Message:
    return Message(
        key="down/gate",
        severity=Severity(severity),
        title=title,
        body="Since noon.",
        cameras=("gate",),
        began=0.0,
        ended=1.0 if resolved else None,
        resolved=resolved,
    )


@contextmanager
def delivering(*to: Any, **more: Any) -> Iterator[tuple[Deliverer, list[Trouble]]]:
    told: list[Trouble] = []
    deliverer = Deliverer(AlertSettings(to=to), told.append, **({"retry_first_s": 0.05} | more))
    deliverer.start()
    try:
        yield deliverer, told
    finally:
        deliverer.close(within_s=0.2)


def test_a_webhook_gets_title_message_and_type() -> None:
    with Webhook() as hook, delivering(hook.url) as (deliverer, told):
        deliverer.put(message())
        deliverer.put(message("no detector", "critical"))
        deliverer.put(message("coverage", "info"))
        deliverer.put(message("gate is back", resolved=True))
        until(lambda: len(hook.got) == 4)
        assert [body["type"] for body in hook.got] == ["warning", "failure", "info", "success"]
        assert hook.got[0]["title"] == "gate is down"
        assert hook.got[0]["message"] == "Since noon."
        assert told == []


def test_a_target_is_told_only_of_what_is_severe_enough() -> None:
    with Webhook() as pager, Webhook() as mail:
        to = ({"url": pager.url, "name": "pager", "least": "critical"}, {"url": mail.url, "name": "mail"})
        with delivering(*to) as (deliverer, _):
            deliverer.put(message("small"))
            deliverer.put(message("large", "critical"))
            until(lambda: len(mail.got) == 2 and len(pager.got) == 1)
            assert pager.titles == ["large"]
            until(lambda: deliverer.delivered["mail"].sent == 2)
            assert deliverer.delivered["pager"].put == 1


def test_a_receiver_that_fails_is_tried_again_and_told_of_once() -> None:
    with Webhook() as hook, delivering(hook.url) as (deliverer, told):
        hook.status = 500
        deliverer.put(message("first"))
        deliverer.put(message("second"))
        until(lambda: hook.tries >= 4)
        hook.status = 200
        until(lambda: len(hook.got) == 2)
        assert hook.titles == ["first", "second"]
        (trouble,) = told
        assert trouble.where == "alerts target 1 (json)"
        assert "status 500" in trouble.message
        assert "127.0.0.1" not in trouble.message


def test_a_receiver_that_is_gone_gets_its_messages_when_it_is_back() -> None:
    with Webhook() as gone:
        port = gone.port
    with delivering(f"json://127.0.0.1:{port}/alerts") as (deliverer, told):
        deliverer.put(message())
        until(lambda: len(told) == 1)
        assert "no connection" in told[0].message
        with Webhook(port) as hook:
            until(lambda: hook.titles == ["gate is down"])


def test_a_receiver_that_hangs_holds_up_neither_others_nor_the_end() -> None:
    with Webhook() as stuck, Webhook() as fine, delivering(stuck.url, fine.url) as (deliverer, told):
        stuck.gate.clear()
        for number in range(5):
            deliverer.put(message(str(number)))
        until(lambda: deliverer.delivered["target 2 (json)"].sent == 5 and stuck.tries >= 1)
        assert len(fine.got) == 5
        began = time.monotonic()
        deliverer.close(within_s=0.5)
        assert time.monotonic() - began < PATIENCE_S / 2
        assert [trouble.message for trouble in told] == [
            "target 1 (json): 5 messages were not delivered before the end"
        ]
        delivered = deliverer.delivered["target 1 (json)"]
        assert delivered.put == delivered.sent + delivered.dropped + delivered.failed + delivered.waiting


def test_a_message_that_never_arrives_is_given_up_and_the_next_one_says_so() -> None:
    with Webhook() as hook, delivering(hook.url, give_up_after_s=0.2) as (deliverer, _):
        hook.status = 503
        deliverer.put(message("lost"))
        until(lambda: deliverer.delivered["target 1 (json)"].failed == 1)
        hook.status = 200
        deliverer.put(message("arrives"))
        until(lambda: hook.titles == ["arrives"])
        assert "1 earlier messages could not be delivered." in hook.got[0]["message"]


def test_a_full_queue_drops_the_least_severe_first_and_counts_it() -> None:
    with Webhook() as hook, delivering(hook.url) as (deliverer, _):
        hook.gate.clear()
        deliverer.put(message("on its way"))
        until(lambda: hook.tries >= 1)
        for number in range(WAITING_AT_MOST):
            deliverer.put(message(f"info {number}", "info"))
        for number in range(WAITING_AT_MOST):
            deliverer.put(message(f"critical {number}", "critical"))
        deliverer.put(message("warning"))
        delivered = deliverer.delivered["target 1 (json)"]
        assert delivered.dropped == WAITING_AT_MOST + 1
        assert delivered.waiting == WAITING_AT_MOST + 1
        hook.gate.set()
        until(lambda: len(hook.got) == WAITING_AT_MOST + 1)
        assert all(title.startswith("critical") for title in hook.titles[1:])


def test_what_waits_at_the_end_is_delivered() -> None:
    with Webhook() as hook, delivering(hook.url) as (deliverer, told):
        for number in range(20):
            deliverer.put(message(str(number)))
        deliverer.close(within_s=PATIENCE_S)
        assert len(hook.got) == 20
        deliverer.put(message("too late"))
        assert told == []
        delivered = deliverer.delivered["target 1 (json)"]
        assert (delivered.sent, delivered.dropped) == (20, 1)


def test_no_address_or_password_is_logged_or_told(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(1)
    with Webhook() as hook:
        url = f"json://vip:hunter2@127.0.0.1:{hook.port}/secret-path?token=tok123&+X-Key=key456"
        with delivering(url) as (deliverer, told):
            hook.status = 401
            deliverer.put(message())
            until(lambda: len(told) == 1)
            hook.status = 200
            until(lambda: len(hook.got) == 1)
        settings = AlertSettings(to=(url,))
        hook.status = 500
        shown = [repr(settings), str(settings), repr(send_test(settings)), repr(told), caplog.text]
        shown += [repr(deliverer.delivered), "".join(capfd.readouterr())]
        shown += [record.getMessage() for record in caplog.records]
        shown += [thread.name for thread in threading.enumerate()]
    for text in shown:
        for secret in ("vip", "hunter2", "secret-path", "tok123", "key456"):
            assert secret not in text


def test_logs_of_others_pass_while_we_send(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Webhook() as hook, delivering(hook.url) as (deliverer, _):
        hook.gate.clear()
        deliverer.put(message())
        until(lambda: hook.tries >= 1)
        logging.getLogger("apprise").warning("of somebody else")
        hook.gate.set()
    assert "of somebody else" in caplog.text


def test_a_test_message_says_of_each_target_whether_it_arrived() -> None:
    with Webhook() as works, Webhook() as fails:
        fails.status = 404
        settings = AlertSettings(
            to=({"url": works.url, "name": "mail", "least": "critical"}, fails.url)  # type: ignore[arg-type]
        )
        assert send_test(settings) == [
            ("mail", True, "delivered"),
            ("target 2 (json)", False, "it answers with status 404"),
        ]
        assert works.titles == ["Vedette: a test"]


def gap_of(clock: ManualClock) -> Gap:
    return Gap(
        id="1",
        camera="gate",
        kind=Kind.BLIND,
        start=round(clock.wall() * 1e6),
        cause=Cause.STALLED,
        blame=Blame.CAMERA,
    )


def as_time_passes(clock: ManualClock, condition: Callable[[], bool], step_s: float = 2.0) -> None:
    def moved() -> bool:
        clock.advance(step_s)
        return condition()

    until(moved)


def test_the_service_tells_of_facts_through_webhooks() -> None:
    clock = ManualClock()
    said: list[Message] = []
    told: list[Trouble] = []
    with Webhook() as hook:
        service = AlertService(
            AlertSettings(to=(hook.url,), zone="UTC"),  # type: ignore[arg-type]
            tell=told.append,
            on_message=said.append,
            clock=clock,
            tick_s=0.01,
        )
        service.start()
        gap = gap_of(clock)
        service.put(GapOpened(at=clock.now, gap=gap))
        as_time_passes(clock, lambda: hook.titles == ["gate is down: connected, but nothing comes"])
        service.put(GapClosed(at=clock.now, gap=gap))
        as_time_passes(clock, lambda: len(hook.got) == 2)
        service.close()
    assert [message.resolved for message in said] == [False, True]
    assert told == []


def test_a_coverage_that_raises_is_told_of_once_and_breaks_nothing() -> None:
    clock = ManualClock()
    told: list[Trouble] = []
    asked: list[str] = []

    def coverage(camera: str, seconds: float) -> float:
        asked.append(camera)
        raise OSError("database at postgresql://me:pw@db is gone")

    service = AlertService(AlertSettings(), tell=told.append, coverage=coverage, clock=clock, tick_s=0.01)
    service.start()
    service.put(CameraAdded(at=clock.now, camera="gate", host="h"))
    as_time_passes(clock, lambda: len(asked) >= 3, step_s=600)
    service.close()
    (trouble,) = told
    assert trouble.message == "coverage of gate is not known: OSError"
    assert service.failed == 0


def test_a_service_that_was_never_started_can_be_closed() -> None:
    AlertService(AlertSettings(), tell=lambda _: None).close()


ENDS_WHILE_IT_SENDS = """
import sys, time
from vedette.alerts.deliver import Deliverer
from vedette.alerts.message import Message, Severity
from vedette.alerts.settings import AlertSettings

deliverer = Deliverer(AlertSettings(to=(sys.argv[1],)), lambda trouble: print(trouble.message))
deliverer.start()
deliverer.put(
    Message(
        key="k", severity=Severity.INFO, title="t", body="b", cameras=(),
        began=0.0, ended=None, resolved=False,
    )
)
time.sleep(0.5)
deliverer.close(0.2)
"""


def test_a_receiver_that_hangs_does_not_keep_the_process_from_ending() -> None:
    with Webhook() as hook:
        hook.gate.clear()
        began = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-c", ENDS_WHILE_IT_SENDS, hook.url],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        assert time.monotonic() - began < PATIENCE_S / 2
    assert "1 messages were not delivered" in ran.stdout
    assert ran.stderr == ""
