"""`gradd train`: a training run in this process, or on a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.jobs.local import LocalRun
from app.problems import error_of
from app.settings import Settings
from app.storage import Database
from app.terminal.bar import progress_bar
from app.terminal.server import RequestFile, body_of, connected, fail, followed, posted
from app.transfers import EXPORTERS
from core.errors import Refusal


def train(
    file: RequestFile,
    output: Annotated[
        Path | None,
        typer.Option(
            help=f"Where the model goes: {', '.join(f'.{form}' for form in EXPORTERS)}. Default: FILE.model.json."
        ),
    ] = None,
    server: Annotated[str | None, typer.Option(help="Train as a job of that server instead, and watch it.")] = None,
) -> None:
    """Train a network here, without a server: the same request, the same loop, the same bits as a job."""
    if server:
        with connected(server) as client:
            job = posted(client, file)
            typer.echo(job["id"])
            followed(client, job["id"])
        return
    output = output or Path(f"{'job' if str(file) == '-' else file.stem}.model.json")
    form = output.suffix.removeprefix(".")
    if form not in EXPORTERS:
        fail(f"{output}: a model is written as {', '.join(f'.{form}' for form in EXPORTERS)}.")
    if not output.absolute().parent.is_dir():
        fail(f"{output}: there is no such folder.")
    settings = Settings()
    database = Database(settings.database_url)
    try:
        run = LocalRun(body_of(file), settings, database)
        with progress_bar() as bar:
            for progress in run.progress():
                bar.show("running" if progress["epoch"] < progress["epochs"] else "done", progress)
    except Refusal as refusal:
        fail(_told(refusal))
    finally:
        database.close()
    try:
        output.write_bytes(EXPORTERS[form](run.model(), "row"))
    except Refusal as refusal:
        # Not every network can be an ONNX file; the work is not lost for that.
        typer.echo(f"{_told(refusal)}\nWritten as JSON instead.", err=True)
        output = output.with_suffix(".json")
        output.write_bytes(EXPORTERS["json"](run.model(), "row"))
    typer.echo(orjson.dumps({"model": str(output), **run.result()}).decode())


def _told(refusal: Refusal) -> str:
    errors = [error_of(issue) for issue in refusal.issues]
    return "\n".join(f"{error['pointer']}: {error['detail']}" for error in errors)
