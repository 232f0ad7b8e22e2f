"""`gradd jobs` and `gradd train`: training from a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

jobs = typer.Typer(help="Training jobs of a server.", no_args_is_help=True)
Server = Annotated[str, typer.Option(envvar="GRADD_SERVER", help="Address of the server.")]
HERE = "http://127.0.0.1:8000"
ENDED = ("succeeded", "failed", "cancelled")
console = Console()


@contextmanager
def _client(server: str) -> Iterator[httpx.Client]:
    """A client; what cannot be done ends the command with its reason."""
    try:
        with httpx.Client(base_url=server, timeout=httpx.Timeout(70, connect=5)) as client:
            yield client
    except httpx.TransportError as error:
        _fail(f"{server} does not answer ({error}). Is `gradd serve` running?")


def _fail(reason: str) -> None:
    typer.echo(reason, err=True)
    raise typer.Exit(1)


def _answer(response: httpx.Response) -> dict[str, Any]:
    """The answer, or the end of the command with every error of the refusal."""
    answer: dict[str, Any] = response.json()
    if response.is_error:
        errors = [f"  {error['pointer']}: {error['detail']}" for error in answer.get("errors", [])]
        _fail("\n".join([f"{answer.get('title', response.reason_phrase)}: {answer.get('detail', '')}", *errors]))
    return answer


def _body(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def _posted(client: httpx.Client, file: Path) -> dict[str, Any]:
    return _answer(client.post("/v1/jobs", content=_body(file), headers={"Content-Type": "application/json"}))


def _told(job: dict[str, Any]) -> str:
    progress = job["progress"]
    words = [
        f"{name.replace('_', ' ')} {progress[name]:.5g}" for name in ("loss", "validation_loss") if name in progress
    ]
    words += [f"{name} {value:.4g}" for name, value in progress.get("metrics", {}).items()]
    return ", ".join(words)


@jobs.command("list")
def list_jobs(server: Server = HERE, limit: Annotated[int, typer.Option(min=1, max=100)] = 20) -> None:
    """The newest jobs."""
    with _client(server) as client:
        answer = _answer(client.get("/v1/jobs", params={"limit": limit}))
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
    with _client(server) as client:
        console.print_json(data=_answer(client.get(f"/v1/jobs/{job}")))


@jobs.command()
def submit(file: Annotated[Path, typer.Argument(help="The request as JSON, or -.")], server: Server = HERE) -> None:
    """Put a job into the queue and print its id."""
    with _client(server) as client:
        typer.echo(_posted(client, file)["id"])


@jobs.command()
def follow(job: str, server: Server = HERE) -> None:
    """Watch a job until it ends."""
    with _client(server) as client:
        _follow(client, job)


def _act(job: str, verb: str, server: str) -> None:
    with _client(server) as client:
        typer.echo(_answer(client.post(f"/v1/jobs/{job}/{verb}"))["status"])


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


def train(
    file: Annotated[Path, typer.Argument(help="The request of POST /v1/jobs as JSON, or -.")], server: Server = HERE
) -> None:
    """Train a network: put the job into the queue of a server and watch it to its end."""
    with _client(server) as client:
        job = _posted(client, file)
        typer.echo(job["id"])
        _follow(client, job["id"])


def _follow(client: httpx.Client, identity: str) -> None:
    job = _answer(client.get(f"/v1/jobs/{identity}"))
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TextColumn("{task.fields[told]}"), TimeRemainingColumn(), console=console) as bar:
        progress = job["progress"]
        unit = "parts" if "parts" in progress else "epochs"
        task = bar.add_task(job["status"], total=progress[unit], told="")
        began, first = time.monotonic(), progress.get("step", 0)
        while True:
            progress = job["progress"]
            done = progress.get("epoch", progress.get("parts_ended", 0))
            speed = (progress.get("step", 0) - first) / max(time.monotonic() - began, 0.1)
            told = _told(job) + (f", {speed:,.0f} steps/s" if job["status"] == "running" and speed else "")
            bar.update(task, description=job["status"], completed=done, total=progress[unit], told=told)
            if job["status"] in ENDED:
                break
            time.sleep(0.2)
            job = _answer(client.get(f"/v1/jobs/{identity}"))
    if job["status"] != "succeeded":
        _fail(f"{job['status']}: {job.get('error', {}).get('detail', 'as you asked')}")
    typer.echo(orjson.dumps(job["result"]).decode())
