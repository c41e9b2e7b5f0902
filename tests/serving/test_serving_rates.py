"""Rate limits: a burst, then so many a second, for each client on its own, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from affekt.serving.rates import RateLimiter


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(2.0, 3, 10, clock)
    assert [limiter.take("a") for _ in range(4)] == [0, 0, 0, 1]
    clock.now += 0.5
    assert [limiter.take("a"), limiter.take("a")] == [0, 1]
    clock.now += 100
    assert [limiter.take("a") for _ in range(4)] == [0, 0, 0, 1]


def test_clients_do_not_share() -> None:
    limiter = RateLimiter(1.0, 1, 10, Clock())
    assert [limiter.take("a"), limiter.take("b"), limiter.take("a")] == [0, 0, 1]


def test_the_wait_is_the_time_until_the_next_is_let_in() -> None:
    clock = Clock()
    limiter = RateLimiter(0.1, 1, 10, clock)
    limiter.take("a")
    wait = limiter.take("a")
    assert wait == 10
    clock.now += wait
    assert limiter.take("a") == 0


def test_no_rate_no_limit() -> None:
    limiter = RateLimiter(0.0, 1, 10, Clock())
    assert not any(limiter.take("a") for _ in range(1000))
    assert len(limiter) == 0


def test_the_table_is_bounded_and_forgets_who_was_away_longest() -> None:
    limiter = RateLimiter(0.001, 1, 3, Clock())
    for name in "abcd":
        limiter.take(name)
    assert len(limiter) == 3
    assert limiter.take("b") > 0
    assert limiter.take("a") == 0


@given(st.lists(st.floats(0.0, 5.0), max_size=60), st.floats(0.1, 10.0), st.integers(1, 10))
def test_never_more_than_burst_and_rate_allow(gaps: list[float], rate: float, burst: int) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, burst, 10, clock)
    allowed = 0
    for gap in gaps:
        clock.now += gap
        allowed += not limiter.take("a")
    assert allowed <= burst + rate * sum(gaps) + 1e-6
