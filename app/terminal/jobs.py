"""`gradd jobs`: the jobs of a server."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.terminal.server import HERE, RequestFile, Server, answered, connected, followed, posted

jobs = typer.Typer(help="Training jobs of a server.", no_args_is_help=True)
console = Console()


@jobs.command("list")
def list_jobs(server: Server = HERE, limit: Annotated[int, typer.Option(min=1, max=100)] = 20) -> None:
    """The newest jobs."""
    with connected(server) as client:
        answer = answered(client.get("/v1/jobs", params={"limit": limit}))
    table = Table("id", "name", "status", "epoch", "loss", box=None)
    for job in answer["data"]:
        progress = job["progress"]
        done = f"{progress.get('epoch', progress.get('parts_ended'))}/{progress.get('epochs', progress.get('parts'))}"
        table.add_row(
            job["id"], job.get("name", ""), job["status"], done, f"{progress['loss']:.6g}" if "loss" in progress else ""
        )
    console.print(table)


@jobs.command()
def show(job: str, server: Server = HERE) -> None:
    """A job as the server answers it."""
    with connected(server) as client:
        console.print_json(data=answered(client.get(f"/v1/jobs/{job}")))


@jobs.command()
def submit(file: RequestFile, server: Server = HERE) -> None:
    """Put a job into the queue and print its id."""
    with connected(server) as client:
        typer.echo(posted(client, file)["id"])


@jobs.command()
def follow(job: str, server: Server = HERE) -> None:
    """Watch a job until it ends."""
    with connected(server) as client:
        followed(client, job)


def _act(job: str, verb: str, server: str) -> None:
    with connected(server) as client:
        typer.echo(answered(client.post(f"/v1/jobs/{job}/{verb}"))["status"])


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
    with connected(server) as client:
        response = client.delete(f"/v1/jobs/{job}")
        if response.is_error:
            answered(response)
