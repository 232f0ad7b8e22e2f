"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LOCAL_SERVER = "http://127.0.0.1:8000"

FORMATS = ("safetensors", "npz", "json", "onnx")
"""File name extensions of model files."""

RequestFile = Annotated[
    Path,
    typer.Argument(
        help="File with the body of POST /v1/jobs as JSON, such as job.json; - reads the standard input.",
        exists=True,
        dir_okay=False,
        readable=True,
        allow_dash=True,
    ),
]

JobId = Annotated[
    str, typer.Argument(help="Id of the job, such as job_7ce44cc97c0086da81dbdd16; `gradd jobs list` shows the ids.")
]

Server = Annotated[
    str,
    typer.Option(
        envvar="GRADD_SERVER",
        help="Address of the server, such as http://127.0.0.1:9000 after `gradd serve --port 9000`.",
    ),
]
