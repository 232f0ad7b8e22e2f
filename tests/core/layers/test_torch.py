"""The layers against torch, where it is installed: their parameters are those of its state_dict, in convention "torch"."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.layers import Layer
from core.layers.batch_norm import BatchNorm
from core.layers.embedding import Embedding
from core.layers.group_norm import GroupNorm
from core.layers.gru import Gru
from core.layers.layer_norm import LayerNorm
from core.layers.local_response_norm import LocalResponseNorm
from core.layers.lstm import Lstm
from core.layers.multi_head_attention import MultiHeadAttention
from core.layers.prelu import Prelu
from core.layers.reduce_max import ReduceMax
from core.layers.reduce_min import ReduceMin
from core.layers.rms_norm import RmsNorm
from core.layers.rnn import Rnn
from core.layers.scale import Scale
from core.losses.upstream import Upstream
from core.plan import Plan
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import solved

torch: Any = pytest.importorskip(
    "torch", reason="torch is no dependency; with it, the layers are compared with its own"
)

NORM = {"gamma": ["weight"], "beta": ["bias"]}
RECURRENT = {"weight": ["weight_ih_l0"], "recurrent_weight": ["weight_hh_l0"], "bias": ["bias_ih_l0", "bias_hh_l0"]}
GRU = RECURRENT | {"bias": ["bias_ih_l0"], "recurrent_bias": ["bias_hh_l0"]}
ATTENTION = {
    "in_weight": ["in_proj_weight"], "in_bias": ["in_proj_bias"], "out_weight": ["out_proj.weight"],
    "out_bias": ["out_proj.bias"],
}  # fmt: skip
SEQUENCES = (3, 5, 4)

Names = dict[str, list[str]]
"""For each parameter, the tensors of torch's module whose sum it is."""


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def with_random_numbers(module: Any) -> Any:
    """The module in float64; torch starts gains at 1 and many biases at 0, which would hide mistakes."""
    module = module.double()
    with torch.no_grad():
        for position, parameter in enumerate(module.parameters()):
            parameter.copy_(torch.tensor(random(*parameter.shape, seed=position)))
    return module


def assert_same(module: Any, call: Callable[[Any], Any], layer: Layer, names: Names, X: Array, **fields: Any) -> Plan:
    """Result and all gradients of the layer are those of torch's module."""
    x = torch.tensor(X, requires_grad=X.dtype.kind == "f")
    result = call(x)
    upstream = random(*result.shape, seed=99)
    result.backward(torch.tensor(upstream))
    of_torch = dict(module.named_parameters())
    parameters = {name: sum(of_torch[part].detach().numpy() for part in parts) for name, parts in names.items()}
    sent = ProblemSpec(
        layers=[layer],
        inputs={"input": X},
        parameters={"1": parameters},
        loss=Upstream(),
        upstream=upstream,
        convention="torch",
        **fields,
    )
    problem = validate(sent)
    plan = solved(problem)
    np.testing.assert_allclose(plan.output, result.detach().numpy(), rtol=1e-11, atol=1e-12)
    if x.requires_grad:
        found = plan.gradients.input_gradients["input"]
        np.testing.assert_allclose(found, x.grad.numpy(), rtol=1e-10, atol=1e-12)
    node = problem.nodes[0]
    for name, parts in names.items():
        gradient = plan.gradients.gradients["1"][name]
        gradient = gradient.T if node.parameters[name].follows_convention else gradient
        for part in parts:
            np.testing.assert_allclose(gradient, of_torch[part].grad.numpy(), rtol=1e-10, atol=1e-12, err_msg=part)
    return plan


@pytest.mark.parametrize("epsilon", [1e-5, 0.3])
@pytest.mark.parametrize(
    ("shape", "module"),
    [((5, 3), "BatchNorm1d"), ((4, 3, 6), "BatchNorm1d"), ((2, 3, 4, 5), "BatchNorm2d")],
)
def test_batch_norm_in_train_and_in_eval(shape: tuple[int, ...], module: str, epsilon: float) -> None:
    theirs = with_random_numbers(getattr(torch.nn, module)(3, eps=epsilon, momentum=0.3))
    state: dict[str, Array] = {}
    for batch in range(3):
        theirs.zero_grad()
        sent = {"state": {"1": state}} if state else {}
        layer = BatchNorm(epsilon=epsilon, momentum=0.3)
        plan = assert_same(theirs, theirs, layer, NORM, random(*shape, seed=batch), **sent)
        state = plan.new_state["1"]
        np.testing.assert_allclose(state["running_mean"], theirs.running_mean.numpy(), rtol=1e-12)
        np.testing.assert_allclose(state["running_variance"], theirs.running_var.numpy(), rtol=1e-12)
    theirs.zero_grad()
    theirs.eval()
    layer = BatchNorm(epsilon=epsilon, mode="eval")
    assert_same(theirs, theirs, layer, NORM, random(*shape, seed=9), state={"1": state})


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 4), (2, 3, 5, 4)])
def test_layer_norm_and_rms_norm(shape: tuple[int, ...]) -> None:
    theirs = with_random_numbers(torch.nn.LayerNorm(4, eps=1e-3))
    assert_same(theirs, theirs, LayerNorm(epsilon=1e-3), NORM, random(*shape))
    theirs = with_random_numbers(torch.nn.RMSNorm(4, eps=1e-3))
    assert_same(theirs, theirs, RmsNorm(epsilon=1e-3), {"gamma": ["weight"]}, random(*shape))


