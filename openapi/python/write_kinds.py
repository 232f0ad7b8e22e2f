"""Writes gradd_client/kinds.py: the classes of all layers, losses and optimizers, as the schema lists them.

Run by openapi/generate.sh: python write_kinds.py openapi.json kinds.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

UNIONS = {"Layer": "LayerSpec", "Loss": "LossSpec", "Optimizer": "OptimizerSpec"}


def written(schemas: dict[str, dict[str, dict[str, dict[str, str]]]]) -> str:
    """The module. The generated client has no name for a union of its classes; here each gets one."""
    classes = {
        union: sorted(reference.rpartition("/")[2] for reference in schemas[name]["discriminator"]["mapping"].values())
        for union, name in UNIONS.items()
    }
    every = sorted({each for names in classes.values() for each in names})
    lines = [
        '"""Every kind of layer, loss and optimizer."""',
        "",
        "from gradd_api.models import (",
        *(f"    {n}," for n in every),
        ")",
        "",
    ]
    lines += [f"{union} = {' | '.join(names)}" for union, names in classes.items()]
    lines += ["", f"__all__ = {sorted([*every, *classes])}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    schema, module = map(Path, sys.argv[1:])
    module.write_text(
        written(json.loads(schema.read_text(encoding="utf-8"))["components"]["schemas"]), encoding="utf-8"
    )
