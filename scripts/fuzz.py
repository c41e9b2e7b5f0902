"""Fuzzing of what reads strangers' bytes, guided by coverage: `python scripts/fuzz.py tables -max_total_time=300`.

Targets: ``tables`` (every reader and every layout) and ``cleaning``. What follows the target goes to libFuzzer: a
folder to keep what it found interesting, limits, one input to run again. Needs ``pip install atheris``.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["affekt"]):
    from affekt.cleaning import MAX_GROWTH, CleaningOptions, clean
    from affekt.data.describing.check import check
    from affekt.data.load import read_labelled
    from affekt.data.options import ReadOptions
    from affekt.errors import AffektError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz", ".parquet.gz", ".txt")
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108


def tables(data: bytes) -> None:
    """Any bytes are a table or are refused with a sentence; a table that is usable has a row of targets per text."""
    given = atheris.FuzzedDataProvider(data)
    path = FOLDER / f"table{given.PickValueInList(list(SUFFIXES))}"
    options = ReadOptions(
        layout=given.PickValueInList(["auto", "auto", "auto", "columns", "list", "long", "none"]),
        label_names=given.PickValueInList([None, None, "joy,anger,sadness"]),
        first_id=given.ConsumeIntInRange(0, 1),
        header=given.PickValueInList([None, None, True, False]),
        separator=given.PickValueInList([None, None, ",", "|"]),
        encoding=given.PickValueInList(["utf-8", "cp1252", "utf-16"]),
        unlabelled=given.PickValueInList(["keep", "drop", "neutral"]),
        missing=given.PickValueInList(["unknown", "zero", "error"]),
        bad_rows=given.PickValueInList(["error", "skip"]),
    )
    path.write_bytes(given.ConsumeBytes(given.remaining_bytes()))
    try:
        report = check(path, options)
        loaded = read_labelled(path, options)
    except AffektError as error:
        require("\n" not in str(error).strip(), f"an error of one line: {error}")
        return
    finally:
        path.unlink()
    dataset = loaded.dataset
    require(dataset.targets.shape == (len(dataset.texts), len(dataset.labels)), "a row of targets per text")
    require(all(text.strip() for text in dataset.texts), "no blank text")
    known = dataset.targets[dataset.targets == dataset.targets]
    require(bool(((known >= 0) & (known <= 1)).all()), "targets from 0 to 1")
    require(report.texts == len(dataset.texts), "as many texts as the check found")
    require(len(loaded.text_of) == report.rows or options.layout == "long", "a place for every row")


def cleaning(data: bytes) -> None:
    """Any text under any options: idempotent, bounded, and fit to be written down."""
    given = atheris.FuzzedDataProvider(data)
    fields = [field.name for field in dataclasses.fields(CleaningOptions)]
    options = CleaningOptions(**{name: given.ConsumeBool() for name in fields})
    text = given.ConsumeUnicode(given.remaining_bytes())
    once = clean(text, options)
    once.encode("utf-8")
    require(len(once) <= MAX_GROWTH * len(text), "bounded growth")
    require(clean(once, options) == once, f"nothing left to clean under {options}")


def require(condition: bool, what: str) -> None:
    """Fail on what must never be, also under ``python -O``."""
    if not condition:
        raise RuntimeError(f"There should be {what}.")


TARGETS: dict[str, Callable[[bytes], None]] = {"tables": tables, "cleaning": cleaning}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"Usage: fuzz.py TARGET [libFuzzer options]; targets: {', '.join(TARGETS)}.")
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
