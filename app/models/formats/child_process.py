"""A child process that reads a file: it can fail, and be limited in memory and time, without affecting the service."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

from app.wire import safetensors_file
from app.wire.file_content import FileContent, mapped
from app.wire.limits import DocumentLimits
from core.errors import Refusal

ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run_child(
    arguments: Sequence[str],
    body: FileContent,
    elements: int,
    *,
    seconds: int,
    hidden: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> safetensors_file.TensorFile:
    """Run Python, isolated, with a file as its input, and return the safetensors that it writes.

    Args:
        arguments: what follows `python -I`.
        body: the file.
        elements: the largest number of elements that the child may write.
        seconds: the longest time that it may take.
        hidden: prefixes of environment variables that the child does not see, besides those of the settings.
        environment: further environment variables.

    Raises:
        Refusal: if it fails, says why the file cannot be read, or writes a number that is not finite.
    """
    # The child must not see the settings, which may contain the password of the database.
    seen = {name: value for name, value in os.environ.items() if not name.startswith(("GRADD_", *hidden))}
    # What the child writes may be as large as the model: it is mapped, and takes no memory of its own.
    with tempfile.TemporaryFile() as written:
        try:
            child = subprocess.run(  # noqa: S603  (our own programs)
                [sys.executable, "-I", *arguments],
                input=body,
                stdout=written,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                env={**seen, **ENVIRONMENT, **(environment or {})},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Refusal.of("timeout", f"Reading the file took longer than {seconds} s.") from None
        if child.returncode:
            detail = "The file cannot be read: it needs too much memory or time, or makes the parser fail."
            raise Refusal.of("invalid-request", detail)
        file = safetensors_file.read(mapped(written), DocumentLimits(elements=elements))
    if "refusal" in file.metadata:
        raise Refusal.of("invalid-request", file.metadata["refusal"])
    return file
