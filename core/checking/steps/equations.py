"""The right rule of an update in NumPy and in LaTeX, from the derivation that each optimizer provides of itself."""

from __future__ import annotations

import re

from core.checking.report import Fix
from core.equations.symbols import OPERAND
from core.optimizers import Optimizer
from core.optimizers.sgd import Sgd

NAMES = {"theta": "theta", "g": "g", "rate": "learning_rate"}
SYMBOLS = {"theta": r"\theta", "g": "g", "rate": r"\eta", "shrunk": r"\theta'"}


def right_rule(optimizer: Optimizer, t: int) -> Fix:
    """Return step t of an optimizer. It runs where theta, g, learning_rate and the slots of the state are arrays."""
    equations = optimizer.derivation(t)
    symbols = SYMBOLS | {slot: slot.replace("_", r"\ ") for slot in optimizer.slots}
    symbols |= {each.result: each.symbol for each in equations if each.symbol}
    lines, formulas = [], []
    if isinstance(optimizer, Sgd) and optimizer.nesterov and optimizer.variant == "ruder":
        lines.append(f"# g is the gradient at theta - {optimizer.momentum!r} * velocity.")
        formulas.append(rf"g = \nabla L(\theta - {optimizer.momentum:g} v)")
    if optimizer.weight_decay and not optimizer.decouples_weight_decay:
        lines.append(f"g = g + {optimizer.weight_decay!r} * theta")
        formulas.append(rf"g \leftarrow g + {optimizer.weight_decay:g} \theta")
    for each in equations:
        right = OPERAND.sub(lambda found: NAMES.get(found[1], found[1]), each.numpy)
        lines.append(f"{NAMES.get(each.result, each.result)} = {right}")
        written = OPERAND.sub(lambda found: _braced(symbols.get(found[1], found[1])), each.latex)
        formulas.append(rf"{symbols.get(each.result, each.result)} \leftarrow {written}")
    return Fix(numpy="\n".join(lines), latex=r", \quad ".join(formulas))


def _braced(symbol: str) -> str:
    """Return a symbol in braces if a power may not follow it directly."""
    return f"{{{symbol}}}" if re.search(r"[_^ ]", symbol) else symbol
