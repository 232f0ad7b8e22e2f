"""Damaged files of models: `python -m tests.app.models.mutations COUNT FIRST` (make soak) imports as many.

Each is a file of a format that is read, with bytes changed, cut out, repeated or taken from another file. It comes in as a
model, or is refused with a reason, within the time and memory that an import may take.
"""

from __future__ import annotations

import gzip
import importlib.util
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

from app.models.formats.imported import ImportOptions
from app.models.formats.onnx import file as onnx_file
from app.models.formats.signature import choose_format
from app.models.transfers import EXPORTERS, IMPORTERS
from core.convention import Convention
from core.errors import GraddError
from core.model import Model, validate_model
from core.network import NetworkLimits
from tests.app.models import onnx_here

HERE = Path(__file__).parent
CONVENTIONS: tuple[Convention, ...] = ("row", "torch")
SECONDS = 60
"""The longest time that an import may take, on a busy machine."""

BYTES = 2**31
"""How much the memory of the process may grow while thousands of files are imported."""

ELEMENTS = 10**7
WEIGHTS = {"onnx": 45, "safetensors": 20, "npz": 20, "json": 13, "keras": 2}
"""How often a format is drawn: a file of Keras starts a process."""


@cache
def files() -> dict[str, list[bytes]]:
    """Whole files that come in, by their format."""
    read = {path.read_bytes(): None for path in sorted((HERE / "files").rglob("*.onnx"))}
    models = {body: model for body in read if (model := _model(body)) is not None}
    found = {"onnx": list(models)}
    for form in ("safetensors", "npz", "json"):
        made = (_written(model, form, convention) for model in models.values() for convention in CONVENTIONS)
        found[form] = [body for body in made if body is not None]
    found["npz"].append((HERE / "files" / "row_chain.npz").read_bytes())
    if importlib.util.find_spec("h5py") is not None:
        folder = HERE / "keras_files"
        zipped = [gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("*.gz"))]
        found["keras"] = [path.read_bytes() for path in sorted(folder.glob("*.keras"))] + zipped
    return found


def _model(body: bytes) -> Model | None:
    try:
        read = IMPORTERS["onnx"](body, ImportOptions(), ELEMENTS)
        return validate_model(read.layers, read.parameters, read.state, read.convention, NetworkLimits())
    except GraddError:
        return None


def _written(model: Model, form: str, convention: Convention) -> bytes | None:
    try:
        return bytes(EXPORTERS[form](model, convention)) if model.parameters else None
    except GraddError:
        return None


def mutated(seed: int) -> tuple[str, bytes]:
    """Return a damaged file and the format that it had."""
    draw, known = np.random.default_rng(seed), files()
    shares = np.array([WEIGHTS[form] for form in known], float)
    form = list(known)[draw.choice(len(known), p=shares / shares.sum())]
    body = bytearray(known[form][draw.integers(len(known[form]))])
    for _ in range(draw.integers(1, 3)):
        MUTATIONS[draw.integers(len(MUTATIONS))](body, draw)
    return form, bytes(body)


def _change(body: bytearray, draw: np.random.Generator) -> None:
    for position in draw.integers(0, max(1, len(body)), draw.integers(1, 20)):
        body[position : position + 1] = bytes([draw.integers(256)])


def _flip(body: bytearray, draw: np.random.Generator) -> None:
    position = draw.integers(0, max(1, len(body)))
    body[position : position + 1] = bytes([(body[position] if body else 0) ^ (1 << int(draw.integers(8)))])


def _head(body: bytearray, draw: np.random.Generator) -> None:
    """Change one of the first bytes, where formats state lengths."""
    position = draw.integers(0, 200)
    body[position : position + 1] = bytes([draw.integers(256)])


def _cut(body: bytearray, draw: np.random.Generator) -> None:
    start, length = _span(body, draw)
    del body[start : start + length]


def _end(body: bytearray, draw: np.random.Generator) -> None:
    del body[draw.integers(0, max(1, len(body))) :]


def _repeat(body: bytearray, draw: np.random.Generator) -> None:
    start, length = _span(body, draw)
    body[start:start] = body[start : start + length]


def _fill(body: bytearray, draw: np.random.Generator) -> None:
    start, length = _span(body, draw)
    body[start : start + length] = bytes([(0, 255, 127, 128)[draw.integers(4)]]) * int(length)


def _splice(body: bytearray, draw: np.random.Generator) -> None:
    every = [other for group in files().values() for other in group]
    other = every[draw.integers(len(every))]
    start, length = _span(bytearray(other), draw)
    body[start : start + length] = other[start : start + length]


def _span(body: bytearray, draw: np.random.Generator) -> tuple[int, int]:
    return int(draw.integers(0, max(1, len(body)))), int(2 ** draw.uniform(0, 10))


MUTATIONS: list[Callable[[bytearray, np.random.Generator], None]] = [
    _change, _flip, _flip, _head, _cut, _end, _repeat, _fill, _splice,
]  # fmt: skip


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError where the block takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcome_of(body: bytes) -> str:
    """Import a file as the route does, and return what became of it.

    Raises:
        Exception: whatever is no refusal, and would be answered with 500.
    """
    with within(SECONDS), np.errstate(all="ignore"):
        try:
            read = IMPORTERS[choose_format(body, None, IMPORTERS)](body, ImportOptions(), ELEMENTS)
            limits = NetworkLimits(parameters=ELEMENTS)
            validate_model(read.layers, read.parameters, read.state, read.convention, limits)
        except GraddError as refusal:
            assert all(issue.detail for issue in refusal.issues)
            return "refused"
    return "imported"


def memory() -> int:
    """Return the largest number of bytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(count: int, first: int) -> int:
    """Import damaged files, print what became of them, and return the exit status."""
    onnx_file._run_child = onnx_here.read_here  # type: ignore[assignment, unused-ignore]
    before, found = memory(), Counter[str]()
    for seed in range(first, first + count):
        form, body = mutated(seed)
        try:
            outcome = outcome_of(body)
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"mutation_{seed}.{form}"
            kept.write_bytes(body)
            print(f"seed {seed}, {form}: {error!r}; the file is {kept}")
            outcome = "failed"
        found[f"{form} {outcome}"] += 1
    for what, number in sorted(found.items()):
        print(f"{number:7,} {what}")
    grown = memory() - before
    print(f"{grown / 2**20:7,.0f} MiB more memory")
    return int(grown > BYTES or any(what.endswith("failed") for what in found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
