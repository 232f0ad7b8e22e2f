"""Following a job of a server to its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
import typer
from rich.console import Console
from rich.table import Column, Table

from app.cli.options import LOCAL_SERVER
from app.cli.progress import Bar, progress_bar
from app.cli.refusal import fail
from app.cli.server import connect, read_answer
from app.cli.variants import variant_text
from app.jobs.polling import POLL_SECONDS

if TYPE_CHECKING:
    import httpx

ENDED = ("succeeded", "failed", "cancelled")

RETRIES = 7
"""The number of attempts to restore a lost connection: for about a minute, in growing intervals."""


def follow_job(server: str, identity: str) -> dict[str, Any]:
    """Show the progress of a job until it ends; print its result and return the job.

    Warnings are printed as they arrive. Ctrl-C ends the command, not the job.
    """
    try:
        job = _watch(server, identity)
    except KeyboardInterrupt:
        option = "" if server == LOCAL_SERVER else f" --server {server}"
        fail(
            f"The job goes on at {server}.",
            f"  follow it again: gradd jobs follow {identity}{option}",
            f"  cancel it:       gradd jobs cancel {identity}{option}",
            status=130,
        )
    result = job.get("result", {})
    if "parts" in result:
        _print_parts(result)
    if job["status"] != "succeeded":
        error = job.get("error", {})
        fail(f"{job['status']}: {error.get('detail', 'as you asked')}", *([error["hint"]] if "hint" in error else []))
    typer.echo(orjson.dumps({name: value for name, value in result.items() if name not in ("parts", "best")}).decode())
    return job


def _watch(server: str, identity: str) -> dict[str, Any]:
    """Draw the progress bar of a job until it ends; return the job."""
    with connect(server) as client:
        job = read_answer(client.get(f"/v1/jobs/{identity}"))
    with connect(server, retries=RETRIES) as client, progress_bar() as bar:
        last, report = 0, dict[str, Any]()
        while True:
            last, newest = _read_events(client, identity, last, bar)
            report = newest or report
            bar.show(job["status"], job["progress"] | ({} if "parts" in job["progress"] else report))
            if job["status"] in ENDED:
                return job
            time.sleep(POLL_SECONDS)
            job = read_answer(client.get(f"/v1/jobs/{identity}"))


def _read_events(client: httpx.Client, identity: str, last: int, bar: Bar) -> tuple[int, dict[str, Any]]:
    """Print the warnings after event `last`; return the number of the newest event and the newest report of an epoch."""
    report: dict[str, Any] = {}
    while True:
        answer = read_answer(client.get(f"/v1/jobs/{identity}/events", params={"after": last}))
        for event in answer["data"]:
            last = event["id"]
            if event["type"] == "warning":
                bar.say(f"{event['at'][11:19]} {event['data']['detail']}")
            elif event["type"] == "metrics":
                report = event["data"]
        if not answer["has_more"]:
            return last, report


def _print_parts(result: Mapping[str, Any]) -> None:
    """Print a table of the parts of a sweep with the best one marked."""
    table = Table("", Column("job", min_width=28), "variant", "status", "training loss", "validation loss", box=None)
    best = result.get("best", {}).get("job")
    for part in result["parts"]:
        losses = [f"{part[name]:.5g}" if name in part else "" for name in ("loss", "validation_loss")]
        mark = "best" if part["job"] == best else ""
        table.add_row(mark, part["job"], variant_text(part["variant"]), part["status"], *losses)
    Console().print(table)
