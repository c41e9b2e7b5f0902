import io
import time

import pytest

from affekt.bulk.progress import EVERY_ELSEWHERE, EVERY_TERMINAL, Progress, duration


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_rows_per_second_and_time_left() -> None:
    clock = Clock()
    progress = Progress(None, clock=clock)
    progress.start(0, 0.0)
    assert progress.line() == "0 rows, 0 rows/s, 0.0%, time left not known yet"
    clock.now = 10
    progress.update(20_000, 0.25)
    assert progress.line() == "20,000 rows, 2,000 rows/s, 25.0%, 30 s left"


def test_what_an_earlier_run_did_does_not_count_into_the_rate() -> None:
    clock = Clock()
    progress = Progress(None, clock=clock)
    progress.start(1_000_000, 0.5)
    clock.now = 100
    progress.update(1_100_000, 0.55)
    assert progress.line() == "1,100,000 rows, 1,000 rows/s, 55.0%, 15 min left"


def test_joining_is_not_reported_as_nothing_left_to_do() -> None:
    progress = Progress(None)
    progress.update(20_000, 1.0)
    progress.finishing("joining 2 shards")
    assert progress.line() == "20,000 rows, joining 2 shards"


def test_progress_never_goes_back() -> None:
    progress = Progress(None)
    progress.update(5, 0.5)
    progress.update(6, 0.4)
    assert "50.0%" in progress.line()


def test_a_line_a_minute_where_nobody_watches_and_a_rewritten_one_where_somebody_does() -> None:
    plain, watched = io.StringIO(), Terminal()
    assert (Progress(plain)._every, Progress(watched)._every) == (EVERY_ELSEWHERE, EVERY_TERMINAL) == (60.0, 1.0)
    Progress(plain).show()
    Progress(watched).show()
    assert plain.getvalue().endswith("\n")
    assert watched.getvalue().startswith("\r")
    assert not watched.getvalue().endswith("\n")


def test_lines_come_while_nothing_else_happens() -> None:
    stream = io.StringIO()
    with Progress(stream, every=0.01):
        until = time.monotonic() + 5
        while stream.getvalue().count("\n") < 3 and time.monotonic() < until:
            time.sleep(0.01)
    assert stream.getvalue().count("rows/s") >= 3
    count = stream.getvalue().count("\n")
    time.sleep(0.05)
    assert stream.getvalue().count("\n") == count


def test_a_sentence_stands_in_a_line_of_its_own() -> None:
    stream = io.StringIO()
    Progress(stream).say("Going on.")
    assert stream.getvalue() == "Going on.\n"


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(None) as progress:
        progress.say("nothing")
        progress.show()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (7100, "118 min"), (7300, "2 h 02 min"), (400_000, "111 h 07 min")],
)
def test_durations_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
