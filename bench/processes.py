"""Requests per second of `gradd serve` with one process and with two, and what a request costs in processor time.

python -m bench.processes                                    needs wrk
python -m bench.processes 2 "2 GRADD_COMPUTE_THREADS=2"      compares these: number of processes, and variables

All services run all the time and are asked in turns, by 16 connections. Where there are more than two processors and
taskset, the servers have two and wrk the others; else wrk shares them, and what it takes is in the table. On a machine that
does other things too, the processor time of a request (all server processes together) is the number to trust: N processes
that keep N processors busy serve N / time requests a second.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CONNECTIONS = 16
SECONDS = 2
ROUNDS = 7
TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = sorted(os.sched_getaffinity(0))
APART = len(PROCESSORS) > 2 and shutil.which("taskset") is not None
"""Whether the servers have two processors and wrk the others."""

CONTENDERS = sys.argv[1:] or ["1", "1 OPENBLAS_NUM_THREADS=1", "2"]
"""Services: number of processes, and environment variables. Ratios are to the first."""

SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = "application/json"
done = function(summary) io.write("refused ", summary.errors.status, "\\n") end
"""


class Turn(NamedTuple):
    """What a service did while wrk asked it."""

    requests: float
    """Requests per second."""

    cost: float
    """Seconds of processor time per request, of all server processes."""

    servers: float
    """Processors that the servers kept busy."""

    client: float
    """Processors that wrk kept busy."""


def requests() -> dict[str, dict[str, Any]]:
    """The bodies of the requests, all for /v1/gradients."""
    draw = np.random.default_rng(0)

    def of(widths: tuple[int, ...], examples: int, hidden: str, output: str, loss: str) -> dict[str, Any]:
        pairs = list(pairwise(widths))
        activations = [hidden] * (len(pairs) - 1) + [output]
        layers = [
            {"kind": "dense", "units": width[1], "activation": activation}
            for width, activation in zip(pairs, activations, strict=True)
        ]
        parameters = {
            str(number): {
                "weight": draw.standard_normal(shape).tolist(),
                "bias": draw.standard_normal(shape[1]).tolist(),
            }
            for number, shape in enumerate(pairs, 1)
        }
        inputs = draw.standard_normal((examples, widths[0])).tolist()
        classes = draw.integers(widths[-1], size=examples).tolist()
        targets = classes if loss == "softmax_cross_entropy" else draw.random((examples, widths[-1])).tolist()
        return {
            "network": {"layers": layers},
            "parameters": parameters,
            "batch": {"inputs": inputs, "targets": targets},
            "loss": {"kind": loss},
        }

    return {
        "2-3-1, 4 examples": of((2, 3, 1), 4, "tanh", "sigmoid", "half_squared_error"),
        "784-128-10, 64 examples": of((784, 128, 10), 64, "relu", "identity", "softmax_cross_entropy"),
    }


class Service:
    """A running `gradd serve`."""

    def __init__(self, name: str, process: subprocess.Popen[str], address: str) -> None:
        self.name, self.address = name, address
        found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        self._pids = [process.pid, *map(int, found)]

    def seconds(self) -> float:
        """Processor time so far, of all its processes."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._pids]
        return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS


@contextmanager
def service(name: str) -> Iterator[Service]:
    """A contender, without a worker and otherwise as it is by default."""
    count, *variables = name.split()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--no-worker", "--processes", count]
    if APART:
        command = ["taskset", "-c", ",".join(map(str, PROCESSORS[:2])), *command]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment |= dict(variable.split("=", 1) for variable in variables)
    with tempfile.TemporaryDirectory() as folder:
        environment["GRADD_DATA_DIR"] = folder
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603  (ours)
        try:
            assert process.stdout  # noqa: S101
            yield Service(name, process, process.stdout.readline().split("open ")[1].split()[0])
        finally:
            process.terminate()
            process.wait()


def turn(asked: Service, script: Path) -> Turn:
    """Let wrk ask a service for a while."""
    before, client = asked.seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
    place = ["taskset", "-c", ",".join(map(str, PROCESSORS[2:]))] if APART else []
    wrk = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--timeout", "30s", "-s", str(script)]
    told = subprocess.run(  # noqa: S603  (our own command)
        [*place, *wrk, f"{asked.address}/v1/gradients"], capture_output=True, text=True, check=True
    ).stdout
    after, spent = asked.seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"(\d+) requests in ([\d.]+)s", told)
    if not found or "refused 0\n" not in told:
        raise RuntimeError(told)
    count, seconds = int(found[1]), float(found[2])
    busy = (after - before) / seconds
    used = spent.ru_utime + spent.ru_stime - client.ru_utime - client.ru_stime
    # It computes for clients that are gone; the next turn is another one's.
    while asked.seconds() > after:
        after = asked.seconds()
        time.sleep(0.1)
    return Turn(count / seconds, busy * seconds / max(1, count), busy, used / seconds)


def main() -> None:
    """Print the table."""
    if not shutil.which("wrk"):
        print("wrk is not installed; nothing was measured")
        return
    print(f"{CONNECTIONS} connections, {len(PROCESSORS)} processors, wrk {'on its own' if APART else 'shares them'}\n")
    print("Median of the turns; in brackets the best turn, in which a shared machine did the least else.\n")
    print("| request | processes | requests/s | x first | time of a request | servers' processors | wrk's |")
    print("|---|---|---|---|---|---|---|")
    with ExitStack() as stack:
        services = [stack.enter_context(service(name)) for name in CONTENDERS]
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        for name, body in requests().items():
            file, script = Path(folder, "body.json"), Path(folder, "ask.lua")
            file.write_text(json.dumps(body))
            script.write_text(SCRIPT.format(body=file))
            # The first round warms them up.
            rounds = [[turn(asked, script) for asked in services] for _ in range(ROUNDS + 1)][1:]
            for place, asked in enumerate(services):
                rate, cost, servers, client = map(
                    statistics.median, zip(*(turns[place] for turns in rounds), strict=True)
                )
                best = [max(turn.requests for turn in turns) for turns in zip(*rounds, strict=True)]
                ratio = statistics.median(turns[place].requests / turns[0].requests for turns in rounds)
                print(
                    f"| {name} | {asked.name} | {rate:.0f} ({best[place]:.0f}) "
                    f"| {ratio:.2f} ({best[place] / best[0]:.2f}) | {1000 * cost:.2f} ms "
                    f"| {servers:.2f} | {client:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
