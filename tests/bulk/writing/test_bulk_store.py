import json
import threading
from pathlib import Path

import numpy as np
import pytest
from bulk_helpers import write

from affekt.bulk.reading.formats import Format
from affekt.bulk.reading.pieces import Position
from affekt.bulk.recall import Generation, digest
from affekt.bulk.work import Target
from affekt.bulk.writing.records import ShardRecord, StoredFile
from affekt.bulk.writing.store import Store, is_whole
from affekt.errors import JobError, SettingError

CSV = Format("csv")


def store_of(path: Path) -> Store:
    return Store(Target.of(path, None, CSV))


def committed(store: Store, index: int, texts: list[str], bound: int = 5) -> ShardRecord:
    """A shard with a share of the memory, committed."""
    generation = Generation([digest(text) for text in texts], np.full((len(texts), 2), index, dtype=np.float32))
    data = store.put(store.parts, f"part-{index:06d}.csv", lambda path: path.write_text(f"shard {index}"))
    memory = store.put(store.state / "memory", f"{index:06d}.bin", generation.save)
    at = Position(0, index, index)
    counts = dict.fromkeys(("read", "written", "refused", "kept", "filtered", "none", "header", "neutralised"), 0)
    record = ShardRecord(
        index=index, start=at, end=at, reasons={}, labels={}, scored=0, saved=0, remembered=len(texts), share=0.0,
        data=data, rejects=None, memory=memory if bound else None, seconds={}, **counts,
    )  # fmt: skip
    store.commit(record, bound)
    return record


