"""A server, as the command line talks to it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import orjson
import typer

from app.terminal.bar import progress_bar

RequestFile = Annotated[
    Path,
    typer.Argument(
        help="The request of POST /v1/jobs as JSON, or -.", exists=True, dir_okay=False, readable=True, allow_dash=True
    ),
]
Server = Annotated[str, typer.Option(envvar="GRADD_SERVER", help="Address of the server.")]
HERE = "http://127.0.0.1:8000"
ENDED = ("succeeded", "failed", "cancelled")
LOOK_EVERY = 0.2
"""Seconds between two looks at a job."""


@contextmanager
def connected(server: str) -> Iterator[httpx.Client]:
    """A client; what cannot be done ends the command with its reason."""
    try:
        with httpx.Client(base_url=server, timeout=httpx.Timeout(70, connect=5)) as client:
            yield client
    except httpx.TransportError as error:
        fail(f"{server} does not answer ({error}). Is `gradd serve` running?")


def fail(reason: str) -> NoReturn:
    """End the command."""
    typer.echo(reason, err=True)
    raise typer.Exit(1)


def answered(response: httpx.Response) -> dict[str, Any]:
    """The answer, or the end of the command with every error of the refusal."""
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        fail(f"{response.url} answers with {response.status_code} and no JSON. Is it gradd?")
    if response.is_error:
        errors = [f"  {error['pointer']}: {error['detail']}" for error in answer.get("errors", [])]
        fail("\n".join([f"{answer.get('title', response.reason_phrase)}: {answer.get('detail', '')}", *errors]))
    return answer


def body_of(file: Path) -> bytes:
    """A request in a file, or in the standard input."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def posted(client: httpx.Client, file: Path) -> dict[str, Any]:
    """The job that a request makes."""
    return answered(client.post("/v1/jobs", content=body_of(file), headers={"Content-Type": "application/json"}))


def followed(client: httpx.Client, identity: str) -> None:
    """Watch a job to its end, and print what it came to."""
    job = answered(client.get(f"/v1/jobs/{identity}"))
    with progress_bar() as bar:
        bar.show(job["status"], job["progress"])
        while job["status"] not in ENDED:
            time.sleep(LOOK_EVERY)
            job = answered(client.get(f"/v1/jobs/{identity}"))
            bar.show(job["status"], job["progress"])
    if job["status"] != "succeeded":
        fail(f"{job['status']}: {job.get('error', {}).get('detail', 'as you asked')}")
    typer.echo(orjson.dumps(job["result"]).decode())
