"""The root command: lists without importing, imports what is called, and turns mistakes into one sentence."""

import errno
import importlib.util
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from affekt.cli import app as application
from affekt.cli.app import COMMANDS, LazyGroup, app, load, main
from affekt.cli.failures import exit_code, extra_of, sentence
from affekt.errors import DataError, SettingError

runner = CliRunner()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a command "boom" in place that raises what it is told to."""

    def install(error: BaseException) -> None:
        boom = typer.Typer(add_completion=False)

        @boom.command()
        def run() -> None:
            raise error

        real = application.load
        monkeypatch.setitem(COMMANDS, "boom", ("nowhere", "Fails."))
        monkeypatch.setattr(
            application, "load", lambda name: typer.main.get_command(boom) if name == "boom" else real(name)
        )

    return install


def test_help_lists_every_command() -> None:
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert name in result.output


def test_no_arguments_show_the_help() -> None:
    result = runner.invoke(app, [])
    assert result.exit_code == 2
    assert "Commands" in result.output


def test_version() -> None:
    import affekt

    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"affekt {affekt.__version__}\n")


def test_unknown_command_is_a_usage_error_with_a_suggestion() -> None:
    result = runner.invoke(app, ["pedict"])
    assert result.exit_code == 2
    assert "'pedict'" in result.output
    assert "'predict'" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_registered_module_exists(name: str) -> None:
    assert importlib.util.find_spec(COMMANDS[name][0]) is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_command_shows_its_own_help(name: str) -> None:
    result = runner.invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "install-completion" not in result.output
    options = {option for parameter in load(name).params for option in parameter.opts}
    assert options - {"--help"} or getattr(load(name), "commands", {}), "a stand-in was shown"


def test_main_takes_arguments_in_place_of_the_process_s(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["affekt", "--no-such-option"])
    with pytest.raises(SystemExit) as end:
        main(["data", "--help"])
    assert end.value.code == 0
    assert "check" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("Row 3 is torn.", hint="Mend it."), 2, "error[data]: Row 3 is torn. Mend it."),
        (SettingError("--x must be 1."), 2, "error[setting]: --x must be 1."),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"),
            2,
            "error[file]: 'a.csv': No such file",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left"),
        (ModuleNotFoundError("No module named 'torch'", name="torch.nn"), 2, "pip install 'affekt[train]'"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_mistake_is_one_sentence_on_standard_error(failing: Any, error: BaseException, code: int, said: str) -> None:
    failing(error)
    result = runner.invoke(app, ["boom"])
    assert result.exit_code == code
    assert said in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_defect_keeps_its_traceback(failing: Any) -> None:
    failing(ZeroDivisionError("a defect"))
    result = runner.invoke(app, ["boom"])
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        ModuleNotFoundError("No module named 'affekt.nothing'", name="affekt.nothing"),
        ValueError("a defect"),
    ],
)
def test_what_is_no_mistake_has_no_exit_code(error: BaseException) -> None:
    assert exit_code(error) is None


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("torch.nn", "train"),
        ("sklearn.metrics", "train"),
        ("pyarrow", "parquet"),
        ("prometheus_client", "serve"),
        ("numpy", None),
        ("affekt.nothing", None),
    ],
)
def test_extra_that_installs_a_module(module: str, extra: str | None) -> None:
    assert extra_of(module) == extra


def test_sentence_of_a_file_error_without_a_name() -> None:
    assert sentence(OSError("disk on fire")) == "error[file]: disk on fire"


def test_group_answers_without_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "load", lambda name: pytest.fail(f"imported {name}"))
    group = typer.main.get_command(app)
    assert isinstance(group, LazyGroup)
    assert list(group.commands) == list(COMMANDS)
    assert runner.invoke(app, ["--help"]).exit_code == 0
