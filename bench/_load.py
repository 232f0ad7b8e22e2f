"""Load from wrk: one request over and over, from a number of connections, each of which waits for its answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench._cases import Message
from bench._server import HOST, Server

WRK = shutil.which("wrk")

_SCRIPT = """
local file = io.open(%(body)s, "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = %(content_type)s
wrk.headers["Accept"] = %(accept)s
function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  local form = '\\nfound {"requests": %%d, "microseconds": %%d, "refused": %%d, "lost": %%d, "p50": %%d, "p99": %%d}\\n'
  io.write(string.format(form, summary.requests, summary.duration, errors.status, lost,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Turn:
    """What one turn of a contender gave."""

    requests: int
    per_second: float
    p50: float
    p99: float
    processor_seconds: float


def turn(server: Server, message: Message, connections: int, seconds: int) -> Turn:
    """Send a message for some seconds and return what was measured. Times are in seconds.

    Raises:
        RuntimeError: if an answer was not a success, or none came.
    """
    if WRK is None:
        raise RuntimeError("wrk is not installed")
    server.wait_until_idle()
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "send.lua"
        body.write_bytes(message.body)
        texts = {"body": str(body), "content_type": message.content_type, "accept": message.content_type}
        script.write_text(_SCRIPT % {name: json.dumps(text) for name, text in texts.items()})
        url = f"http://{HOST}:{server.port}{message.path}"
        command = [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), url]
        before = server.processor_seconds()
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        used = server.processor_seconds() - before
    found = json.loads(printed.partition("\nfound ")[2])
    if found["refused"] or found["lost"] or not found["requests"]:
        raise RuntimeError(f"not every request to {url} had its answer: {found}")
    rate = found["requests"] / found["microseconds"] * 1e6
    return Turn(found["requests"], rate, found["p50"] / 1e6, found["p99"] / 1e6, used)
