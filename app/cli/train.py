"""`gradd train`: a training run in this process, or as a job of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import FORMATS, RequestFile
from app.cli.refusal import fail

Output = Annotated[
    Path | None,
    typer.Option(
        help=f"File for the model, such as model.safetensors; its extension is the format: {', '.join(FORMATS)}. "
        "Without it the model of job.json is written to job.model.json; with --server it stays on the server."
    ),
]
TrainingServer = Annotated[
    str | None,
    typer.Option(
        help="Address of a server, such as http://127.0.0.1:8000, that trains the network as a job. "
        "Without it training runs in this process, whatever GRADD_SERVER says."
    ),
]


def train(file: RequestFile, output: Output = None, server: TrainingServer = None) -> None:
    """Train a network without a server and write its model to a file.

    The file is the request of a job, and the model is that of the job.

    Ctrl-C stops training and keeps the model of the last finished epoch.
    """
    try:
        from app.cli import training

        if server:
            training.train_on_server(file, output, server)
        else:
            training.train_here(file, output)
    except KeyboardInterrupt:
        where = (
            f"gradd jobs list --server {server} shows the job if it was submitted." if server else "No epoch has ended."
        )
        fail(f"Interrupted. {where}", status=130)
