"""How many passwords somebody can try, in simulated time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vedette.web.who.limit import ADDRESS, NAME, Limits, Rule, network_of

DAY_S = 86_400.0


def guesses(limits: Limits, seconds: float, name: str, address: str, start: float = 0.0) -> int:
    """So many of one who tries as soon as he may."""
    now, tried = start, 0
    while now < start + seconds:
        wait = limits.attempt(name, address, now)
        tried += not wait
        now += wait
    return tried


def test_somebody_who_mistypes_a_few_times_waits_for_nothing() -> None:
    limits = Limits()
    assert all(limits.attempt("ann", "192.0.2.1", float(second)) == 0 for second in range(NAME.free))


def test_one_address_gets_no_more_than_some_dozens_of_guesses_a_day() -> None:
    assert guesses(Limits(), DAY_S, "ann", "192.0.2.1") <= 140


def test_one_name_gets_no_more_than_a_guess_a_minute_however_many_addresses_guess() -> None:
    limits = Limits()
    now, tried = 0.0, 0
    for number in range(3 * 1440):  # every twenty seconds, from another address
        tried += not limits.attempt("ann", f"2001:db8:{number % 5000:x}::1", now)
        now += 20.0
    assert tried <= 1440 + 20


def test_who_logged_in_from_here_before_is_not_kept_out_by_those_who_guess_elsewhere() -> None:
    limits = Limits()
    assert limits.attempt("ann", "192.0.2.1", 0.0) == 0
    limits.passed("ann", "192.0.2.1")
    for number in range(1000):
        limits.attempt("ann", f"198.51.100.{number % 250}", float(number))
    assert limits.attempt("ann", "192.0.2.1", 1000.0) == 0
    assert limits.attempt("ann", "192.0.2.2", 1000.0) > 0


def test_whoever_has_a_password_of_his_own_cannot_guess_anothers_without_end() -> None:
    limits = Limits()
    now, tried = 0.0, 0
    while now < DAY_S:
        if not (wait := limits.attempt("mallory", "192.0.2.1", now)):
            limits.passed("mallory", "192.0.2.1")
        if not (other := limits.attempt(f"victim-{tried}", "192.0.2.1", now)):
            tried += 1
        now += max(wait, other, 0.5)
    assert tried <= 140


def test_a_guesser_with_a_network_of_ipv6_is_one_address() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2:ffff::1")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("testclient") == "testclient"
    limits = Limits()
    tried = sum(not limits.attempt(f"n{number}", f"2001:db8::{number:x}", 0.0) for number in range(1000))
    assert tried == ADDRESS.free


def test_names_that_differ_in_their_letters_size_are_one() -> None:
    limits = Limits()
    tried = [limits.attempt("Ann" if number % 2 else "aNN", f"192.0.2.{number}", 0.0) for number in range(50)]
    assert tried.count(0.0) == NAME.free


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 30), st.floats(0, 500), st.booleans())),
    st.integers(1, 6),
)
def test_it_remembers_no_more_than_it_may(tries: list[tuple[str, int, float, bool]], most: int) -> None:
    limits, now = Limits(most=most), 0.0
    for name, host, later, right in tries:
        now += later
        if not limits.attempt(name, f"192.0.2.{host}", now) and right:
            limits.passed(name, f"192.0.2.{host}")
        assert len(limits) <= most


@given(st.lists(st.floats(0, 1000), max_size=60))
def test_who_waits_as_long_as_he_is_told_may_try_and_not_before(pauses: list[float]) -> None:
    limits, now = Limits(), 0.0
    for pause in pauses:
        now += pause
        wait = limits.attempt("ann", "192.0.2.1", now)
        assert 0 <= wait <= max(NAME.most_s, ADDRESS.most_s)
        if wait:
            assert limits.attempt("ann", "192.0.2.1", now + wait * 0.99) > 0
            now += wait + 1e-6
            assert limits.attempt("ann", "192.0.2.1", now) == 0


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_failures_never_wait_less(one: int, other: int) -> None:
    rule = Rule(free=3, first_s=1.0, most_s=60.0, forget_s=100.0)
    fewer, more = sorted((one, other))
    assert rule.wait(fewer) <= rule.wait(more) <= rule.most_s
