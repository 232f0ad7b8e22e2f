"""Following a job of a server to its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli.progress import progress_bar
from app.cli.refusal import fail
from app.cli.server import connect, read_answer
from app.jobs.polling import POLL_SECONDS

ENDED = ("succeeded", "failed", "cancelled")

RETRIES = 7
"""How often a server that is gone is looked for again: for about a minute, in growing intervals."""


def follow_job(server: str, identity: str) -> dict[str, Any]:
    """Watch a job to its end, and print what it came to. Warnings, a worker's death for one, are printed as they come."""
    with connect(server) as client:
        job = read_answer(client.get(f"/v1/jobs/{identity}"))
    with connect(server, retries=RETRIES) as client, progress_bar() as bar:
        last = 0
        while True:
            bar.show(job["status"], job["progress"])
            last = _warned(client, identity, last, bar.say)
            if job["status"] in ENDED:
                break
            time.sleep(POLL_SECONDS)
            job = read_answer(client.get(f"/v1/jobs/{identity}"))
    result = job.get("result", {})
    if "parts" in result:
        _tabulate(result)
    if job["status"] != "succeeded":
        error = job.get("error", {})
        fail(f"{job['status']}: {error.get('detail', 'as you asked')}", *([error["hint"]] if "hint" in error else []))
    typer.echo(orjson.dumps({name: value for name, value in result.items() if name not in ("parts", "best")}).decode())
    return job


def _warned(client: httpx.Client, identity: str, last: int, say: Any) -> int:
    """Print the warnings after an event; returns the last event."""
    while True:
        answer = read_answer(client.get(f"/v1/jobs/{identity}/events", params={"after": last}))
        for event in answer["data"]:
            last = event["id"]
            if event["type"] == "warning":
                say(f"{event['at'][11:19]} {event['data']['detail']}")
        if not answer["has_more"]:
            return last


def _tabulate(result: Mapping[str, Any]) -> None:
    """The parts of a sweep, the best one marked."""
    table = Table("", Column("job", min_width=28), "variant", "status", "loss", "val. loss", box=None)
    best = result.get("best", {}).get("job")
    for part in result["parts"]:
        losses = [f"{part[name]:.5g}" if name in part else "" for name in ("loss", "validation_loss")]
        mark = "best" if part["job"] == best else ""
        table.add_row(mark, part["job"], described(part["variant"]), part["status"], *losses)
    Console().print(table)


def described(variant: Mapping[str, Any] | None) -> str:
    """What sets a part apart: seed=1, units.1=8."""
    return ", ".join(f"{name}={value}" for name, value in (variant or {}).items())
