"""Draws docs/images: requests of examples/requests and their answers as terminal pictures (make pictures).

Every number in a picture comes from the service. Ids and times are left out, so that a picture changes only with what it
shows.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from examples.server import running_server
from tests import ROOT

IMAGES = ROOT / "docs" / "images"
REQUESTS = ROOT / "examples" / "requests"
JSON = {"Content-Type": "application/json"}
ENDED = ("succeeded", "failed", "cancelled")
KILL_AT_EPOCH = 800


def main() -> None:
    """Draw all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with running_server() as server, httpx.Client(base_url=server, timeout=60) as client:
        for name, draw in (("gradients", gradients), ("check", check)):
            (IMAGES / f"{name}.svg").write_text(draw(client), encoding="utf-8")
    # A data folder that the worker shares.
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(GRADD_DATA_DIR=folder) as server,
        httpx.Client(base_url=server, timeout=60) as client,
    ):
        (IMAGES / "train.svg").write_text(train(client, folder), encoding="utf-8")


def gradients(client: httpx.Client) -> str:
    """The gradients of the XOR network, with their certificate."""
    answer = post(client, "/v1/gradients", "xor.json")

    def draw(console: Console) -> None:
        console.print(prompt("/v1/gradients", "xor.json"), highlight=False)
        rows = Table.grid(padding=(0, 2))
        for part in ("loss", "output", "deltas", "gradients", "certificate"):
            for name, value in leaves(part, answer[part]):
                rows.add_row(f"[cyan]{name}[/]", rounded(value))
        console.print(rows)

    return picture("POST /v1/gradients", draw)


def check(client: httpx.Client) -> str:
    """The check of a submission with one mistake."""
    answer = post(client, "/v1/check", "check.json")
    (blame,) = answer["blame"]

    def draw(console: Console) -> None:
        console.print(prompt("/v1/check", "check.json"), highlight=False)
        console.print(f"[bold red]{answer['verdict']}[/]  {answer['summary']}\n", highlight=False)
        rows = Table.grid(padding=(0, 2))
        for name in ("cause", "certainty", "why"):
            rows.add_row(f"[cyan]{name}[/]", blame[name])
        rows.add_row("[cyan]fix[/]", f"[green]{blame['fix']['numpy']}[/]")
        rows.add_row("[cyan]ratio[/]", f"{blame['evidence']['ratio']:.6f}")
        console.print(rows)
        console.print()
        table = Table("layer", "tensor", "status", "relative error", box=None, header_style="dim")
        for row in answer["tensors"]:
            if row["status"] != "missing":
                color = "red" if row["status"] == "wrong" else "green"
                table.add_row(
                    row["layer"], row["tensor"], f"[{color}]{row['status']}[/]", f"{row['relative_error']:.1e}"
                )
        console.print(table)

    return picture("POST /v1/check", draw)


def train(client: httpx.Client, folder: str) -> str:
    """Two runs of one job, the worker of the second one killed: the same model."""
    digits = (ROOT / "examples" / "data" / "digits.csv").read_bytes()
    query = {"targets": "digit", "classes": "index", "name": "digits"}
    client.post("/v1/datasets", params=query, content=digits, headers={"Content-Type": "text/csv"}).raise_for_status()
    worker = [sys.executable, "-c", "from app.cli import main; main()", "worker"]
    runs: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    with subprocess.Popen(worker, env={**os.environ, "GRADD_DATA_DIR": folder}) as supervisor:
        try:
            for kill in (False, True):
                runs.append(run(client, supervisor.pid if kill else None))
        finally:
            supervisor.terminate()
            supervisor.wait(20)
    epochs = [event["data"] for event in runs[1][1] if event["type"] == "metrics"]
    warnings = [event["data"]["detail"] for event in runs[1][1] if event["type"] == "warning"]

    def draw(console: Console) -> None:
        console.print("examples/requests/job.json, run twice. The second run:\n", highlight=False)
        table = Table("epoch", "loss", "validation loss", "training accuracy", box=None, header_style="dim")
        for epoch in (epochs[0], epochs[9], epochs[99], epochs[499], epochs[-1]):
            loss, validation = epoch["loss"], epoch["validation_loss"]
            accuracy = epoch["metrics"]["accuracy"]
            table.add_row(str(epoch["epoch"]), f"{loss:.5f}", f"{validation:.5f}", f"{accuracy:.4f}")
        console.print(table)
        console.print()
        console.print(f"kill -9 of its worker, after epoch {KILL_AT_EPOCH}:", highlight=False)
        for warning in warnings:
            console.print(f"[yellow]warning[/]  {warning}")
        console.print()
        for name, (job, _) in zip(("undisturbed", "worker killed"), runs, strict=True):
            console.print(f"{name:14} [green]{job['status']}[/]  {job['result']['model']}")

    return picture("POST /v1/jobs", draw)


def run(client: httpx.Client, supervisor: int | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A job at its end, with its events; the worker below a supervisor is killed on the way."""
    identity = post(client, "/v1/jobs", "job.json")["id"]
    while (job := client.get(f"/v1/jobs/{identity}").json())["status"] not in ENDED:
        if supervisor and job["progress"]["epoch"] > KILL_AT_EPOCH:
            subprocess.run(["pkill", "-9", "-P", str(supervisor)], check=True)
            supervisor = None
        time.sleep(0.1)
    events: list[dict[str, Any]] = []
    while True:
        query = {"after": events[-1]["id"] if events else 0}
        page = client.get(f"/v1/jobs/{identity}/events", params=query).json()
        events += page["data"]
        if not page["has_more"]:
            return job, events


def post(client: httpx.Client, path: str, name: str) -> dict[str, Any]:
    """The answer to a request of examples/requests."""
    response = client.post(path, content=(REQUESTS / name).read_bytes(), headers=JSON)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def prompt(path: str, name: str) -> str:
    """The command that sends a request."""
    command = f"curl -s http://127.0.0.1:8000{path} -H 'Content-Type: application/json'"
    return f"[dim]$[/] {command} \\\n      -d @examples/requests/{name}\n"


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The members of an answer that are no objects, with their paths."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(f"{name}.{key}", member)
    else:
        yield name, value


def rounded(value: Any) -> str:
    """A value as JSON, its numbers to five significant digits."""
    if isinstance(value, str):
        return value
    return json.dumps(json.loads(json.dumps(value), parse_float=lambda text: float(f"{float(text):.5g}")))


def texts(svg: str) -> str:
    """The words of a picture, without the places where they stand."""
    found = "".join(re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL))
    return "".join(html.unescape(found).split())


def picture(title: str, draw: Callable[[Console], None]) -> str:
    """What is drawn on a console, as SVG that loads nothing."""
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    draw(console)
    svg = console.export_svg(title=title, unique_id=title.replace(" ", "").replace("/", "-"))
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    main()
