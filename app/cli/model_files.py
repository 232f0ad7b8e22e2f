"""Model files that the command line writes."""

from __future__ import annotations

from pathlib import Path

from app.cli.options import FORMATS
from app.cli.refusal import fail, print_refusal


def format_of(file: Path) -> str:
    """Return the format that a file's extension names. A file that cannot be written ends the command."""
    form = file.suffix.removeprefix(".")
    if form not in FORMATS:
        fail(f"{file}: a model is written as {', '.join(f'.{name}' for name in FORMATS)}.")
    if not file.absolute().parent.is_dir():
        fail(f"{file}: there is no such folder.")
    if form == "onnx":
        _require_onnx()
    return form


def _require_onnx() -> None:
    from app.http.problem_details import error_of
    from app.models.formats.onnx.file import require_onnx
    from core.errors import Refusal

    try:
        require_onnx()
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
