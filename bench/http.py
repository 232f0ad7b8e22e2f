"""Requests for gradients over HTTP: gradd beside a service with pydantic and torch, and beside a constant answer.

Run it with `make bench`, or a part of it: `python -m bench.http --only 2-3-1 --seconds 2 --rounds 3`. All servers run at
once, each in one process with one BLAS thread, and take turns under load from wrk; only the one whose turn it is has
work. Processor time is the server's, of all its threads. Before the turns, every gradient is compared with the peer's.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from bench import _aims, _cases, _load, _server
from bench._cases import MIDDLE, SMALL, Form, Message, Network
from bench._load import Turn
from bench._server import Server
from bench._stopwatch import readable

NETWORKS = {network.name: network for network in (SMALL, MIDDLE)}
CONTENDERS = ("constant", *(f"gradd {form}" for form in _cases.FORMS), "gradd stored", "peer")
LONGEST_TURN = 6
"""Seconds after which a turn ends though few requests were answered, so that a slow contender does not take minutes."""
ANSWERS = 4
"""Answers that every connection should have in a turn: those under way when it ends are not counted."""
UNREAD = 2**16
"""Bytes of a body that need not be read before the answer; uvicorn stops a client who sends more."""
NO_WRK = "bench.http needs wrk for the load (Debian: apt install wrk), and it is not installed: nothing was measured."
NO_TORCH = "torch is not installed: the peer with pydantic and torch is left out."


@dataclass(frozen=True)
class Contender:
    """A server and the request that it gets."""

    server: Server
    message: Message
    form: Form | None
    """The format in which its gradients come; None if it has none."""


def contenders(network: Network, servers: dict[str, Server]) -> dict[str, Contender]:
    """Return everyone who is measured on a network, by name."""
    fields, ours = _cases.problem(network), servers["gradd"]
    lists = _cases.message_with_lists(fields, classes=network.classes)
    constant = Message("/read" if len(lists.body) > UNREAD else "/", lists.body)
    everyone = {"constant": Contender(servers["constant"], constant, None)}
    for form in _cases.FORMS:
        everyone[f"gradd {form}"] = Contender(ours, _cases.message(fields, form), form)
    reference = _cases.stored(ours, fields)
    everyone["gradd stored"] = Contender(ours, _cases.message(reference, "json"), "json")
    if "peer" in servers:
        everyone["peer"] = Contender(servers["peer"], lists, "json")
    return everyone


def require_same(everyone: dict[str, Contender]) -> None:
    """Compare the gradients of every contender with those of the last one, which is the peer where there is one.

    Raises:
        AssertionError: if they differ by more than rounding.
    """
    found = {
        name: _cases.gradients(_cases.post(one.server, one.message), one.form)
        for name, one in everyone.items()
        if one.form
    }
    last = list(found)[-1]
    for name, arrays in found.items():
        for mine, other in zip(arrays, found[last], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12, err_msg=f"{name} and {last}")


def length(contender: Contender, connections: int, seconds: int) -> int:
    """Return the seconds of a turn: longer than was asked where few requests would be answered in it."""
    start = time.perf_counter()
    _cases.post(contender.server, contender.message)
    enough = ANSWERS * connections * (time.perf_counter() - start)
    return max(seconds, math.ceil(min(enough, LONGEST_TURN)))


def measure(everyone: dict[str, Contender], connections: int, options: argparse.Namespace) -> dict[str, list[Turn]]:
    """Return the turns of every contender. Each gets one a round."""
    lengths = {name: length(one, connections, options.seconds) for name, one in everyone.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in everyone}
    for _ in range(options.rounds):
        for name, one in everyone.items():
            turns[name].append(_load.turn(one.server, one.message, connections, lengths[name]))
    return turns


def rows(network: Network, connections: int, turns: dict[str, list[Turn]]) -> Iterator[str]:
    """Yield the lines of the table."""
    for name, own in turns.items():
        rate, p50, p99 = (statistics.median(getattr(one, what) for one in own) for what in ("per_second", "p50", "p99"))
        used = sum(one.processor_seconds for one in own) / sum(one.requests for one in own)
        times = " | ".join(f"{readable(seconds):>7}" for seconds in (p50, p99, used))
        yield f"| {network.name}, {network.examples} | {connections:>2} | {name:17} | {rate:8,.1f} | {times} |"


def main() -> None:
    """Print the table and the aims."""
    options = _options()
    if _load.WRK is None or not _server.PROC.is_dir():
        print(NO_WRK if _load.WRK is None else "bench.http reads /proc, which this system lacks: nothing was measured.")
        return
    reached: list[str] = []
    with ExitStack() as stack:
        servers = {"gradd": stack.enter_context(_server.gradd())}
        servers["constant"] = stack.enter_context(_server.peer("constant"))
        if find_spec("torch"):
            servers["peer"] = stack.enter_context(_server.peer("pydantic_torch"))
        else:
            print(NO_TORCH)
        print(f"{options.rounds} rounds of turns of {options.seconds} s or more; medians of the rounds\n")
        print("| network, examples | connections | contender | requests/s | p50 | p99 | processor time a request |")
        print("|---|---|---|---|---|---|---|")
        for name in options.only:
            everyone = contenders(NETWORKS[name], servers)
            require_same(everyone)
            chosen = {one: everyone[one] for one in everyone if not options.contenders or one in options.contenders}
            for connections in options.connections:
                turns = measure(chosen, connections, options)
                print("\n".join(rows(NETWORKS[name], connections, turns)), flush=True)
                reached += _aims.lines(name, connections, turns)
    print("", *_aims.HEAD, *reached, sep="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.http", description="Measure requests for gradients over HTTP."
    )
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="networks")
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 16], help="numbers of connections")
    parser.add_argument(
        "--contenders", nargs="+", metavar="NAME", help="such as constant 'gradd json' peer; default: all"
    )
    parser.add_argument("--seconds", type=int, default=1, help="the shortest turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    return parser.parse_args()


if __name__ == "__main__":
    main()
