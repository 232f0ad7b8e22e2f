"""S15: convolution and pooling in general: stride, padding, dilation, groups; windows add up, ties go to the first."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.systems.network import Array, close, listed, post

RNG = np.random.default_rng(15)


def convolved(X: Array, W: Array, b: Array, **f: Any) -> Array:
    """The definition, number by number."""
    stride, padding, dilation, groups = f["stride"], f["padding"], f["dilation"], f["groups"]
    padded = np.pad(X, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    filters, channels, kh, kw = W.shape
    rows, columns = (
        (padded.shape[axis] - dilation * (size - 1) - 1) // stride + 1 for axis, size in ((2, kh), (3, kw))
    )
    Z = np.zeros((len(X), filters, rows, columns), X.dtype)
    for n, o, r, s in np.ndindex(Z.shape):
        first = o // (filters // groups) * channels
        for c, i, j in np.ndindex(channels, kh, kw):
            at = (kh - 1 - i, kw - 1 - j) if f["mode"] == "convolution" else (i, j)
            Z[n, o, r, s] += W[o, c, *at] * padded[n, first + c, r * stride + i * dilation, s * stride + j * dilation]
    return Z + b[:, None, None]


@settings(max_examples=25, deadline=None)
@given(
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.integers(1, 2),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    mode=st.sampled_from(["cross_correlation", "convolution"]),
)
def test_convolution_is_its_definition(
    client: httpx.Client, stride: int, padding: int, dilation: int, groups: int, kernel: tuple[int, int], mode: str
) -> None:
    fields = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "mode": mode}
    X, W, b = (
        RNG.standard_normal((2, 2 * groups, 6, 5)),
        RNG.standard_normal((2 * groups, 2, *kernel)),
        np.ones(2 * groups),
    )
    expected = convolved(X, W, b, **fields)
    upstream = RNG.standard_normal(expected.shape)
    answer = post(
        client,
        network={"layers": [{"kind": "conv2d", "filters": 2 * groups, "kernel_size": list(kernel), **fields}]},
        parameters={"1": {"weight": W, "bias": b}},
        batch={"inputs": X, "upstream": upstream},
        loss={"kind": "upstream"},
        include=["output", "gradients", "input_gradient"],
        verify=True,
    )
    close(answer["output"], expected, atol=1e-13)
    assert answer["certificate"]["relative_error"] < 1e-13
    # The layer is linear in X and in W: each gradient, multiplied with where it belongs, is the upstream's product with Z.
    close(
        np.sum(answer["input_gradient"] * X), np.sum(upstream * (expected - b[:, None, None])), rtol=1e-10, atol=1e-10
    )
    close(np.sum(answer["gradients"]["1"]["weight"] * W), np.sum(answer["input_gradient"] * X), rtol=1e-10, atol=1e-10)


def pool(client: httpx.Client, X: Array, upstream: Any, **layer: Any) -> dict[str, Any]:
    return post(
        client,
        network={"layers": [layer]},
        batch={"inputs": X, "upstream": upstream},
        loss={"kind": "upstream"},
        include=["output", "input_gradient"],
    )


def test_ties_go_to_the_first_maximum(client: httpx.Client) -> None:
    X = np.array([[[[1.0, 5, 5], [5, 2, 0], [0, 5, 5]]]])
    answer = pool(client, X, [[[[1, 10], [100, 1000]]]], kind="max_pool2d", size=2, stride=1)
    assert answer["output"] == [[[[5, 5], [5, 5]]]]
    assert answer["input_gradient"] == [[[[0, 11, 0], [100, 0, 0], [0, 1000, 0]]]]


def test_overlapping_windows_add(client: httpx.Client) -> None:
    X = RNG.standard_normal((1, 1, 4, 4))
    answer = pool(client, X, np.ones((1, 1, 3, 3)), kind="average_pool2d", size=2, stride=1)
    inside = np.array([[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]) / 4
    close(answer["input_gradient"], inside[None, None])


def test_padding_counts_in_a_mean_and_never_wins(client: httpx.Client) -> None:
    X = -np.ones((1, 1, 2, 2))
    largest = pool(client, X, np.ones((1, 1, 2, 2)), kind="max_pool2d", size=2, stride=2, padding=1)
    mean = pool(client, X, np.ones((1, 1, 2, 2)), kind="average_pool2d", size=2, stride=2, padding=1)
    assert largest["output"] == [[[[-1, -1], [-1, -1]]]]
    assert mean["output"] == [[[[-0.25, -0.25], [-0.25, -0.25]]]]


@pytest.mark.parametrize(
    ("layer", "shape", "pointer", "words"),
    [
        ({"kind": "conv2d", "kernel_size": 7}, (1, 1, 5, 5), "/kernel_size", "reaches over 7 numbers"),
        ({"kind": "conv2d", "kernel_size": 3, "dilation": 4}, (1, 1, 5, 5), "/kernel_size", "reaches over 9 numbers"),
        ({"kind": "conv2d", "kernel_size": [3]}, (1, 1, 5, 5), "/kernel_size", "one for each of its 2 axes"),
        ({"kind": "conv2d", "kernel_size": 3, "stride": 0}, (1, 1, 5, 5), "/stride", "from 1 on"),
        ({"kind": "conv2d", "kernel_size": 3, "padding": -1}, (1, 1, 5, 5), "/padding", "from 0 on"),
        ({"kind": "conv2d", "kernel_size": 3, "groups": 2}, (1, 3, 5, 5), "/groups", "3 channels and 2 filters into 2"),
        ({"kind": "conv2d", "kernel_size": 3}, (4, 784), "", "reads n x channels x height x width"),
        ({"kind": "conv1d", "kernel_size": 3}, (4, 784), "", "reads n x channels x time"),
        ({"kind": "max_pool2d", "size": 2, "padding": 2}, (1, 1, 5, 5), "/padding", "at most half a window"),
        ({"kind": "max_pool2d", "size": 6}, (1, 1, 5, 5), "/size", "reaches over 6 numbers"),
        ({"kind": "average_pool2d", "size": 2}, (784, 4), "", "reads images"),
        ({"kind": "global_average_pool"}, (4, 3), "", "positions"),
        ({"kind": "conv2d", "kernel_size": 3, "padding": [1, 1, 0]}, (1, 1, 5, 5), "/padding", "one for each side"),
        ({"kind": "max_pool2d", "size": 3, "padding": [0, 0, 2, 0]}, (1, 1, 5, 5), "/padding", "at most half a window"),
        (
            {"kind": "conv_transpose2d", "kernel_size": 3, "padding": 4},
            (1, 1, 5, 5),
            "/padding",
            "cuts 4 and 4 numbers",
        ),
        ({"kind": "conv_transpose2d", "kernel_size": 3, "output_padding": 1}, (1, 1, 5, 5), "/output_padding", "fewer"),
        ({"kind": "conv_transpose1d", "kernel_size": 3, "groups": 2}, (1, 3, 5), "/groups", "3 channels and 2 filters"),
        ({"kind": "conv_transpose1d", "kernel_size": 3}, (4, 784), "", "reads n x channels x time"),
        ({"kind": "pad", "padding": [0, -1]}, (1, 1, 5, 5), "/padding", "from 0 on"),
        ({"kind": "pad", "padding": 3, "mode": "reflect"}, (1, 1, 3, 5), "/padding", "mirrors at most 2 of 3"),
        ({"kind": "pad", "padding": 3}, (4, 784), "", "reads images"),
        ({"kind": "upsample"}, (1, 1, 5, 5), "/scale", "either scale or size"),
        ({"kind": "upsample", "scale": 2, "size": 2}, (1, 1, 5, 5), "/scale", "either scale or size"),
        ({"kind": "upsample", "scale": 0.1}, (1, 1, 5, 5), "/scale", "at least one number"),
        ({"kind": "upsample", "scale": -2}, (1, 1, 5, 5), "/scale", "at least one number"),
        ({"kind": "upsample", "scale": [2, 2, 2]}, (1, 1, 5, 5), "/scale", "one for each of its 2 axes"),
        ({"kind": "upsample", "size": 0}, (1, 1, 5, 5), "/size", "from 1 on"),
        ({"kind": "upsample", "scale": 2, "align_corners": True}, (1, 1, 5, 5), "/align_corners", "with mode linear"),
    ],
)
@pytest.mark.parametrize("convention", ["row", "column"])
def test_what_is_impossible_is_refused_with_its_place(
    client: httpx.Client, layer: dict[str, Any], shape: tuple[int, ...], pointer: str, words: str, convention: str
) -> None:
    layer = {**layer, "filters": 2} if "conv" in layer["kind"] else layer
    problem = {
        "network": {"layers": [layer]},
        "batch": {"inputs": np.ones(shape)},
        "seed": 0,
        "convention": convention,
    }
    response = client.post("/v1/forward", json=listed(problem))
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["pointer"] == f"#/network/layers/0{pointer}"
    assert words in error["detail"]
    if len(shape) == 2:
        assert str(list(shape)) in error["detail"]  # As it was sent, in every convention.


def test_a_transposed_convolution_is_the_transpose_of_a_convolution(client: httpx.Client) -> None:
    """⟨conv(Z), X⟩ = ⟨Z, conv_transpose(X)⟩ for equal weights, and each one's way back is the other's way there."""
    X, Z, W = RNG.standard_normal((2, 4, 3, 4)), RNG.standard_normal((2, 6, 6, 7)), RNG.standard_normal((4, 3, 3, 2))
    sides = {"kernel_size": [3, 2], "stride": 2, "padding": [1, 1, 0, 1], "groups": 2, "bias": False}
    there, back = (
        post(
            client,
            network={"layers": [{"kind": kind, "filters": filters, **more, **sides}]},
            parameters={"1": {"weight": W}},
            batch={"inputs": read, "upstream": upstream},
            loss={"kind": "upstream"},
            include=["output", "gradients", "input_gradient"],
            verify=True,
        )
        for kind, filters, read, upstream, more in (
            ("conv2d", 4, Z, X, {}),
            ("conv_transpose2d", 6, X, Z, {"output_padding": [0, 1]}),
        )
    )
    close(there["input_gradient"], back["output"], atol=1e-13)
    close(there["output"], back["input_gradient"], atol=1e-13)
    close(there["gradients"]["1"]["weight"], back["gradients"]["1"]["weight"], atol=1e-12)
    assert back["certificate"]["relative_error"] < 1e-13


def test_memory_for_the_lowered_images_counts(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "conv1d", "filters": 1, "kernel_size": 40000}]},
        "batch": {"inputs": np.zeros((1, 1, 80000))},
        "seed": 0,
    }
    response = client.post("/v1/forward", json=listed(problem))
    assert response.json()["type"] == "/problems/too-large", response.text[:300]
