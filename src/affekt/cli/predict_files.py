"""The part of ``affekt predict`` that answers whole files: its options, and the call."""

import sys
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import typer

from affekt.cli.gathered import gathering

PANEL = "Whole files (--file IN --out OUT)"

_SPELLED = {"as_json": "--json", "neutralise": "--keep-formulas"}
"""Options that are not spelled like their parameters."""


def _option(*names: str, help: str) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, rich_help_panel=PANEL, show_default=False)


Columns = Annotated[str | None, _option("--columns", help="Input columns to keep, joined by commas; all by default.")]
Where = Annotated[
    str | None, _option("--where", help="Rows to keep, for instance: \"stars >= 4 and lang = 'en'\"; all by default.")
]
Scores = Annotated[
    Literal["columns", "list", "none"],
    _option("--scores", help="Scores as one column per label (default), as one list column, or not at all."),
]
Prefix = Annotated[str, _option("--prefix", help="Before the names of the columns that are added.")]
ShardFormat = Annotated[
    str | None,
    _option("--shard-format", help="Of an output folder: parquet, csv, jsonl.zst, …; the input's by default."),
]
Neutralise = Annotated[
    bool,
    _option("--neutralise/--keep-formulas", help="Cells that a spreadsheet would run get an apostrophe (default)."),
]
KeepMissing = Annotated[
    bool, _option("--keep-missing", help="Rows without a text go out too, with empty answers; they are listed anyway.")
]
Header = Annotated[
    bool | None, _option("--header/--no-header", help="Whether the first row names the columns; found out by default.")
]
Delimiter = Annotated[str | None, _option("--delimiter", help="Between cells, 'tab' for a tab; found out by default.")]
Encoding = Annotated[str, _option("--encoding", help="Of text files; utf-8 by default.")]
MaxRejects = Annotated[
    int | None, _option("--max-rejects", help="Stop when more rows than this were refused; never by default.")
]
ShardRows = Annotated[int, _option("--shard-rows", help="Rows per shard: what a kill can cost; 10000 by default.")]
ShardBytes = Annotated[int, _option("--shard-bytes", help="A shard ends early at this size; 4 MiB by default.")]
Cache = Annotated[int, _option("--cache", help="Texts whose scores are remembered across shards; 200000 by default.")]
Restart = Annotated[bool, _option("--restart", help="Begin anew, and write over an earlier output.")]
Engine = Annotated[
    Literal["local", "ray"], _option("--engine", help="This process (local, default), or workers on a Ray cluster.")
]
Workers = Annotated[int, _option("--workers", help="Of the Ray cluster; 2 by default.")]
WorkerGpus = Annotated[float, _option("--worker-gpus", help="GPUs per worker, of the Ray cluster; 0 by default.")]
Json = Annotated[bool, _option("--json", help="Print the summary as JSON.")]
Quiet = Annotated[bool, _option("--quiet", help="Report no progress.")]


@dataclass(frozen=True)
class WholeFiles:
    """The options of whole files, with what they are by default."""

    columns: Columns = None
    where: Where = None
    scores: Scores = "columns"
    prefix: Prefix = ""
    shard_format: ShardFormat = None
    neutralise: Neutralise = True
    keep_missing: KeepMissing = False
    header: Header = None
    delimiter: Delimiter = None
    encoding: Encoding = "utf-8"
    max_rejects: MaxRejects = None
    shard_rows: ShardRows = 10_000
    shard_bytes: ShardBytes = 4_194_304
    cache: Cache = 200_000
    restart: Restart = False
    engine: Engine = "local"
    workers: Workers = 2
    worker_gpus: WorkerGpus = 0.0
    as_json: Json = False
    quiet: Quiet = False


USUAL = WholeFiles()
"""None of them given."""
takes_options = gathering(
    "whole",
    ((field.name, field.type, field.default) for field in fields(WholeFiles)),
    lambda given: WholeFiles(**given),
)
"""Give a command the options of whole files; it takes them as ``whole``."""


def run(given: dict[str, Any], whole: WholeFiles) -> None:
    """Answer whole files.

    Args:
        given: the other arguments of ``affekt predict``, by name.
        whole: the options of whole files.

    Raises:
        AffektError: see :func:`affekt.bulk.predict_files`.
    """
    import json

    from affekt.bulk import predict_files, spare_memory
    from affekt.bulk.progress import Progress

    spare_memory()
    scorer, engine = _answering(given, whole)
    summary = predict_files(
        given["file"],
        given["out"],
        scorer,
        _options(given["column"], whole),
        restart=whole.restart,
        progress=Progress(None if whole.quiet else sys.stderr),
        engine=engine,
    )
    if whole.as_json:
        typer.echo(json.dumps(summary.to_json(), indent=1, ensure_ascii=False))
    else:
        typer.echo(summary.text(), err=True)


def _options(text: str | None, whole: WholeFiles) -> Any:
    from affekt.bulk import JobOptions

    columns, delimiter = whole.columns, whole.delimiter
    return JobOptions.of(
        text=text,
        columns=None if columns is None else tuple(name.strip() for name in columns.split(",")),
        where=whole.where,
        scores=whole.scores,
        prefix=whole.prefix,
        format=whole.shard_format,
        neutralise=whole.neutralise,
        keep_missing=whole.keep_missing,
        delimiter="\t" if delimiter in ("tab", "\\t") else delimiter,
        header=whole.header,
        encoding=whole.encoding,
        shard_rows=whole.shard_rows,
        shard_bytes=whole.shard_bytes,
        cache=whole.cache,
        max_rejects=whole.max_rejects,
    )


def _spec(given: dict[str, Any]) -> Any:
    from affekt.bulk.scoring import ScorerSpec

    return ScorerSpec(
        model=given["model"],
        backend=given["backend"],
        threads=given["threads"],
        taxonomy=given["taxonomy"],
        thresholds=given["threshold"],
        top_k=given["top_k"],
        truncate=given["truncate"],
    )


def _answering(given: dict[str, Any], whole: WholeFiles) -> tuple[Any, Any]:
    """The model, and who makes the shards with it: this process (None), or workers that open the model themselves."""
    if whole.engine == "local":
        return _spec(given).open(), None
    from affekt.bulk.ray import RayEngine

    spec = _spec(given).for_workers(whole.worker_gpus)
    return spec.describe(), RayEngine(spec, workers=whole.workers, gpus=whole.worker_gpus)


def refuse_options(whole: WholeFiles) -> None:
    """Refuse options of whole files where none are answered, rather than pass over them.

    Args:
        whole: the options of whole files.

    Raises:
        SettingError: naming the first such option.
    """
    from affekt.errors import SettingError

    for field in fields(whole):
        if getattr(whole, field.name) != field.default:
            option = _SPELLED.get(field.name, f"--{field.name.replace('_', '-')}")
            hint = "To print JSON, give --format json." if field.name == "as_json" else ""
            raise SettingError(f"{option} needs both --file and --out.", hint=hint)
