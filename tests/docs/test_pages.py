"""Every command and every Python block of the pages runs, and prints what is shown; what else they name exists."""

import re
import tomllib
from pathlib import Path

import pytest
from kitchen import Kitchen, make_encoder
from pages import FENCE, ROOT, pages, same, steps

pytestmark = pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="the documentation is not beside the tests")
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
EVERY = {
    page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.mark.slow
@pytest.mark.parametrize("page", TEXTS)
def test_what_a_page_shows_is_what_happens(page: str, encoder: Path, tmp_path: Path) -> None:
    with Kitchen(tmp_path / "work", encoder) as kitchen:
        for step in steps(TEXTS[page]):
            found = kitchen.run(step)
            if step.expected is not None:
                assert same(found, step.expected), f"{step.code}\n--- printed\n{found}\n--- shown\n{step.expected}"


def test_the_readme_is_run_at_all() -> None:
    found = steps(TEXTS["README.md"])
    assert sum(step.kind == "command" for step in found) >= 8
    assert sum(step.kind == "python" for step in found) >= 2
    assert sum(step.expected is not None for step in found) >= 4


def test_what_a_block_may_hide_has_a_reason() -> None:
    for page, text in TEXTS.items():
        marks = [block["mark"] for block in FENCE.finditer(text) if block["mark"]]
        assert all(re.fullmatch(r"not run: .{10,}|output varies", mark) for mark in marks), (page, marks)


@pytest.mark.parametrize("page", EVERY)
def test_every_command_and_option_that_a_page_names_exists(page: str) -> None:
    from affekt.cli.app import COMMANDS, load

    for block in FENCE.finditer(EVERY[page]):
        for line in re.findall(r"^(?:\$ )?affekt ((?:[^\n\\]|\\\n|\\.)+)", block["body"], re.MULTILINE):
            words = line.partition("  #")[0].replace("\\\n", "").split()
            if words[0].startswith("--"):
                continue
            assert words[0] in COMMANDS, f"{page}: affekt {line}"
            command = load(words[0])
            if getattr(command, "commands", None):
                command = command.commands[words[1]]
            known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
            used = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
            assert used <= known, f"{page}: affekt {line}"


def test_every_extra_and_target_that_a_page_names_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page, text in EVERY.items():
        named = {name for found in re.findall(r"pip install '[^']*\[([\w,]+)\]'", text) for name in found.split(",")}
        assert named <= set(extras), page
        assert set(re.findall(r"^\$ make ([a-z-]+)", text, re.MULTILINE)) <= targets, page


def test_links_between_pages_lead_somewhere() -> None:
    made_at_build = {"reference/cli.md", "notebooks/tour.md"}
    for page, text in EVERY.items():
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
            there = (ROOT / page).parent / target
            shown = there.resolve().relative_to(ROOT).as_posix().removeprefix("docs/")
            assert there.exists() or shown in made_at_build, f"{page}: {target}"


def test_outputs_are_compared_line_by_line() -> None:
    assert same("a  \nb\n", "a\nb\n")
    assert not same("a\nc\n", "a\nb\n")
    assert same("a\nb\nc\nd\n", "a\n…\nd\n")
    assert same("a\nd\n", "a\n…\nd\n")
    assert not same("a\nb\nc\n", "a\n…\nd\n")
