"""Requests to a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.refusal import fail, print_refusal

if TYPE_CHECKING:
    import httpx


@contextmanager
def connect(server: str, *, retries: int = 0) -> Iterator[httpx.Client]:
    """Return a client of a server.

    A server that does not answer ends the command with a message; `retries` is how often a connection is tried again.
    """
    import httpx

    transport = httpx.HTTPTransport(retries=retries)
    try:
        timeout = httpx.Timeout(70, connect=5)
        with httpx.Client(base_url=server, headers=_headers(), timeout=timeout, transport=transport) as client:
            yield client
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        fail(f"{server} is no address of a server ({error}); http://127.0.0.1:8000 is one.")
    except httpx.TransportError as error:
        fail(
            f"{server} does not answer ({error}). Is `gradd serve` running?",
            "  --server or the variable GRADD_SERVER names another address, such as http://127.0.0.1:9000.",
        )


def _headers() -> dict[str, str]:
    """Return the headers of requests: with the API key of the variable GRADD_API_KEY, if there is one.

    The command line does not take a key as an option, which other users of the machine could see.
    """
    key = os.environ.get("GRADD_API_KEY", "").strip()
    if not key:
        return {}
    if not key.isascii() or not key.isprintable():
        fail("GRADD_API_KEY is no key: it has characters that no key has.")
    return {"Authorization": f"Bearer {key}"}


def read_answer(response: httpx.Response) -> dict[str, Any]:
    """Return the answer of the server. A refusal ends the command with all its errors."""
    try:
        answer: dict[str, Any] = response.json() if response.content else {}
    except ValueError:
        fail(f"{response.url} answers with {response.status_code} and no JSON. Is it gradd?")
    if response.is_error:
        errors = answer.get("errors") or [{"pointer": "#", "detail": answer.get("detail", response.reason_phrase)}]
        print_refusal(errors)
    return answer


def post_job(client: httpx.Client, body: bytes) -> dict[str, Any]:
    """Create a job and return it."""
    response = client.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    return read_answer(response)


def fetch_model(client: httpx.Client, model: str, file: Path, form: str) -> None:
    """Write a model of the server to a file."""
    response = client.get(f"/v1/models/{model}/export", params={"format": form})
    if response.is_error:
        read_answer(response)
    file.write_bytes(response.content)
