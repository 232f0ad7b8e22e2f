"""`gradd train`: a training run in this process, or on a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.cli.follow import follow_job
from app.cli.progress import progress_bar
from app.cli.refusal import fail, refused
from app.cli.server import RequestFile, body_of, connect, fetch_model, post_job
from app.http.problem_details import error_of
from app.jobs.local import LocalRun
from app.models.formats.onnx_file import require_onnx
from app.models.transfers import EXPORTERS
from app.settings import Settings
from core.errors import Refusal

FORMS = ", ".join(f".{form}" for form in EXPORTERS)


def train(
    file: RequestFile,
    output: Annotated[
        Path | None, typer.Option(help=f"Where the model goes: {FORMS}. Default here: FILE.model.json.")
    ] = None,
    server: Annotated[str | None, typer.Option(help="Train as a job of that server instead, and watch it.")] = None,
) -> None:
    """Train a network here, without a server: the same request, the same loop, the same bits as a job."""
    try:
        if not server:
            return _train_here(file, output or Path(f"{'job' if str(file) == '-' else file.stem}.model.json"))
        if output:
            form_of(output)
        with connect(server) as client:
            identity = post_job(client, file)["id"]
            typer.echo(identity)
        result = follow_job(server, identity)["result"]
        if output:
            with connect(server) as client:
                fetch_model(client, result["model"], output, form_of(output))
    except Refusal as refusal:
        refused([error_of(issue) for issue in refusal.issues])


def _train_here(file: Path, output: Path) -> None:
    form = form_of(output)
    run = LocalRun(body_of(file), Settings())
    with progress_bar() as bar:
        for progress in run.progress():
            bar.show("running" if progress["epoch"] < progress["epochs"] else "done", progress)
    try:
        output.write_bytes(EXPORTERS[form](run.model(), "row"))
    except Refusal:
        # Not every network can be an ONNX file. The work is not lost for that.
        output = output.with_suffix(".json")
        output.write_bytes(EXPORTERS["json"](run.model(), "row"))
        typer.echo(f"It cannot be written as {form}; it is in {output} instead.", err=True)
        raise
    typer.echo(orjson.dumps({"model": str(output), **run.result()}).decode())


def form_of(output: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        Refusal: where this installation cannot write it.
    """
    form = output.suffix.removeprefix(".")
    if form not in EXPORTERS:
        fail(f"{output}: a model is written as {FORMS}.")
    if not output.absolute().parent.is_dir():
        fail(f"{output}: there is no such folder.")
    if form == "onnx":
        require_onnx()
    return form