def shares(store: Store) -> list[str]:
    return sorted(path.stem.lstrip("0") or "0" for path in (store.state / "memory").glob("*.bin"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_of(tmp_path / "out.csv")


def test_the_state_stands_beside_a_file_and_inside_a_folder(tmp_path: Path) -> None:
    assert store_of(tmp_path / "out.csv").state == tmp_path / "out.csv.affekt"
    assert store_of(tmp_path / "out.csv").parts == tmp_path / "out.csv.affekt" / "parts"
    assert store_of(tmp_path / "out").state == tmp_path / "out" / "_affekt"
    assert store_of(tmp_path / "out").parts == tmp_path / "out"


def test_a_folder_whose_name_has_a_dot_is_a_folder_if_it_is_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="does not say a format"):
        Target.of(tmp_path / "v1.2", None, CSV)
    (tmp_path / "v1.2").mkdir()
    assert Target.of(tmp_path / "v1.2", "parquet", CSV) == Target(
        tmp_path / "v1.2", folder=True, format=Format("parquet")
    )


def test_what_is_committed_is_found_again(store: Store, tmp_path: Path) -> None:
    records = [committed(store, index, [f"text {index}"]) for index in range(3)]
    done, recall = store_of(tmp_path / "out.csv").sound(5)
    assert list(done.values()) == records
    assert recall is not None
    assert len(recall) == 3


def test_shares_that_fell_out_of_the_memory_are_removed(store: Store, tmp_path: Path) -> None:
    for index in range(5):
        committed(store, index, [f"{index} {number}" for number in range(2)])
    assert shares(store) == ["3", "4"]
    again = store_of(tmp_path / "out.csv")
    done, recall = again.sound(5)
    assert len(done) == 5
    assert recall is not None
    assert len(recall) == 4
    committed(again, 5, ["a", "b"])
    assert shares(again) == ["4", "5"]


def test_a_share_without_its_shard_is_removed(store: Store, tmp_path: Path) -> None:
    committed(store, 0, ["a"])
    write(store.state / "memory" / "000001.bin", "of a shard that was never committed")
    store_of(tmp_path / "out.csv").sound(5)
    assert shares(store) == ["0"]


def test_without_a_memory_only_the_damaged_shard_is_made_again(store: Store) -> None:
    for index in range(4):
        committed(store, index, ["a"], bound=0)
    write(store.parts / "part-000001.csv", "other")
    done, recall = store.sound(0)
    assert (sorted(done), recall) == ([0, 2, 3], None)
    assert sorted(path.name for path in (store.state / "shards").iterdir()) == [
        "000000.json",
        "000002.json",
        "000003.json",
    ]


def test_with_a_memory_all_behind_a_damaged_shard_are_made_again(store: Store) -> None:
    for index in range(4):
        committed(store, index, ["a"])
    write(store.parts / "part-000002.csv", "other")
    done, recall = store.sound(5)
    assert sorted(done) == [0, 1]
    assert recall is not None
    assert len(recall) == 2


def test_if_the_memory_itself_is_lost_all_are_made_again(store: Store) -> None:
    for index in range(3):
        committed(store, index, ["a"])
    write(store.state / "memory" / "000001.bin", "torn")
    done, recall = store.sound(5)
    assert done == {}
    assert recall is not None
    assert len(recall) == 0
    assert list((store.state / "shards").iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", '{"index": 0}', "\0\0\0"])
def test_a_record_that_cannot_be_read_is_no_record(store: Store, content: str) -> None:
    committed(store, 0, ["a"])
    write(store.state / "shards" / "000001.json", content)
    assert sorted(store.sound(5)[0]) == [0]


def test_a_file_is_whole_or_it_is_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "content")
    stored = store_of(tmp_path / "out.csv").put(tmp_path, "b", lambda target: target.write_text("content"))
    assert is_whole(tmp_path / "b", stored)
    assert is_whole(path, stored)
    assert not is_whole(write(tmp_path / "c", "contenT"), stored)
    assert not is_whole(write(tmp_path / "d", "content!"), stored)
    assert not is_whole(tmp_path / "absent", stored)
    assert not is_whole(tmp_path, StoredFile(name="x", bytes=4096, sha256="0"))


def test_nothing_half_written_is_left_by_an_error(store: Store) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        store.put(store.parts, "part-000000.csv", fail)
    assert list(store.parts.iterdir()) == []


def test_the_lock_is_for_one_and_is_given_back(store: Store, tmp_path: Path) -> None:
    other = store_of(tmp_path / "out.csv")
    with store.locked(), pytest.raises(JobError, match="Another process is writing"), other.locked():
        pass
    with other.locked():
        pass


def test_the_lock_holds_between_threads(store: Store, tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            try:
                with store_of(tmp_path / "out.csv").locked():
                    inside += 1
                    most = max(most, inside)
                    inside -= 1
            except JobError:
                continue

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_job_is_written_down_once_and_compared_afterwards(store: Store) -> None:
    made_of = {"format": 1, "affekt": "1", "input": [], "model": {"a": (1, 2)}, "options": {}}
    with store.locked():
        store.begin(made_of)
        store.begin(made_of)
        with pytest.raises(JobError, match=r"begun with something else: model a was \[1, 2\], is \[1, 3\]"):
            store.begin({**made_of, "model": {"a": (1, 3)}})
    assert json.loads((store.state / "job.json").read_bytes())["model"] == {"a": [1, 2]}


def test_many_differences_are_counted_and_three_are_shown(store: Store) -> None:
    made_of = {"format": 1, "affekt": "1", "input": [], "model": {}, "options": dict.fromkeys("abcde", 1)}
    with store.locked():
        store.begin(made_of)
        with pytest.raises(JobError, match=r"options a was 1, is 2; .*; .* \(and 2 more\)"):
            store.begin({**made_of, "options": dict.fromkeys("abcde", 2)})


def test_a_folder_with_nothing_but_the_state_is_free(tmp_path: Path) -> None:
    """A process killed between taking the lock and writing the job down leaves just that."""
    store = store_of(tmp_path / "out")
    with store.locked():
        pass
    store.check_free(restart=False)


def test_the_names_of_shards_sort_in_their_order(store: Store) -> None:
    for index in (0, 2, 10, 100_000, 1):
        committed(store, index, ["a"], bound=0)
    assert [record.index for record in store.records()] == [0, 1, 2, 10, 100_000]


def test_written_files_can_be_read_by_others(store: Store) -> None:
    committed(store, 0, ["a"])
    assert (store.parts / "part-000000.csv").stat().st_mode & 0o777 == 0o644
