"""`gradd jobs`: the jobs of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli.follow import described, follow_job
from app.cli.refusal import fail
from app.cli.server import HERE, RequestFile, Server, connect, fetch_model, post_job, read_answer
from app.cli.train import form_of

jobs = typer.Typer(help="Training jobs of a server.", no_args_is_help=True)
console = Console()


@jobs.command("list")
def list_jobs(server: Server = HERE, limit: Annotated[int, typer.Option(min=1, max=100)] = 20) -> None:
    """The newest jobs; under a sweep its parts, by what sets them apart."""
    with connect(server) as client:
        answer = read_answer(client.get("/v1/jobs", params={"limit": limit}))
    table = Table(Column("id", min_width=28), "name", "status", "done", "loss", box=None)
    for job in answer["data"]:
        progress = job["progress"]
        done = f"{progress.get('epoch', progress.get('parts_ended'))}/{progress.get('epochs', progress.get('parts'))}"
        loss = progress.get("loss", job.get("result", {}).get("best", {}).get("loss"))
        told = "" if loss is None else f"{loss:.6g}"
        name = " ".join(filter(None, (job.get("name"), described(job.get("variant")))))
        table.add_row(job["id"], name, job["status"], done, told)
    console.print(table)


@jobs.command()
def show(job: str, server: Server = HERE) -> None:
    """A job as the server answers it."""
    with connect(server) as client:
        console.print_json(data=read_answer(client.get(f"/v1/jobs/{job}")))


@jobs.command()
def submit(file: RequestFile, server: Server = HERE) -> None:
    """Put a job into the queue and print its id."""
    with connect(server) as client:
        typer.echo(post_job(client, file)["id"])


@jobs.command()
def follow(job: str, server: Server = HERE) -> None:
    """Watch a job until it ends."""
    follow_job(server, job)


@jobs.command()
def fetch(job: str, output: Path, server: Server = HERE) -> None:
    """Write the model that a job came to into a file: .safetensors, .npz, .json or .onnx."""
    form = form_of(output)
    with connect(server) as client:
        model = read_answer(client.get(f"/v1/jobs/{job}")).get("result", {}).get("model")
        if model is None:
            fail(f"Job {job} has come to no model yet; GET /v1/jobs/{job}/checkpoints lists those of its checkpoints.")
        fetch_model(client, model, output, form)


def _act(job: str, verb: str, server: str) -> None:
    with connect(server) as client:
        typer.echo(read_answer(client.post(f"/v1/jobs/{job}/{verb}"))["status"])


@jobs.command()
def cancel(job: str, server: Server = HERE) -> None:
    """Cancel a job."""
    _act(job, "cancel", server)


@jobs.command()
def pause(job: str, server: Server = HERE) -> None:
    """Pause a job."""
    _act(job, "pause", server)


@jobs.command()
def resume(job: str, server: Server = HERE) -> None:
    """Let a paused job go on."""
    _act(job, "resume", server)


@jobs.command()
def delete(job: str, server: Server = HERE) -> None:
    """Delete a job that has ended; the model that it came to stays."""
    with connect(server) as client:
        read_answer(client.delete(f"/v1/jobs/{job}"))
