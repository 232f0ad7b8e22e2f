"""Training runs of `gradd train`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import NoReturn

import orjson
import typer

from app.cli.follow import follow_job
from app.cli.job_body import read_body
from app.cli.model_files import format_of
from app.cli.progress import progress_bar
from app.cli.refusal import fail, print_refusal
from app.cli.server import connect, fetch_model, post_job
from app.http.problem_details import error_of
from app.jobs.local import LocalRun
from app.models.transfers import EXPORTERS
from app.settings import Settings
from core.errors import Refusal


def train_on_server(file: Path, output: Path | None, server: str) -> None:
    """Submit a job, follow it to its end and, with `output`, write its model to that file."""
    form = format_of(output) if output else ""
    with connect(server) as client:
        identity = post_job(client, read_body(file))["id"]
        typer.echo(identity)
    result = follow_job(server, identity)["result"]
    if output:
        with connect(server) as client:
            fetch_model(client, result["model"], output, form)


def train_here(file: Path, output: Path | None) -> None:
    """Train in this process and write the model; after Ctrl-C, that of the last finished epoch."""
    stem = "job" if str(file) == "-" else file.stem
    end = output or Path(f"{stem}.model.json")
    format_of(end)
    body = read_body(file)
    try:
        run = LocalRun(body, Settings())
        try:
            with progress_bar(run.examples_per_epoch) as bar:
                for progress in run.progress():
                    bar.show("running" if progress["epoch"] < progress["epochs"] else "done", progress)
            written = _write(run, end)
        except KeyboardInterrupt:
            _keep(run, output, stem)
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    typer.echo(orjson.dumps({"model": str(written), **run.result()}).decode())


def _keep(run: LocalRun, output: Path | None, stem: str) -> NoReturn:
    """Write the model of the last finished epoch and end the command."""
    # A second Ctrl-C must not leave half a file.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not run.epochs_done:
        fail("Interrupted in the first epoch: there is no model to keep.", status=130)
    epoch = run.result()["epoch"]
    # Without --output an earlier run's model stays as it is.
    written = _write(run, output or Path(f"{stem}.epoch-{epoch}.model.json"))
    lines = [
        f"Interrupted after {run.epochs_done:,} of {run.epochs:,} epochs.",
        f"The model of epoch {epoch:,} is kept in {written}.",
    ]
    fail(*lines, *([] if output else ["  --output FILE writes it to another file."]), status=130)


def _write(run: LocalRun, output: Path) -> Path:
    """Write the model and return its file.

    Raises:
        Refusal: if the format cannot hold the network. The model is then in a JSON file beside it.
    """
    form = output.suffix.removeprefix(".")
    try:
        output.write_bytes(EXPORTERS[form](run.model(), "row"))
    except Refusal:
        fallback = output.with_suffix(".json")
        fallback.write_bytes(EXPORTERS["json"](run.model(), "row"))
        typer.echo(f"It cannot be written as {form}; it is in {fallback} instead.", err=True)
        raise
    return output
