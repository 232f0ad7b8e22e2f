"""Names from a request are no code, although the derivation evaluates lines that have them in it."""

from __future__ import annotations

from pathlib import Path

from core.explaining.derivation_builder import DerivationBuilder
from core.explaining.script import program
from core.layers import Layer
from core.layers.add import Add
from core.layers.dense import Dense
from core.plan import Retain
from tests.core.sample import sampled
from tests.gradient import solved


def test_names_of_layers_and_inputs_are_not_evaluated(tmp_path: Path) -> None:
    mark = tmp_path / "evaluated"
    code = f"open({str(mark)!r}, 'w')"
    names = [
        f"a); {code}; (",
        f"__import__('os').mkdir({str(mark)!r})",
        f"ª{code}",
        f"'''{code}",
        f'"""{code}',
        f"{{{code}}}",
    ]
    layers: list[Layer] = [Dense(units=3, activation="tanh", inputs=[f"i) + {code}"], name=names[0])]
    layers += [Dense(units=3, activation="tanh", name=name) for name in names[1:]]
    layers.append(Add(inputs=[names[0], names[-1]], name=code))
    problem = sampled(layers, {f"i) + {code}": (4, 2)})
    plan = solved(problem, retain=Retain(preactivations=True, deltas=True, input_gradients=True))
    walk = DerivationBuilder(problem, plan.reported, "delta")
    exec(program(walk.steps, list(walk.data.values())), {})
    assert len(walk.steps) > 2 * len(layers)
    assert not mark.exists()
