"""What a person can ask of a bulk job, checked once."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from affekt.errors import SettingError

ScoresAs = Literal["columns", "list", "none"]


class JobOptions(BaseModel):
    """Settings of a bulk job; all but ``max_rejects`` change the output, so a resumed job must have the same.

    Attributes:
        text: column of texts; found by its name by default.
        columns: input columns to keep, in this order; all by default.
        where: which rows to keep, see :mod:`affekt.bulk.reading.where`; the others are left out.
        scores: one column per label, one list column in the order of the labels, or none.
        prefix: put before the names of the columns that are added.
        format: of an output folder's shards, ``parquet`` or ``csv.gz`` for instance; the input's by default.
        neutralise: put an apostrophe before cells of csv and tsv output that a spreadsheet would run as a formula.
        keep_missing: rows without a text stay in the output, with empty answers, and are reported all the same.
        delimiter: between the cells of csv and tsv input; found out by default.
        header: whether csv and tsv input begins with the columns' names; found out by default.
        encoding: of text input.
        shard_rows: rows read per shard: what is lost at most when the job is killed.
        shard_bytes: a shard ends early when it has read this many bytes.
        cache: texts whose scores are remembered across shards; 0 for none. Within a shard a text is scored once anyway.
        max_rejects: stop when more rows than this were refused; None for no limit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = None
    columns: tuple[str, ...] | None = None
    where: str | None = None
    scores: ScoresAs = "columns"
    prefix: str = ""
    format: str | None = None
    neutralise: bool = True
    keep_missing: bool = False
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    header: bool | None = None
    encoding: str = "utf-8"
    shard_rows: int = Field(default=10_000, ge=1, le=1_000_000)
    shard_bytes: int = Field(default=4 * 1024 * 1024, ge=1, le=256 * 1024 * 1024)
    cache: int = Field(default=200_000, ge=0, le=10_000_000)
    max_rejects: int | None = Field(default=None, ge=0)

    @field_validator("delimiter")
    @classmethod
    def _no_quote(cls, value: str | None) -> str | None:
        if value is not None and value in '"\r\n':
            raise ValueError("must not be a quotation mark or a line end")
        return value

    @classmethod
    def of(cls, **given: Any) -> "JobOptions":
        """Checked options.

        Raises:
            SettingError: naming the first option that is not possible.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "the options"
            raise SettingError(f"{name}: {first['msg'].lower()}, but it is {first['input']!r}.") from None

    def defining(self) -> dict[str, Any]:
        """The options that change the output, as JSON has them."""
        return self.model_dump(mode="json", exclude={"max_rejects"})
