"""Read a model from stdin and write its contents to stdout as safetensors.

argv      JSON with the lengths of the inputs' axes and the outputs that the request names
stdin     the model
stdout    safetensors: constants as c0, c1, ..., sample inputs and outputs as i0, ..., o0, ...; metadata `graph` as
          JSON, or `refusal`, a sentence
"""

from __future__ import annotations

import contextlib
import json
import sys

import numpy as np
import safetensors.numpy

from app.models.formats.onnx.child.parsing import Refused, parse
from app.models.formats.onnx.child.reading import read_graph

SECONDS = 20
ROOM = 2 * 2**30
"""Bytes of address space in addition to the part that is proportional to the size of the file."""


def main() -> None:
    """Read the request and the model, and write the contents."""
    asked = json.loads(sys.argv[2])
    body = sys.stdin.buffer.read()
    _limit(len(body))
    np.seterr(all="ignore")
    try:
        tensors, graph = read_graph(parse(body), asked["shapes"], asked["outputs"])
        content = safetensors.numpy.save(tensors, {"graph": json.dumps(graph)})
    except Refused as refused:
        content = safetensors.numpy.save({}, {"refusal": str(refused)[:2000]})
    sys.stdout.buffer.write(content)


def _limit(size: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ROOM + 8 * size, ROOM + 8 * size))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


if __name__ == "__main__":
    main()
