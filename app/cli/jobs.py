"""`gradd jobs`: the training jobs of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.job_body import read_body
from app.cli.options import FORMATS, LOCAL_SERVER, JobId, RequestFile, Server
from app.cli.refusal import fail
from app.cli.server import connect, fetch_model, post_job, read_answer
from app.cli.variants import variant_text

jobs = typer.Typer(
    help="List, submit, follow and control the training jobs of a server.",
    epilog="Example: gradd jobs submit job.json --server http://127.0.0.1:9000. The variable GRADD_API_KEY holds the API key "
    "for a server that needs one.",
    no_args_is_help=True,
)

Limit = Annotated[int, typer.Option(min=1, max=100, help="Largest number of jobs to list, such as 5.")]
ModelFile = Annotated[
    Path,
    typer.Argument(
        help=f"File to write, such as model.safetensors; its extension is the format: {', '.join(FORMATS)}."
    ),
]


@jobs.command("list", epilog="Example: gradd jobs list --limit 5")
def list_jobs(server: Server = LOCAL_SERVER, limit: Limit = 20) -> None:
    """List the newest jobs. The parts of a sweep stand below it, with the values that distinguish them."""
    from rich.console import Console
    from rich.table import Column, Table

    with connect(server) as client:
        answer = read_answer(client.get("/v1/jobs", params={"limit": limit}))
    table = Table(Column("id", min_width=28), "name", "status", "done", "loss", box=None)
    for job in answer["data"]:
        progress = job["progress"]
        done = f"{progress.get('epoch', progress.get('parts_ended'))}/{progress.get('epochs', progress.get('parts'))}"
        loss = progress.get("loss", job.get("result", {}).get("best", {}).get("loss"))
        loss_text = "" if loss is None else f"{loss:.6g}"
        name = " ".join(filter(None, (job.get("name"), variant_text(job.get("variant")))))
        table.add_row(job["id"], name, job["status"], done, loss_text)
    Console().print(table)


@jobs.command(epilog="Example: gradd jobs show job_7ce44cc97c0086da81dbdd16")
def show(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Print a job as JSON: its status, progress, result and the actions that are allowed now."""
    from rich.console import Console

    with connect(server) as client:
        Console().print_json(data=read_answer(client.get(f"/v1/jobs/{job}")))


@jobs.command(epilog="Example: gradd jobs submit job.json")
def submit(file: RequestFile, server: Server = LOCAL_SERVER) -> None:
    """Submit a job and print its id."""
    with connect(server) as client:
        typer.echo(post_job(client, read_body(file))["id"])


@jobs.command(epilog="Example: gradd jobs follow job_7ce44cc97c0086da81dbdd16")
def follow(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Show the progress of a job until it ends. Ctrl-C stops the display; the job goes on."""
    from app.cli.follow import follow_job

    follow_job(server, job)


@jobs.command(epilog="Example: gradd jobs fetch job_7ce44cc97c0086da81dbdd16 model.safetensors")
def fetch(job: JobId, output: ModelFile, server: Server = LOCAL_SERVER) -> None:
    """Write the model that a job has trained to a file."""
    from app.cli.model_files import format_of

    form = format_of(output)
    with connect(server) as client:
        model = read_answer(client.get(f"/v1/jobs/{job}")).get("result", {}).get("model")
        if model is None:
            fail(f"Job {job} has no model yet; GET /v1/jobs/{job}/checkpoints lists its checkpoints.")
        fetch_model(client, model, output, form)


def _act(job: str, verb: str, server: str) -> None:
    with connect(server) as client:
        typer.echo(read_answer(client.post(f"/v1/jobs/{job}/{verb}"))["status"])


@jobs.command(epilog="Example: gradd jobs cancel job_7ce44cc97c0086da81dbdd16")
def cancel(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Cancel a job for good and print its status."""
    _act(job, "cancel", server)


@jobs.command(epilog="Example: gradd jobs pause job_7ce44cc97c0086da81dbdd16")
def pause(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Pause a job at its last checkpoint and print its status."""
    _act(job, "pause", server)


@jobs.command(epilog="Example: gradd jobs resume job_7ce44cc97c0086da81dbdd16")
def resume(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Put a paused or failed job back into the queue and print its status. It continues from its last checkpoint."""
    _act(job, "resume", server)


@jobs.command(epilog="Example: gradd jobs delete job_7ce44cc97c0086da81dbdd16")
def delete(job: JobId, server: Server = LOCAL_SERVER) -> None:
    """Delete a job that has ended. The model that it has trained stays."""
    with connect(server) as client:
        read_answer(client.delete(f"/v1/jobs/{job}"))
