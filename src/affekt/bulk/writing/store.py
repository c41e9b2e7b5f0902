"""Where a job's shards are kept: each appears whole or not at all, and is found again by whoever goes on."""

import contextlib
import fcntl
import json
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from affekt.bulk.fingerprint import differences
from affekt.bulk.recall import Generation, Recall, window
from affekt.bulk.work import Target
from affekt.bulk.writing.records import ShardRecord, StoredFile
from affekt.errors import JobError
from affekt.files import atomic_file, sha256

JOB = "job.json"
DONE = "done.json"
MANIFEST = "manifest.jsonl"
REJECTS = "rejects.jsonl"
SUMMARY = "summary.json"


class Store:
    """The shards of one job.

    Args:
        target: where the output goes.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.state = target.state
        self.parts = target.parts
        self._shares: deque[tuple[str, int]] = deque()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes off this job; a killed process holds no lock.

        Raises:
            JobError: if another process is at it.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        with open(self.state / "lock", "wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise JobError(
                    f"Another process is writing '{self.target.out}' at this moment.", hint="Wait for it, or stop it."
                ) from None
            yield

    def check_free(self, *, restart: bool) -> None:
        """Refuse an output that is there but was not made by a job that could go on.

        Args:
            restart: a file may be written over; a folder of something else may not.

        Raises:
            JobError: if so.
        """
        out = self.target.out
        if (self.state / JOB).exists():
            return
        if out.is_dir() and any(path != self.state for path in out.iterdir()):
            raise JobError(f"The folder '{out}' is not empty.", hint="Choose another one, or empty it.")
        if out.is_file() and not restart:
            raise JobError(
                f"'{out}' is there already, and not from an unfinished job.",
                hint="Choose another output, or write over it with --restart.",
            )

    def begin(self, made_of: dict[str, Any]) -> None:
        """Write down what the job is made of, or check that it is what the unfinished job was made of.

        Raises:
            JobError: naming what differs.
        """
        self._sweep()
        path = self.state / JOB
        if not path.exists():
            self.write_json(JOB, made_of)
            return
        found = differences(json.loads(path.read_bytes()), json.loads(json.dumps(made_of)))
        if found:
            more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
            raise JobError(
                f"'{self.target.out}' was begun with something else: {'; '.join(found[:3])}{more}.",
                hint="Undo the change, choose another output, or start anew with --restart.",
            )

    def restart(self) -> None:
        """Forget the job and the shards that it committed."""
        if self.target.folder:
            for record in self.records() or self.manifest():
                (self.parts / record.data.name).unlink(missing_ok=True)
        for name in (JOB, DONE, MANIFEST, REJECTS, SUMMARY):
            (self.state / name).unlink(missing_ok=True)
        self.clear_work()

    def clear_work(self) -> None:
        """Remove what is needed only while the job is under way."""
        for name in ("shards", "memory", "rejects", *(() if self.target.folder else ("parts",))):
            shutil.rmtree(self.state / name, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes left half written."""
        for folder in {self.parts, self.state, *(self.state / name for name in ("shards", "memory", "rejects"))}:
            for path in folder.glob(".*.partial"):
                path.unlink(missing_ok=True)
        for path in self.target.out.parent.glob(f".{self.target.out.name}.*.partial"):
            path.unlink(missing_ok=True)

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write a file of the state folder, whole or not at all."""
        with atomic_file(self.state / name) as temporary:
            temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def put(self, folder: Path, name: str, write: Callable[[Path], object]) -> StoredFile:
        """Write a file of a shard, whole or not at all.

        Args:
            folder: where it goes.
            name: of the file.
            write: writes the content to the path that it is given.
        """
        with atomic_file(folder / name) as temporary:
            write(temporary)
            return StoredFile(name=name, bytes=temporary.stat().st_size, sha256=sha256(temporary))

    def commit(self, record: ShardRecord, bound: int) -> None:
        """Make a shard count: from now on it is not made again.

        Args:
            record: of the shard, whose files are written.
            bound: texts that the memory holds; shares that fell out of it are removed.
        """
        self.put(self.state / "shards", shard_name(record.index), lambda path: path.write_text(record.line(), "utf-8"))
        if record.memory is not None:
            self._shares.append((record.memory.name, record.remembered))
            while sum(size for _, size in self._shares) > bound:
                (self.state / "memory" / self._shares.popleft()[0]).unlink(missing_ok=True)

    def records(self) -> list[ShardRecord]:
        """The shards that were committed, in order; unreadable records are passed over."""
        found = []
        for path in sorted((self.state / "shards").glob("*.json")):
            with contextlib.suppress(ValidationError, OSError):
                found.append(ShardRecord.model_validate_json(path.read_bytes()))
        return found

    def manifest(self) -> list[ShardRecord]:
        """The shards of a finished job."""
        path = self.state / MANIFEST
        if not path.exists():
            return []
        return [ShardRecord.model_validate_json(line) for line in path.read_bytes().splitlines()]

    def whole(self, record: ShardRecord) -> bool:
        """Whether a shard's files are the ones that were written."""
        wanted = [(self.parts, record.data)]
        if record.rejects is not None:
            wanted.append((self.state / "rejects", record.rejects))
        return all(is_whole(folder / file.name, file) for folder, file in wanted)

    def sound(self, bound: int) -> tuple[dict[int, ShardRecord], Recall | None]:
        """The committed shards to build on, by number, and the memory as it was after them.

        A shard that is not as it was written is made again. Where there is a memory, so are all behind it, and if the
        memory before it is gone, all: only then are they the same as before.

        Args:
            bound: texts that the memory holds; 0 for none.
        """
        records = self.records()
        whole = [record for record in records if self.whole(record)]
        recall = None
        if bound:
            whole = [record for number, record in enumerate(whole) if record.index == number]
            recall = self._recall(whole, bound)
            if recall is None:
                whole, recall = [], Recall(bound)
        kept = {record.index for record in whole}
        for record in records:
            if record.index not in kept:
                (self.state / "shards" / shard_name(record.index)).unlink(missing_ok=True)
        return {record.index: record for record in whole}, recall

    def _recall(self, records: list[ShardRecord], bound: int) -> Recall | None:
        """The memory as it was after these shards; None if a share of it is lost."""
        recall = Recall(bound)
        folder = self.state / "memory"
        kept = records[len(records) - window([record.remembered for record in reversed(records)], bound) :]
        for record in kept:
            if record.memory is None or not is_whole(folder / record.memory.name, record.memory):
                return None
            recall.add(Generation.load(folder / record.memory.name, record.remembered))
            self._shares.append((record.memory.name, record.remembered))
        held = {name for name, _ in self._shares}
        for path in folder.glob("*.bin"):
            if path.name not in held:
                path.unlink()
        return recall


def shard_name(index: int) -> str:
    """The name of a shard's record."""
    return f"{index:06d}.json"


def is_whole(path: Path, file: StoredFile) -> bool:
    """Whether a file has the size and the digest that were written down."""
    return path.is_file() and path.stat().st_size == file.bytes and sha256(path) == file.sha256
