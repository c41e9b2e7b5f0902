"""Mutation testing of the parts where a wrong sign would go unseen: `python scripts/mutation.py decision losses`.

The mutants are cosmic-ray's. They run in forked children of one process that has the heavy libraries loaded already,
in a copy of the source, each against the test files that belong to the part. Left out are mutants that no test can
tell apart: of annotations, and of decorators that only remember results.
"""

import argparse
import ast
import difflib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS: dict[str, tuple[list[str], list[str]]] = {
    "cleaning": (
        [f"cleaning/{name}.py" for name in ("__init__", "characters", "emojis", "entities", "links")],
        ["test_cleaning.py", "test_cleaning_properties.py"],
    ),
    "decision": (["decision.py"], ["test_decision.py"]),
    "metrics": (["evaluation/metrics.py"], ["evaluation/test_f1_metrics.py"]),
    "losses": (["training/losses/losses.py"], ["training/losses/test_losses.py"]),
    "checkpoints": (
        ["training/checkpoints/checkpoint.py"],
        ["training/checkpoints/test_checkpoint.py", "training/checkpoints/test_checkpoint_crashes.py"],
    ),
}
"""Of each part, its files in ``src/affekt`` and in ``tests``."""
SLOW = (
    "training/checkpoints/test_checkpoint_crashes.py::test_kill_at_random_moments_leaves_a_whole_latest",
    "training/losses/test_losses.py::test_the_loss_has_no_graph_breaks",
)
"""Tests that are left out: they take long, and what they find the others find, too."""
PRELOADED = ("numpy", "pytest", "hypothesis", "emoji", "sklearn.metrics", "torch", "safetensors.torch")


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    operator: str
    occurrence: int
    line: int


def main() -> None:
    """Run the parts that are named and print how many mutants were killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--sample", type=int, default=200, help="mutants of each part, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds after which a mutant counts as killed")
    parser.add_argument("--out", type=Path, help="JSON Lines with every result")
    arguments = parser.parse_args()
    for name in PRELOADED:
        importlib.import_module(name)
    for part in arguments.parts or PARTS:
        test_part(part, arguments)


def test_part(part: str, arguments: argparse.Namespace) -> None:
    """Print the survivors of one part and the share that was killed."""
    files, tests = PARTS[part]
    mutants = [mutant for file in files for mutant in mutants_of(file)]
    drawn = random.Random(arguments.seed).sample(mutants, min(arguments.sample, len(mutants)))  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        if not survives(copy, tests, 10 * arguments.limit):
            sys.exit(f"{part}: the tests fail without any mutant.")
        survivors = 0
        for mutant in drawn:
            change, lived = outcome(mutant, copy, tests, arguments.limit)
            survivors += lived
            if lived:
                print(f"survived: {mutant.file}:{mutant.line}\n{change}", flush=True)
            if arguments.out:
                with arguments.out.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(vars(mutant) | {"part": part, "survived": lived, "change": change}) + "\n")
    killed = len(drawn) - survivors
    print(f"{part}: {killed} of {len(drawn)} mutants killed ({killed / len(drawn):.1%}), of {len(mutants)}", flush=True)


def mutants_of(file: str) -> Iterator[Mutant]:
    """Every mutant of a file that a test could tell apart."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    source = (ROOT / "src/affekt" / file).read_text(encoding="utf-8")
    left_out = list(indistinct(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments():
            continue
        positions = (position for node in nodes for position in kind().mutation_positions(node))
        for occurrence, (start, _) in enumerate(positions):
            if not any(first <= start < last for first, last in left_out):
                yield Mutant(file, name, occurrence, start[0])


def indistinct(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where the annotations and the remembering decorators stand."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        if isinstance(node, ast.FunctionDef):
            found += [node.returns, *(d for d in node.decorator_list if "cache" in ast.unparse(d))]
        for part in found:
            if part is not None:
                # cosmic-ray counts a decorator from its "@"
                yield (part.lineno, max(part.col_offset - 1, 0)), (part.end_lineno or 0, part.end_col_offset or 0)


def copied(folder: Path) -> Path:
    """A copy of the repository's code, without compiled files, which could hide a change of the same length."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def outcome(mutant: Mutant, copy: Path, tests: list[str], limit: float) -> tuple[str, bool]:
    """What the mutant changes, and whether the tests pass all the same."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    path = copy / "src/affekt" / mutant.file
    source = path.read_text(encoding="utf-8")
    changed = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    if changed is None:
        raise RuntimeError(f"cosmic-ray cannot make {mutant}.")
    path.write_text(changed, encoding="utf-8")
    try:
        lived = survives(copy, tests, limit)
    finally:
        path.write_text(source, encoding="utf-8")
    lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=0)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@"))), lived


def survives(copy: Path, tests: list[str], limit: float) -> bool:
    """Whether the tests pass, in a child that is given ``limit`` seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(run_tests(copy, tests))
    end = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.01)


def run_tests(copy: Path, tests: list[str]) -> int:
    """Run pytest on the copy and nothing else; its exit code."""
    import pytest

    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.path.insert(0, str(copy / "src"))
    os.chdir(copy)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    unneeded = [part for name in ("randomly", "xdist", "schemathesis", "cov") for part in ("-p", f"no:{name}")]
    preloaded = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    preloaded += [part for test in SLOW for part in ("--deselect", f"tests/{test}")]
    return int(pytest.main(["-x", "-q", *preloaded, *unneeded, *(str(copy / "tests" / test) for test in tests)]))


if __name__ == "__main__":
    main()
