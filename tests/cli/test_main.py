"""The command line as a whole: exit statuses, help, version, what must not be imported."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from ocizone import __version__
from ocizone.cli.exit_codes import Exit, exit_code_of
from ocizone.cli.main import COMMANDS, group, main
from ocizone.control import ControlError
from ocizone.errors import (
    ArtifactError,
    CompilerError,
    ConfigError,
    FetchReason,
    OcizoneError,
    Permanent,
    StoreError,
    Transient,
)
from ocizone.plugins.directives import DECLARATIONS


def run(*arguments: str) -> int:
    """Return the exit status of a command line."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert isinstance(ended.value.code, int)
    return int(ended.value.code)


REGISTRY = [
    (FetchReason.CONFIG, 2),
    (FetchReason.AUTH, 3),
    (FetchReason.NETWORK, 4),
    (FetchReason.TIMEOUT, 4),
    (FetchReason.RATE_LIMITED, 4),
    (FetchReason.SERVER, 4),
    (FetchReason.INTEGRITY, 5),
    (FetchReason.NOT_FOUND, 1),
    (FetchReason.TOO_LARGE, 1),
    (FetchReason.PROTOCOL, 1),
]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        *((Permanent("x", reason=reason), status) for reason, status in REGISTRY),
        (Transient("x", reason=FetchReason.NETWORK), 4),
        (ConfigError([]), 2),
        (ArtifactError([]), 1),
        (StoreError("x"), 1),
        (CompilerError("x"), 1),
        (ControlError("x"), 1),
        (OcizoneError("x"), 1),
    ],
)
def test_every_error_has_its_exit_status(error, status):
    """docs/cli.md; a script may rely on them."""
    assert exit_code_of(error) == status


def test_every_reason_has_a_row_above():
    """A new reason needs a decision."""
    assert {reason for reason, _ in REGISTRY} == set(FetchReason)


def test_the_documented_statuses_are_those_there_are():
    """docs/cli.md and ``--help`` name each."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    table = page.partition("## Exit statuses")[2]
    assert [int(found) for found in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(Exit)
    assert [int(found) for found in re.findall(r"\b(\d+) [a-z]", group.epilog or "")] == list(Exit)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Make ``ocizone version`` raise."""

    def fail(error: BaseException) -> None:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(import_module("ocizone.cli.version"), "command", command)

    return fail


def test_an_error_is_one_message_on_stderr(failing, capsys):
    """No traceback, nothing on stdout, and no control character of a registry's answer."""
    failing(Permanent("denied\x1b[2J by r.test", reason=FetchReason.AUTH))
    assert run("version") == 3
    out, err = capsys.readouterr()
    assert (out, err) == ("", "denied\\x1b[2J by r.test\n")


def test_findings_stay_lines(failing, capsys):
    """An error of several findings is one a line."""
    failing(StoreError("one\ntwo"))
    run("version")
    assert capsys.readouterr().err == "one\ntwo\n"


def test_ctrl_c_is_130(failing, capsys):
    """As a shell says of a process that SIGINT ended."""
    failing(KeyboardInterrupt())
    assert run("version") == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_other_errors_of_click_keep_their_status(failing, capsys):
    """A file that cannot be opened, say."""
    failing(click.ClickException("cannot"))
    assert run("version") == 1
    assert "cannot" in capsys.readouterr().err


def test_a_bug_shows_its_traceback(failing):
    """Nobody takes it for a message."""
    failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["version"])


@pytest.mark.parametrize(
    "arguments",
    [["nosuch"], ["version", "--nosuch"], ["push"], ["push", "r.test/x"], ["serve", "-p", "70000"],
     ["status", "-o", "xml"], ["help", "nosuch"]],
)  # fmt: skip
def test_a_wrong_command_line_is_2(arguments, capsys):
    """With usage and reason on stderr."""
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err


def test_an_unknown_command_is_met_with_the_nearest(capsys):
    """A slip of the fingers."""
    assert run("stauts") == 2
    assert "No such command 'stauts'. Did you mean 'status'?" in capsys.readouterr().err


def test_version(capsys):
    """Both ways to ask."""
    assert run("version") == 0
    assert capsys.readouterr().out == f"ocizone {__version__}\n"
    assert run("--version") == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_lists_every_command(option, capsys):
    """And the exit statuses."""
    assert run(option) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\S", out, re.MULTILINE) for name in COMMANDS)
    assert "130 interrupted" in out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name, capsys):
    """Usage and at least one sentence."""
    assert run(name, "--help") == 0
    out = capsys.readouterr().out
    assert out.startswith(f"Usage: ocizone {name}")
    assert len(out) > 60


def test_help_of_directives(capsys):
    """``ocizone help`` lists them, ``ocizone help oci`` explains one."""
    assert run("help") == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [declared.name for declared in DECLARATIONS]
    assert run("help", "oci") == 0
    assert "interval" in capsys.readouterr().out


def test_version_needs_neither_twisted_nor_requests():
    """A command imports what it uses: ``version`` in a container costs no half second."""
    code = (
        "import sys; from ocizone.cli.main import main\n"
        "try: main(['version'])\nexcept SystemExit: pass\n"
        "print(sorted({'twisted', 'requests', 'oras', 'lmdb', 'dns'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]
