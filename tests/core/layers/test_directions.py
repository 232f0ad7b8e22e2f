"""A recurrent layer in both directions against two layers in one direction, of which the second reads a reversed copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.errors import Refusal
from core.layers import KINDS
from core.losses.upstream import Upstream
from core.plan import Plan
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import solved

N, TIME, FEATURES, UNITS = 3, 4, 2, 3
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
STATES = {"rnn": 1, "lstm": 2, "gru": 1}

Arrays = dict[str, Array]


def layer(kind: str, initial: int, **fields: Any) -> Any:
    return KINDS[kind](units=UNITS, inputs=["input", *["h0", "c0"][:initial]], **fields)  # type: ignore[call-arg]


def run(made: Any, inputs: Arrays, parameters: Arrays, upstream: Array) -> Plan:
    sent = ProblemSpec(layers=[made], inputs=inputs, parameters={"1": parameters}, loss=Upstream(), upstream=upstream)
    return solved(validate(sent))


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("initial", [0, 1, 2])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_each_direction_is_a_layer_of_its_own(kind: str, initial: int, sequences: bool) -> None:
    if initial > STATES[kind]:
        pytest.skip("the kind reads fewer states")
    random, k = np.random.default_rng(4), GATES[kind] * UNITS
    X = random.standard_normal((N, TIME, FEATURES))
    shapes = {"weight": (FEATURES, k), "recurrent_weight": (UNITS, k), "bias": (k,), "recurrent_bias": (k,)}
    own = layer(kind, initial).parameters(X.shape)
    each = [{name: random.standard_normal(shapes[name]) for name in own} for _ in range(2)]
    starts = [{name: random.standard_normal((N, UNITS)) for name in ["h0", "c0"][:initial]} for _ in range(2)]
    upstreams = [random.standard_normal((N, TIME, UNITS) if sequences else (N, UNITS)) for _ in range(2)]
    alone = [
        run(
            layer(kind, initial, return_sequences=sequences),
            {"input": np.ascontiguousarray(X[:, ::step]), **starts[at]},
            each[at],
            np.ascontiguousarray(upstreams[at][:, ::step] if sequences else upstreams[at]),
        )
        for at, step in enumerate((1, -1))
    ]
    both = run(
        layer(kind, initial, return_sequences=sequences, bidirectional=True),
        {"input": X} | {name: np.concatenate([one[name] for one in starts], axis=1) for name in starts[0]},
        {**each[0], **{f"{name}_reverse": array for name, array in each[1].items()}},
        np.concatenate(upstreams, axis=-1),
    )

    def in_order(array: Array) -> Array:
        return array[:, ::-1] if array.ndim == 3 else array

    np.testing.assert_array_equal(both.output[..., :UNITS], alone[0].output)
    np.testing.assert_array_equal(both.output[..., UNITS:], in_order(alone[1].output))
    found = both.gradients
    for at, end in enumerate(("", "_reverse")):
        for name, gradient in alone[at].gradients.gradients["1"].items():
            np.testing.assert_array_equal(found.gradients["1"][f"{name}{end}"], gradient, err_msg=name)
        for name in starts[0]:
            half = found.input_gradients[name][:, at * UNITS : (at + 1) * UNITS]
            np.testing.assert_array_equal(half, alone[at].gradients.input_gradients[name])
    dX = [one.gradients.input_gradients["input"] for one in alone]
    np.testing.assert_array_equal(found.input_gradients["input"], dX[0] + dX[1][:, ::-1])


def test_states_of_torch_are_refused_with_the_line_that_turns_them() -> None:
    with pytest.raises(Refusal) as caught:
        validate(
            ProblemSpec(
                layers=[layer("lstm", 2, bidirectional=True)],
                inputs={
                    "input": np.ones((N, TIME, FEATURES)),
                    "h0": np.ones((N, 2 * UNITS)),
                    "c0": np.ones((2, N, UNITS)),
                },
                loss=Upstream(),
                seed=1,
            )
        )
    (issue,) = [issue for issue in caught.value.issues if issue.path[-1] == 2]
    assert issue.hint is not None
    assert "np.concatenate([c_0[0], c_0[1]], axis=1)" in issue.hint
