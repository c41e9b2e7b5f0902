from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from affekt.bulk.recall import Generation, Recall, digest, window


def generation(*texts: str) -> Generation:
    scores = np.array([[len(text), ord(text[0])] for text in texts], dtype=np.float32).reshape(len(texts), 2)
    return Generation([digest(text) for text in texts], scores)


def known(recall: Recall, *texts: str) -> list[bool]:
    place = {digest(text): row for row, text in enumerate(texts)}
    unknown = set(recall.fill(place, np.zeros((len(texts), 2), dtype=np.float32)))
    return [row not in unknown for row in range(len(texts))]


def test_what_was_added_is_known_with_its_scores() -> None:
    recall = Recall(10)
    recall.add(generation("a", "bb"))
    scores = np.zeros((2, 2), dtype=np.float32)
    assert recall.fill({digest("bb"): 0, digest("c"): 1}, scores) == [1]
    assert scores.tolist() == [[2, 98], [0, 0]]


def test_the_oldest_shards_are_forgotten_as_a_whole() -> None:
    recall = Recall(4)
    recall.add(generation("a", "b"))
    recall.add(generation("c", "d"))
    assert known(recall, "a", "b", "c", "d") == [True] * 4
    recall.add(generation("e"))
    assert known(recall, "a", "b", "c", "d", "e") == [False, False, True, True, True]
    assert len(recall) == 3


def test_a_text_that_came_again_stays() -> None:
    recall = Recall(3)
    recall.add(generation("a", "b"))
    recall.add(generation("a"))
    recall.add(generation("c"))
    assert known(recall, "a", "b", "c") == [True, False, True]


def test_a_shard_larger_than_the_memory_leaves_nothing() -> None:
    recall = Recall(2)
    recall.add(generation("a", "b", "c"))
    assert known(recall, "a") == [False]
    assert len(recall) == 0


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4), max_size=12), st.integers(1, 9))
def test_a_memory_read_back_is_the_memory_that_was(shards: list[list[str]], bound: int) -> None:
    """What is kept on disk is the last ``window`` shards; together they must remember exactly as much."""
    straight = Recall(bound)
    for shard in shards:
        straight.add(generation(*shard))
    kept = window([len(shard) for shard in reversed(shards)], bound)
    again = Recall(bound)
    for shard in shards[len(shards) - kept :]:
        again.add(generation(*shard))
    assert known(straight, *"abcdefgh") == known(again, *"abcdefgh")
    assert len(straight) == len(again) <= bound


def test_a_share_is_written_and_read_to_the_bit(tmp_path: Path) -> None:
    made = generation("a", "bb", "ccc")
    made.scores[0, 0] = np.float32(1) / 3
    made.save(tmp_path / "share")
    read = Generation.load(tmp_path / "share", 3)
    assert read.keys == made.keys
    assert read.scores.tobytes() == made.scores.tobytes()
    assert (tmp_path / "share").stat().st_size == 3 * (16 + 2 * 4)


def test_an_empty_share_is_written_and_read(tmp_path: Path) -> None:
    generation().save(tmp_path / "share")
    assert Generation.load(tmp_path / "share", 0).keys == []
