"""The pages say what the code does."""

import inspect
import re
from pathlib import Path

import pytest

from affekt.bulk import fingerprint
from affekt.bulk.options import JobOptions
from affekt.bulk.reading import inputs, selection, streams
from affekt.bulk.writing import finishing

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "bulk.md").read_text(encoding="utf-8") if DOCS.is_dir() else ""

pytestmark = pytest.mark.skipif(not PAGE, reason="the documentation is not beside the tests")


def test_every_option_is_explained() -> None:
    from typer.models import OptionInfo

    from affekt.cli.predict import predict

    for parameter in inspect.signature(predict).parameters.values():
        for info in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(info, OptionInfo) and (info.rich_help_panel or "").startswith("Whole files"):
                for name in "/".join(info.param_decls or ()).split("/"):
                    assert f"`{name}`" in PAGE, name


def test_every_kind_of_reject_is_explained() -> None:
    source = "".join(path.read_text() for path in (DOCS.parent / "src" / "affekt" / "bulk").rglob("*.py"))
    pattern = r'(?:_refuse\(|return |flaw = \(|None, |"|, )"(\w+(?:-\w+)?)", f?"(?:it|its|a|the) '
    kinds = set(re.findall(pattern, source)) | {"truncated", "damaged", "collision", "types"}
    assert {"missing-text", "encoding", "ragged", "quoting", "json", "too-long"} <= kinds
    for kind in kinds:
        assert f"| `{kind}` |" in PAGE, kind


def test_figures_are_those_of_the_code() -> None:
    options = JobOptions()
    figures = [
        f"{options.shard_rows:,} rows",
        f"{options.shard_bytes >> 20} MiB",
        f"{options.cache:,} distinct",
        f"{inputs.SAMPLED:,} objects",
        f"{finishing.GROUP_ROWS:,} rows",
        f"over {fingerprint.WHOLE >> 20} MiB",
        f"over {streams.LINE_LIMIT >> 20} MiB",
    ]
    for figure in figures:
        assert figure in PAGE, figure
    assert selection.MAX_CHARACTERS == 1_000_000
