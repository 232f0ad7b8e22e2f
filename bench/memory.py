"""The memory of a server that computes gradients: the peak of one request, and what 10,000 requests leave behind.

Run it with `make bench`. Every case has a server of its own, which has answered one small request before. The peak is
what the process has above its memory before the request; it is compared with the bytes of the body and the answer.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator

from bench import _cases, _server
from bench._cases import LARGE, MIDDLE, SMALL, Form, Message, Network
from bench._server import HOST, Server

CASES: tuple[tuple[Network, Form], ...] = (
    (SMALL, "json"),
    (MIDDLE, "json"),
    (MIDDLE, "base64"),
    (MIDDLE, "safetensors"),
    (LARGE, "safetensors"),
)
MARKS = (1_000, 2_000, 5_000, 10_000)
"""Numbers of requests after which the memory is shown. The first thousand fill caches and the allocator's arenas."""


def peak(network: Network, form: Form) -> str:
    """Return the line of a request: the sizes of body and answer, and the memory that the request took."""
    sent = _cases.message(_cases.problem(network), form)
    with _server.gradd() as server:
        _cases.post(server, _cases.message(_cases.problem(SMALL), form))
        exact = server.forget_peak()
        before = server.memory()
        answer = _cases.post(server, sent)
        highest, after = server.memory("VmHWM"), server.memory()
    moved = len(sent.body) + len(answer)
    sizes = " | ".join(f"{size / 1e6:8.3f}" for size in (len(sent.body), len(answer), highest - before, after - before))
    note = "" if exact else " (peak since the start)"
    return f"| {network.name}, {network.examples} | {form:11} | {sizes} | {(highest - before) / moved:8.1f}{note} |"


def growth(server: Server, sent: Message) -> Iterator[int]:
    """Send the request over one connection and yield the resident memory before, and at each of the `MARKS`.

    Raises:
        RuntimeError: if an answer is not a success.
    """
    connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
    yield server.memory()
    for count in range(1, MARKS[-1] + 1):
        _cases.post_over(connection, sent)
        if count in MARKS:
            yield server.memory()
    connection.close()


def main() -> None:
    """Print both tables."""
    if not _server.PROC.is_dir():
        print("bench.memory reads /proc, which this system lacks: nothing was measured.")
        return
    print("Megabytes (10⁶ bytes) of one request\n")
    print("| network, examples | format | body | answer | peak | kept after it | peak / (body + answer) |")
    print("|---|---|---|---|---|---|---|")
    for network, form in CASES:
        print(peak(network, form), flush=True)
    print(f"\nResident megabytes after requests for {SMALL.name}, one after another\n")
    columns = " | ".join(f"{mark:,}" for mark in MARKS)
    print(f"| model | 0 | {columns} | growth from {MARKS[0]:,} to {MARKS[-1]:,} | requests/s |")
    print("|---" * (len(MARKS) + 4) + "|")
    for model in ("inline", "stored"):
        with _server.gradd() as server:
            fields = _cases.problem(SMALL)
            sent = _cases.message(fields if model == "inline" else _cases.stored(server, fields), "json")
            start = time.perf_counter()
            resident = list(growth(server, sent))
            rate = MARKS[-1] / (time.perf_counter() - start)
        shown = " | ".join(f"{size / 1e6:.2f}" for size in resident)
        print(f"| {model} | {shown} | {(resident[-1] - resident[1]) / 1e6:+.2f} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
