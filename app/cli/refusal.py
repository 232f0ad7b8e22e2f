"""A refusal in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import typer


def fail(*lines: str) -> NoReturn:
    """End the command with a reason."""
    typer.echo("\n".join(lines), err=True)
    raise typer.Exit(1)


def refused(errors: Sequence[Mapping[str, Any]]) -> NoReturn:
    """End the command with everything that was found, each with its place and the likely fix."""
    lines = []
    for error in errors:
        place = "" if error["pointer"] == "#" else f"{error['pointer']}: "
        lines.append(f"{place}{error['detail']}")
        if error.get("expected"):
            lines.append(f"  expected: {error['expected']}")
        if error.get("hint"):
            lines.append(f"  {error['hint']}")
    fail(*lines)
