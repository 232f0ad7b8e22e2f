"""The blocks of parameters, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking.blocks import blocks_of, wrong_blocks
from core.layers import KINDS
from core.network import Node
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


def node(kind: str, read: tuple[int, ...], **fields: Any) -> Node:
    made: Any = KINDS[kind]
    sent = ProblemSpec(layers=[made(**fields)], inputs={"input": np.ones(read)}, seed=1, convention="row")
    return validate(sent, needs_loss=False).nodes[0]


LSTM = ["input gate i", "forget gate f", "cell candidate g", "output gate o"]
GRU = ["reset gate r", "update gate z", "candidate state n"]
QKV = ["queries Q", "keys K", "values V"]


@pytest.mark.parametrize(
    ("made", "parameter", "names"),
    [
        (node("lstm", (2, 3, 5), units=4), "weight", LSTM),
        (node("lstm", (2, 3, 5), units=4, gate_order="iofg"), "bias", [LSTM[0], LSTM[3], LSTM[1], LSTM[2]]),
        (node("gru", (2, 3, 5), units=4), "recurrent_bias", GRU),
        (node("gru", (2, 3, 5), units=4, gate_order="zrn"), "recurrent_weight", [GRU[1], GRU[0], GRU[2]]),
        (node("multi_head_attention", (2, 3, 4), heads=2), "in_weight", QKV),
        (node("multi_head_attention", (2, 3, 4), heads=2), "in_bias", QKV),
    ],
)
def test_the_blocks_divide_the_last_axis_in_order(made: Node, parameter: str, names: list[str]) -> None:
    blocks, shape = blocks_of(made, parameter), made.parameters[parameter].shape
    assert list(blocks) == names
    array = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(np.concatenate([array[block] for block in blocks.values()], axis=-1), array)


def test_a_kernel_has_a_block_for_each_offset() -> None:
    made = node("conv2d", (2, 3, 6, 6), filters=2, kernel_size=[2, 3])
    blocks = blocks_of(made, "weight")
    assert list(blocks) == [f"kernel offset ({r}, {s})" for r in range(2) for s in range(3)]
    apart = np.zeros((2, 3, 2, 3), bool)
    apart[1, 2, 1, 0] = True
    assert wrong_blocks(made, "weight", apart) == ["kernel offset (1, 0)"]


@pytest.mark.parametrize(
    ("made", "parameter"),
    [
        (node("rnn", (2, 3, 5), units=4), "weight"),
        (node("dense", (2, 5), units=4), "weight"),
        (node("multi_head_attention", (2, 3, 4), heads=2), "out_weight"),
        (node("conv2d", (2, 3, 6, 6), filters=2, kernel_size=2), "bias"),
    ],
)
def test_other_parameters_have_none(made: Node, parameter: str) -> None:
    assert blocks_of(made, parameter) == {}
    assert wrong_blocks(made, parameter, np.ones(made.parameters[parameter].shape, bool)) == []


def test_wrong_blocks_are_named_unless_all_are_wrong() -> None:
    made = node("lstm", (2, 3, 5), units=4)
    apart = np.zeros((5, 16), bool)
    apart[3, 5] = True
    assert wrong_blocks(made, "weight", apart) == ["forget gate f"]
    apart[0, 15] = True
    assert wrong_blocks(made, "weight", apart) == ["forget gate f", "output gate o"]
    assert wrong_blocks(made, "weight", np.ones((5, 16), bool)) == []
    assert wrong_blocks(made, "weight", np.zeros((5, 16), bool)) == []
    assert wrong_blocks(made, "weight", np.ones((4, 16), bool)) == []
