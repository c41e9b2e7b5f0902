"""Small inputs that hold every kind of row."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bulk_fakes import FakeScorer
from bulk_helpers import text_of

from affekt.bulk import JobOptions, Summary, predict_files


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """These tests stop and kill processes, not machines: what is not synced yet is still there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("affekt.files.fsync_file", lambda _: None)
        patch.setattr("affekt.files.fsync_folder", lambda _: None)
        yield


@pytest.fixture
def scorer() -> FakeScorer:
    return FakeScorer()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """240 rows of csv: repeated texts, quoted line ends, missing texts, formulas."""
    path = tmp_path / "in.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "stars"])
        writer.writerows([number, text_of(number), "=1+1" if number == 3 else number % 5] for number in range(240))
    return path


@pytest.fixture
def run(scorer: FakeScorer) -> Callable[..., Summary]:
    """A job over small shards."""

    def start(inputs: Any, out: Path, *, restart: bool = False, **options: Any) -> Summary:
        chosen = JobOptions.of(**{"shard_rows": 50, **options})
        return predict_files(inputs, out, scorer, chosen, restart=restart)

    return start
