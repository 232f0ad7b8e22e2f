"""Help: immediate, and complete."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from app.cli.options import FORMATS
from app.cli.serve import cli
from app.models.transfers import EXPORTERS
from tests import ROOT

HEAVY = {"numpy", "sqlalchemy", "fastapi", "uvicorn", "pydantic", "httpx", "alembic"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["version"], ["jobs", "--help"], ["train", "--help"], ["serve", "--help"]]
)
def test_help_imports_nothing_of_the_service(arguments: list[str]) -> None:
    program = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        "from app.cli import main\n"
        "main()"
    )
    command = [sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    assert result.stdout
    imported = set(json.loads(result.stderr.splitlines()[-1]))
    assert "app.cli.serve" in imported
    assert not imported & HEAVY


def commands() -> Iterator[tuple[str, ...]]:
    def below(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, child in getattr(command, "commands", {}).items():
            yield from below(child, (*path, name))

    return below(typer.main.get_command(cli), ())


@pytest.mark.parametrize("path", list(commands()), ids=lambda path: " ".join(("gradd", *path)))
def test_every_command_and_option_has_a_help_text(path: tuple[str, ...]) -> None:
    command = typer.main.get_command(cli)
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    assert command.help
    example = command.epilog or ""
    assert example.startswith("Example: ")
    assert f"gradd {' '.join(path)}".strip() in example
    for parameter in command.params:
        assert parameter.help, parameter.name  # type: ignore[attr-defined]
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    assert example.split()[-1] in result.output


def test_the_formats_are_those_of_the_models() -> None:
    assert list(FORMATS) == list(EXPORTERS)


def test_the_variable_for_the_server_is_in_the_help() -> None:
    assert "GRADD_SERVER" in CliRunner().invoke(cli, ["jobs", "follow", "--help"]).output
