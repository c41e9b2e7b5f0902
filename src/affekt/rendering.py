"""Predictions as people and programs read them: a table, JSON, JSON lines, CSV or Parquet."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from affekt.errors import MissingExtraError, SettingError
from affekt.files import atomic_file
from affekt.prediction import Prediction
from affekt.printable import printable

if TYPE_CHECKING:
    from rich.text import Text

Format = Literal["table", "json", "jsonl", "csv"]
SUFFIXES = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".parquet": "parquet"}
"""File name ending -> format."""


def output_format(path: Path) -> str:
    """The format that a file name asks for.

    Raises:
        SettingError: if its ending is none of the known ones.
    """
    if path.suffix not in SUFFIXES:
        raise SettingError(f"'{path}' does not say its format.", hint=f"End the name with {', '.join(SUFFIXES)}.")
    return SUFFIXES[path.suffix]


def write_text(predictions: Iterable[Prediction], stream: TextIO, form: str) -> int:
    """Write predictions to a text stream as they come; returns how many there were."""
    count = 0
    for count, piece in enumerate(_pieces(predictions, form), start=1):  # noqa: B007
        stream.write(piece)
    if form == "json":
        stream.write("\n]\n" if count else "[]\n")
    return count


def write_file(predictions: Iterable[Prediction], path: Path) -> int:
    """Write predictions to a file, whole or not at all; returns how many there were."""
    form = output_format(path)
    with atomic_file(path) as temporary:
        if form == "parquet":
            return _write_parquet(predictions, temporary)
        with open(temporary, "w", encoding="utf-8", newline="") as stream:
            return write_text(predictions, stream, form)


def _pieces(predictions: Iterable[Prediction], form: str) -> Iterator[str]:
    labels: list[str] = []
    for number, prediction in enumerate(predictions):
        if form == "csv":
            labels = labels or list(prediction.scores)
            head = _csv_row(["text", "emotions", "windowed", *labels]) if number == 0 else ""
            row = [prediction.text, ",".join(prediction.emotions), str(prediction.windowed).lower()]
            yield head + _csv_row([*row, *(f"{prediction.scores[label]:.6f}" for label in labels)])
        else:
            text = json.dumps(_rounded(prediction), ensure_ascii=False)
            yield text + "\n" if form == "jsonl" else ("[\n" if number == 0 else ",\n") + text


def _rounded(prediction: Prediction) -> dict[str, Any]:
    return prediction.to_dict() | {"scores": {label: round(score, 6) for label, score in prediction.scores.items()}}


def _csv_row(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)  # so that a lone \r in a text is quoted as well
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _write_parquet(predictions: Iterable[Prediction], path: Path) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("Writing Parquet", "parquet") from error
    count, writer = 0, None
    for part in _parts(predictions, 10_000):
        rows = [{"text": p.text, "emotions": list(p.emotions), "windowed": p.windowed, **p.scores} for p in part]
        table = pa.Table.from_pylist(rows)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table.cast(writer.schema))
        count += len(rows)
    if writer is not None:
        writer.close()
    return count


def _parts(predictions: Iterable[Prediction], most: int) -> Iterator[list[Prediction]]:
    part: list[Prediction] = []
    for prediction in predictions:
        part.append(prediction)
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part


def write_table(predictions: Iterable[Prediction], shown: int = 3) -> None:
    """Print predictions to the terminal: the text, its emotions with scores, and in brackets the next best labels.

    Args:
        predictions: what to show.
        shown: labels to show where fewer than that were decided.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("text", ratio=3, overflow="fold")
    table.add_column("emotions", ratio=2, overflow="fold")
    for prediction in predictions:
        text = prediction.text if len(prediction.text) <= 500 else prediction.text[:499] + "…"
        text = printable(text)
        table.add_row(Text(text + ("  (read in windows)" if prediction.windowed else "")), _emotions(prediction, shown))
    Console(soft_wrap=False).print(table)


def _emotions(prediction: Prediction, shown: int) -> "Text":
    """Decided labels, then in brackets what was not decided, so that a file or a pipe can tell them apart, too."""
    from rich.text import Text

    scores = prediction.scores
    others = [name for name in sorted(scores, key=scores.__getitem__, reverse=True) if name not in prediction.emotions]
    decided = ", ".join(f"{name} {scores[name]:.2f}" for name in prediction.emotions) or "none"
    further = ", ".join(f"{name} {scores[name]:.2f}" for name in others[: max(0, shown - len(prediction.emotions))])
    cell = Text(decided, style="bold" if prediction.emotions else "dim")
    return cell.append(f" ({further})", style="not bold dim") if further else cell
