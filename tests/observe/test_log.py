"""Logs go to standard error and hold no credentials."""

from __future__ import annotations

import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from vedette.observe.log import configure_logging, redact_values

URL = "rtsp://me:hunter2@192.0.2.1/x?token=hunter2"


def fail() -> None:
    raise OSError(f"cannot open {URL}")


@pytest.fixture(autouse=True)
def _unconfigured() -> object:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False])
def test_credentials_are_taken_out_wherever_they_are(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    configure_logging("info", json=as_json)
    log = structlog.get_logger().bind(source=URL)
    try:
        fail()
    except OSError as error:
        log.error(f"broke on {URL}", error=error, deep=[{"url": (URL, {URL: {URL}})}], exc_info=True)
    log.info("signed in", password="hunter2", auth_token="hunter2", raw=URL.encode())
    out, err = capsys.readouterr()
    assert out == ""
    assert "hunter2" not in err
    assert err.count("192.0.2.1") >= 5


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", json=True)
    structlog.get_logger().warning("stalled", camera="gate", seconds=3.5, ids=[1, None])
    event = json.loads(capsys.readouterr().err)
    assert event["event"] == "stalled"
    assert (event["level"], event["camera"], event["seconds"], event["ids"]) == (
        "warning",
        "gate",
        3.5,
        [1, None],
    )
    assert event["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert "quiet" not in capsys.readouterr().err
    with pytest.raises(ValueError, match="log level"):
        configure_logging("chatty")


def test_a_value_that_contains_itself_ends() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert "…" in repr(redact_values(None, "info", {"loop": loop}))


VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary() | st.just(URL),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just(URL), inner),
    max_leaves=10,
)


@given(event=st.dictionaries(st.text() | st.just(URL), VALUES))
def test_no_shape_of_a_value_hides_a_credential(event: dict[str, object]) -> None:
    assert "hunter2" not in repr(redact_values(None, "info", event))
