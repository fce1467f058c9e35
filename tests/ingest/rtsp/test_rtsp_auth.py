from __future__ import annotations

import hashlib
import re

import pytest

from vedette.ingest.rtsp.auth import Authenticator, Credentials, same_host, split_credentials

MUFASA = Credentials("Mufasa", "Circle Of Life")


@pytest.mark.parametrize(
    ("url", "bare", "user", "password"),
    [
        ("rtsp://me:pw@host:8554/a", "rtsp://host:8554/a", "me", "pw"),
        ("rtsp://me:p%40s%3As%2F@host/a", "rtsp://host/a", "me", "p@s:s/"),
        ("rtsp://me:p@ss@host/a?x=1@2", "rtsp://host/a?x=1@2", "me", "p@ss"),
        ("rtsp://me@host", "rtsp://host", "me", ""),
    ],
)
def test_credentials_are_taken_out_of_the_url(url: str, bare: str, user: str, password: str) -> None:
    assert split_credentials(url) == (bare, Credentials(user, password))


def test_a_url_without_credentials_stays_as_it_is() -> None:
    assert split_credentials("rtsp://host/a@b") == ("rtsp://host/a@b", None)


def test_sends_no_credentials_when_not_challenged() -> None:
    assert Authenticator(MUFASA).header("DESCRIBE", "rtsp://host/") is None


def test_has_no_answer_without_credentials() -> None:
    nobody = Authenticator(None)
    assert not nobody.challenged(['Basic realm="x"'])
    assert nobody.header("DESCRIBE", "rtsp://host/") is None


def test_basic_is_answered() -> None:
    one = Authenticator(Credentials("Aladdin", "open sesame"))
    assert one.challenged(['Basic realm="WallyWorld"'])
    assert one.header("DESCRIBE", "rtsp://host/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_digest_without_qop_gives_the_known_answer() -> None:
    # RFC 2617's parameters, with the answer that RFC 2069 defines for them.
    one = Authenticator(MUFASA)
    assert one.challenged(
        ['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c"']
    )
    header = one.header("GET", "/dir/index.html")
    assert header is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header
    assert 'opaque="5ccc069c"' in header


@pytest.mark.parametrize(("algorithm", "function"), [("MD5", hashlib.md5), ("SHA-256", hashlib.sha256)])
def test_digest_with_qop_counts_its_requests(algorithm: str, function: object) -> None:
    def digest(text: str) -> str:
        return str(function(text.encode()).hexdigest())  # type: ignore[operator]

    one = Authenticator(MUFASA)
    assert one.challenged([f'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm={algorithm}'])
    for count in ("00000001", "00000002"):
        header = one.header("SETUP", "rtsp://h/1") or ""
        values = dict(re.findall(r'(\w+)="?([^",]*)"?', header))
        secret, what = digest("Mufasa:r:Circle Of Life"), digest("SETUP:rtsp://h/1")
        assert values["nc"] == count
        assert values["response"] == digest(f"{secret}:n:{count}:{values['cnonce']}:auth:{what}")


def test_the_strongest_of_several_challenges_is_answered() -> None:
    one = Authenticator(MUFASA)
    one.challenged(
        ['Basic realm="r"', 'Digest realm="r", nonce="a"', 'Digest realm="r", nonce="b", algorithm=SHA-256']
    )
    assert 'nonce="b"' in (one.header("PLAY", "rtsp://h/") or "")
    joined = Authenticator(MUFASA)
    joined.challenged(['Basic realm="r", Digest realm="r", nonce="a", algorithm="MD5"'])
    assert (joined.header("PLAY", "rtsp://h/") or "").startswith("Digest")


def test_an_unknown_algorithm_is_left_to_others() -> None:
    one = Authenticator(MUFASA)
    assert not one.challenged(['Digest realm="r", nonce="n", algorithm=SHA-512-256'])
    assert one.challenged(['Digest realm="r", nonce="n", algorithm=SHA-512-256', 'Basic realm="r"'])


def test_a_stale_nonce_is_worth_another_attempt_and_a_wrong_password_is_not() -> None:
    one = Authenticator(MUFASA)
    assert one.challenged(['Digest realm="r", nonce="1"'])
    assert not one.challenged(['Digest realm="r", nonce="2"'])
    assert one.challenged(['Digest realm="r", nonce="3", stale=true'])
    one.header("PLAY", "rtsp://h/")
    one.accepted()
    assert one.challenged(['Digest realm="r", nonce="4"'])


def test_credentials_show_nothing() -> None:
    assert "Circle" not in repr(MUFASA)


def test_credentials_follow_a_redirect_only_to_the_same_host_and_never_into_the_clear() -> None:
    assert same_host("rtsp://a:554/x", "rtsp://a:8554/y")
    assert same_host("rtsp://a/x", "rtsps://a/x")
    assert not same_host("rtsp://a/x", "rtsp://b/x")
    assert not same_host("rtsps://a/x", "rtsp://a/x")
