"""The record of a committed shard: what it was made from, what it holds, and how to know that it is whole."""

from pydantic import BaseModel, ConfigDict

from affekt.bulk.reading.pieces import Position


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredFile(_Frozen):
    """A file of a shard.

    Attributes:
        name: within its folder.
        bytes: its size.
        sha256: of its content.
    """

    name: str
    bytes: int
    sha256: str


class ShardRecord(_Frozen):
    """A committed shard: once its record is there, the shard is, whole.

    Attributes:
        index: number of the shard.
        start: where reading it began.
        end: where reading went on after it.
        read: rows read; always ``written + refused + filtered``, and ``kept`` rows are refused and written.
        written: rows that went out.
        refused: rows reported as rejects.
        kept: of these, rows that went out without an answer.
        filtered: rows that the filter left out.
        reasons: kind of reject -> rows.
        labels: label -> rows that have it.
        none: rows with a text and without any label.
        header: bytes of the file that hold the columns' names.
        neutralised: cells in which a formula was made harmless.
        scored: texts that went through the model.
        saved: texts that did not, because an equal one had.
        remembered: distinct texts in the shard's share of the memory.
        data: the shard's file.
        rejects: the file with its rejects, if it has any.
        memory: the file with its share of the memory, if there is one.
        share: of the whole input that is read up to its end; as near as can be told.
        seconds: spent per stage.
    """

    index: int
    start: Position
    end: Position
    read: int
    written: int
    refused: int
    kept: int
    filtered: int
    reasons: dict[str, int]
    labels: dict[str, int]
    none: int
    header: int
    neutralised: int
    scored: int
    saved: int
    remembered: int
    data: StoredFile
    rejects: StoredFile | None
    memory: StoredFile | None
    share: float
    seconds: dict[str, float]

    def files(self) -> list[StoredFile]:
        """Those that must be there for the output."""
        return [file for file in (self.data, self.rejects) if file is not None]

    def line(self) -> str:
        """The record as one line of JSON."""
        return self.model_dump_json() + "\n"

    def lasting(self) -> "ShardRecord":
        """The record without what differs from run to run, for the manifest."""
        return self.model_copy(update={"seconds": {}, "share": 0.0, "memory": None})
