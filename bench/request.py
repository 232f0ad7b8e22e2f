"""What the server does for one request in process, without the transport, beside what no server can leave out.

Run it with `make bench`. *floor* is three things: parsing the body to arrays, running a plan that is laid already, and
writing the arrays of the answer, each by the fastest library there is. *known* requests are of a form that has been seen
before, with a cache; *new* ones are answered without one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import simdjson

from app.computations.gradients.schemas import GradientsRequest
from app.computations.gradients.service import compute_gradients
from app.http.forms import FormCache
from app.http.negotiation import Format
from app.http.operation import Operation, Server, Wanted
from app.problem.from_request import problem_of
from app.settings import Settings
from app.wire.decode import decode
from app.wire.safetensors_message import encode_message
from bench import _cases
from bench._cases import MIDDLE, SMALL, Network
from bench._stopwatch import medians, readable
from core.plan import Plan, Retain

OPERATION = Operation(GradientsRequest, compute_gradients, shares_forms=True)


def server(cache: int) -> Server:
    """Return a server with a cache of that many bytes."""
    return Server(Settings(), FormCache(cache))


def answer(body: bytes, form: Format, on: Server) -> Callable[[], object]:
    """Return the function that does the whole work of a request."""
    wanted = Wanted(form, None)

    def work() -> object:
        reading = OPERATION.read(body, form)
        key = OPERATION.key(reading)
        return OPERATION.answer(reading, on.forms.find(key) if key else None, wanted, on, lambda: None)

    return work


def floor(fields: dict[str, Any], body: bytes, form: Format) -> Callable[[], object]:
    """Return the function that parses the body, runs the plan and writes the tensors, and nothing else."""
    plan = plan_of(fields)
    tensors = {
        "output": plan.output,
        "activations": plan.activations,
        "deltas": plan.gradients.deltas,
        "gradients": plan.gradients.gradients,
    }
    written = {part: tensors[part] for part in fields.get("include", tensors) if part in tensors}

    def work() -> None:
        if form == "json":
            parsed: Any = simdjson.Parser().parse(body)
            for layer in parsed["parameters"]:
                for tensor in parsed["parameters"][layer]:
                    parsed["parameters"][layer][tensor].as_buffer(of_type="d")
            parsed["batch"]["inputs"].as_buffer(of_type="d")
        plan.forward()
        plan.backward()
        if form == "json":
            orjson.dumps(written, np.ascontiguousarray, orjson.OPT_SERIALIZE_NUMPY)
        else:
            encode_message(written)

    return work


def plan_of(fields: dict[str, Any]) -> Plan:
    """Return a plan of the request that retains what the answer has."""
    body = decode(_cases.message(fields, "json").body, GradientsRequest)
    return problem_of(body, Settings(), needs_loss=True).plan(retain=Retain(preactivations=True, deltas=True))


def main() -> None:
    """Print the table."""
    print(f"{'network, examples':<20}{'request':<26}{'floor':>9}{'known':>9}{'/floor':>8}{'new':>9}{'/known':>8}")
    for network in (SMALL, MIDDLE):
        for name, fields, form in _requests(network):
            body = _cases.message(fields, form).body
            contenders = {
                "floor": floor(fields, body, form),
                "known": answer(body, form, server(2**26)),
                "new": answer(body, form, server(0)),
            }
            times = medians(contenders)
            print(
                f"{network.name + ', ' + str(network.examples):<20}{name:<26}{readable(times['floor']):>9}"
                f"{readable(times['known']):>9}{times['known'] / times['floor']:>8.2f}{readable(times['new']):>9}"
                f"{times['new'] / times['known']:>8.2f}",
                flush=True,
            )


def _requests(network: Network) -> list[tuple[str, dict[str, Any], Format]]:
    fields = _cases.problem(network)
    return [
        ("JSON", fields, "json"),
        ("JSON, gradients only", {**fields, "include": ["gradients"]}, "json"),
        ("JSON, loss only", {**fields, "include": ["loss"]}, "json"),
        ("safetensors", fields, "safetensors"),
    ]


if __name__ == "__main__":
    main()