@pytest.mark.parametrize("shape", [(3, 6), (3, 6, 5), (2, 6, 4, 3)])
def test_group_norm_and_instance_norm(shape: tuple[int, ...]) -> None:
    for groups in (1, 2, 6) if len(shape) > 2 else (1, 2):
        theirs = with_random_numbers(torch.nn.GroupNorm(groups, 6, eps=1e-3))
        assert_same(theirs, theirs, GroupNorm(groups=groups, epsilon=1e-3), NORM, random(*shape))
    if len(shape) == 4:
        theirs = with_random_numbers(torch.nn.InstanceNorm2d(6, affine=True))
        assert_same(theirs, theirs, GroupNorm(groups=6), NORM, random(*shape))


@pytest.mark.parametrize("axes", [[1], [2], [1, 2]])
def test_reduce_max_and_reduce_min(axes: list[int]) -> None:
    """With ties, of which each has an equal part of the gradient."""
    ties = np.random.default_rng(0).integers(3, size=(4, 3, 5)).astype(float)
    for X in (random(4, 3, 5), ties):
        assert_same(torch.nn.Identity(), lambda x: torch.amax(x, axes), ReduceMax(axis=axes), {}, X)
        assert_same(torch.nn.Identity(), lambda x: torch.amin(x, axes), ReduceMin(axis=axes), {}, X)


def test_local_response_norm() -> None:
    for X in (random(2, 7, 4), random(2, 5, 3, 3)):
        theirs = torch.nn.LocalResponseNorm(3, alpha=0.8, beta=0.6, k=1.5)
        assert_same(theirs, theirs, LocalResponseNorm(size=3, alpha=0.8, beta=0.6, bias=1.5), {}, X)


def test_prelu_and_scale() -> None:
    for parameters, axes in ((1, []), (3, [1])):
        theirs = with_random_numbers(torch.nn.PReLU(parameters))
        assert_same(theirs, theirs, Prelu(axes=axes), {"negative_slope": ["weight"]}, random(4, 3, 5))
    affine = with_random_numbers(torch.nn.GroupNorm(1, 3))
    assert_same(
        affine, lambda x: x * affine.weight[:, None] + affine.bias[:, None], Scale(axes=[1]), NORM, random(4, 3, 5)
    )


def test_embedding() -> None:
    theirs = with_random_numbers(torch.nn.Embedding(6, 4))
    classes = np.random.default_rng(0).integers(6, size=(5, 3))
    assert_same(theirs, theirs, Embedding(vocabulary_size=6, units=4), {"weight": ["weight"]}, classes)


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_rnn(nonlinearity: Any, sequences: bool) -> None:
    theirs = with_random_numbers(torch.nn.RNN(4, 2, batch_first=True, nonlinearity=nonlinearity))
    layer = Rnn(units=2, nonlinearity=nonlinearity, return_sequences=sequences)
    assert_same(theirs, partial(states, theirs, sequences), layer, RECURRENT, random(*SEQUENCES))


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_lstm_and_gru(sequences: bool, bias: bool) -> None:
    for module, kind, names in ((torch.nn.LSTM, Lstm, RECURRENT), (torch.nn.GRU, Gru, GRU)):
        theirs = with_random_numbers(module(4, 2, batch_first=True, bias=bias))
        layer = kind(units=2, return_sequences=sequences, bias=bias)
        kept = {name: parts for name, parts in names.items() if bias or "bias" not in name}
        assert_same(theirs, partial(states, theirs, sequences), layer, kept, random(*SEQUENCES))


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_both_directions(sequences: bool, bias: bool) -> None:
    kinds = ((torch.nn.RNN, Rnn, RECURRENT), (torch.nn.LSTM, Lstm, RECURRENT), (torch.nn.GRU, Gru, GRU))
    for module, kind, names in kinds:
        theirs = with_random_numbers(module(4, 2, batch_first=True, bias=bias, bidirectional=True))
        layer = kind(units=2, return_sequences=sequences, bias=bias, bidirectional=True)
        kept = {
            f"{name}{end}": [f"{part}{end}" for part in parts]
            for end in ("", "_reverse")
            for name, parts in names.items()
            if bias or "bias" not in name
        }
        call = (lambda x, own=theirs: own(x)[0]) if sequences else partial(last_states, theirs)
        assert_same(theirs, call, layer, kept, random(*SEQUENCES))


def last_states(module: Any, x: Any) -> Any:
    """h_n, the last state of each direction, side by side."""
    last = module(x)[1]
    return torch.cat(list(last[0] if isinstance(last, tuple) else last), dim=1)


def states(module: Any, sequences: bool, x: Any) -> Any:
    """All states of a recurrent module, or the last."""
    every = module(x)[0]
    return every if sequences else every[:, -1]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_multi_head_attention(causal: bool, bias: bool) -> None:
    theirs = with_random_numbers(torch.nn.MultiheadAttention(4, 2, batch_first=True, bias=bias))
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    layer = MultiHeadAttention(heads=2, causal=causal, bias=bias)
    names = {name: parts for name, parts in ATTENTION.items() if bias or "bias" not in name}
    assert_same(theirs, lambda x: theirs(x, x, x, attn_mask=mask)[0], layer, names, random(*SEQUENCES))
