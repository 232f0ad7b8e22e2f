"""Errors in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer


def fail(*lines: str, status: int = 1) -> NoReturn:
    """End the command with a message and an exit status."""
    typer.echo("\n".join(lines), err=True)
    raise typer.Exit(status)


def print_refusal(errors: Sequence[Mapping[str, Any]]) -> NoReturn:
    """End the command with every error of a refusal: its place, the values expected and the likely fix."""
    lines = []
    for error in errors:
        place = "" if error["pointer"] == "#" else f"{error['pointer']}: "
        lines.append(f"{place}{error['detail']}")
        expected = error.get("expected")
        if expected and not _repeats(error["detail"], expected):
            lines.append(f"  expected: {expected}")
        if error.get("hint"):
            lines.append(f"  {error['hint']}")
    fail(*lines)


def _repeats(detail: str, expected: Any) -> bool:
    """Return whether the sentence lists the expected names already."""
    return isinstance(expected, list) and f"{', '.join(map(str, expected))}." in detail
