"""What the clients of a mixed load do: each function is one visit of a client, to a server at an address."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from urllib.parse import urlsplit

import httpx
import numpy as np

from tests.app.jobs.service import long_job
from tests.server import examples
from tests.soak.clients import LARGE, model_of

JSON = {"Content-Type": "application/json"}
FOR_NOW = (503, 504, 507)
BODY_LIMIT = 8 * 2**20
"""GRADD_MAX_BODY_BYTES of the server, so that a body that is too large is a short one."""


class Client:
    """Sends requests and counts the answers by status."""

    def __init__(self, address: str, seed: int, counts: Counter[str], complaints: list[str], lock: Lock) -> None:
        """Prepare, with the counts that all clients share."""
        self.address, self.chance = address, random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self._http = httpx.Client(base_url=address, timeout=120)
        self._counts, self._complaints, self._lock = counts, complaints, lock

    def send(self, method: str, path: str, expected: tuple[int, ...], **more: object) -> httpx.Response:
        """Send one request; another status than one expected or a refusal for now is a complaint."""
        answer = self._http.request(method, path, **more)  # type: ignore[arg-type]
        with self._lock:
            self._counts[str(answer.status_code)] += 1
            if answer.status_code not in (*expected, *FOR_NOW):
                self._complaints.append(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def count(self, what: str) -> None:
        """Count something that has no status."""
        with self._lock:
            self._counts[what] += 1

    def stream(self, path: str, lines: int) -> None:
        """Read some lines of a stream of events, then leave; fewer if it ends before."""
        with self._http.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
            for number, _ in enumerate(answer.iter_lines()):
                if number >= lines:
                    break
        self.count("streams")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def small(client: Client) -> None:
    """Send one of the documented examples."""
    path, body = client.chance.choice([entry for entry in examples().values() if not entry[0].startswith(_STORED)])
    client.send("POST", path, (200,), json=body)


_STORED = ("/v1/models", "/v1/datasets", "/v1/jobs")


def another_form(client: Client) -> None:
    """Send a network of a form that nobody has sent before, and its certificate."""
    units = [client.chance.randrange(1, 60) for _ in range(3)]
    layers = [{"kind": "dense", "units": number, "activation": "tanh"} for number in units]
    rows, columns = client.chance.randrange(1, 20), client.chance.randrange(1, 40)
    batch = {
        "inputs": client.numbers.normal(size=(rows, columns)).tolist(),
        "targets": client.numbers.normal(size=(rows, units[-1])).tolist(),
    }
    body = {"network": {"layers": layers}, "seed": 1, "batch": batch, "loss": {"kind": "mean_squared_error"}}
    client.send("POST", "/v1/gradients", (200,), json={**body, "convention": "row", "verify": True})


def large(client: Client) -> None:
    """Ask for a computation that a process answers."""
    client.send("POST", "/v1/forward", (200,), content=LARGE, headers=JSON)


def model(client: Client) -> None:
    """Store a model, use it, export it, take the file in again, and delete it."""
    stored = client.send(
        "POST", "/v1/models", (200, 201), json=model_of(client.numbers, client.chance.randrange(8, 200))
    )
    if stored.status_code in FOR_NOW:
        return
    path = f"/v1/models/{stored.json()['id']}"
    rows = client.numbers.normal(size=(3, 16)).tolist()
    body = {"model": stored.json()["id"], "batch": {"inputs": rows}, "convention": "row"}
    client.send("POST", "/v1/forward", (200,), json=body)
    file = client.send("GET", f"{path}/export?format=onnx", (200,))
    if file.status_code == 200:
        client.send("POST", "/v1/models/import?format=onnx", (200, 201), content=file.content)
    client.send("DELETE", path, (204,))


def dataset(client: Client) -> None:
    """Store a dataset, look at it, and delete it."""
    rows = client.numbers.normal(size=(client.chance.randrange(1, 200), 16)).tolist()
    stored = client.send("POST", "/v1/datasets", (200, 201), json={"inputs": rows})
    if stored.status_code not in FOR_NOW:
        path = f"/v1/datasets/{stored.json()['id']}"
        client.send("GET", path, (200,))
        client.send("DELETE", path, (204,))


def job(client: Client) -> None:
    """Have a job trained, watch it with a stream that is left early and one that is not, then delete it and its model."""
    posted = client.send("POST", "/v1/jobs", (202,), json=long_job(client.chance.randrange(2**31), epochs=3))
    if posted.status_code in FOR_NOW:
        return
    path = f"/v1/jobs/{posted.json()['id']}"
    client.stream(f"{path}/events", 2)
    client.stream(f"{path}/events", 10_000)
    found = client.send("GET", f"{path}?wait=20", (200,)).json()
    while found.get("status") in ("queued", "running"):
        found = client.send("GET", f"{path}?wait=20", (200,)).json()
    client.send("DELETE", path, (204,))
    if found.get("result"):
        client.send("DELETE", f"/v1/models/{found['result']['model']}", (204, 404))


def leaver(client: Client) -> None:
    """Leave in the middle of a head, of a body, or before the answer."""
    parts = urlsplit(client.address)
    body = LARGE if client.chance.random() < 0.3 else b"{}" * 1000
    head = f"POST /v1/forward HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    sent = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        try:
            connection.sendall(sent[: client.chance.choice((20, len(head) + 40, len(sent) // 2, len(sent)))])
        except OSError:  # It was refused before it was read.
            client.count("refused early")
        time.sleep(client.chance.uniform(0.0, 0.3))
    client.count("left")


def mistaken(client: Client) -> None:
    """Send what is too large, wrong, unreadable, or somewhere else."""
    kind = client.chance.randrange(5)
    if kind == 0:
        client.send("POST", "/v1/forward", (413,), content=b" " * (BODY_LIMIT + 1), headers=JSON)
    elif kind == 1:
        client.send("POST", "/v1/gradients", (422,), json={"network": {"layers": [{"kind": "dens", "units": -1}]}})
    elif kind == 2:
        client.send("POST", "/v1/gradients", (400,), content=b"{" * client.chance.randrange(1, 2000), headers=JSON)
    elif kind == 3:
        client.send("GET", f"/v1/models/mdl_{client.chance.getrandbits(96):024x}", (404,))
    else:
        client.send("POST", "/v1/models/import?format=onnx", (422,), content=client.chance.randbytes(5000))


VISITS: tuple[tuple[Callable[[Client], None], int], ...] = (
    (small, 30),
    (another_form, 10),
    (large, 3),
    (model, 10),
    (dataset, 8),
    (job, 1),
    (leaver, 5),
    (mistaken, 10),
)
"""What a client does, and how often."""
