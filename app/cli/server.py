"""A server, as the command line talks to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.cli.refusal import fail, refused

RequestFile = Annotated[
    Path,
    typer.Argument(
        help="The request of POST /v1/jobs as JSON, or -.", exists=True, dir_okay=False, readable=True, allow_dash=True
    ),
]
Server = Annotated[str, typer.Option(envvar="GRADD_SERVER", help="Address of the server.")]
HERE = "http://127.0.0.1:8000"


@contextmanager
def connect(server: str, *, retries: int = 0) -> Iterator[httpx.Client]:
    """A client; what cannot be done ends the command with its reason. Connections are tried again so many times."""
    transport = httpx.HTTPTransport(retries=retries)
    try:
        with httpx.Client(base_url=server, timeout=httpx.Timeout(70, connect=5), transport=transport) as client:
            yield client
    except httpx.TransportError as error:
        fail(f"{server} does not answer ({error}). Is `gradd serve` running?")


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """The answer, or the end of the command with every error of the refusal."""
    try:
        answer: dict[str, Any] = response.json() if response.content else {}
    except ValueError:
        fail(f"{response.url} answers with {response.status_code} and no JSON. Is it gradd?")
    if response.is_error:
        refused(answer.get("errors") or [{"pointer": "#", "detail": answer.get("detail", response.reason_phrase)}])
    return answer


def body_of(file: Path) -> bytes:
    """A request in a file, or in the standard input."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def post_job(client: httpx.Client, file: Path) -> dict[str, Any]:
    """The job that a request makes."""
    return read_answer(client.post("/v1/jobs", content=body_of(file), headers={"Content-Type": "application/json"}))


def fetch_model(client: httpx.Client, model: str, file: Path, form: str) -> None:
    """Write a model into a file."""
    response = client.get(f"/v1/models/{model}/export", params={"format": form})
    if response.is_error:
        read_answer(response)
    file.write_bytes(response.content)
