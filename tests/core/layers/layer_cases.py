"""A case for every kind of layer and every way in which its axes and shapes can lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.arrays import Shape
from core.convention import Convention, tensor_shape
from core.layers import KINDS, Layer
from core.layers.conv2d import Conv2D
from core.layers.conv_transpose2d import ConvTranspose2D
from core.layers.group_norm import GroupNorm


@dataclass(frozen=True)
class Sizes:
    """Lengths of axes: n examples, i features, k and o whatever a case needs them for."""

    n: int
    i: int
    k: int
    o: int


@dataclass(frozen=True)
class Case:
    """A layer, and the shapes of what it reads."""

    name: str
    layer: Callable[[Sizes], Layer]
    shapes: Callable[[Sizes], Sequence[Shape]]
    as_sent: bool = False
    """Whether the shapes are those of the request in every convention; else they are batch-first."""

    before: Sequence[Layer] = ()
    """Layers between the inputs and this one, which reads the last of them: they make the numbers that it asks for."""

    def built(self, sizes: Sizes, convention: Convention) -> tuple[list[Layer], dict[str, Shape]]:
        """The layers, of which the last is the case's, and the inputs a, b, c ... as this convention writes them."""
        shapes = [shape if self.as_sent else tensor_shape(shape, convention) for shape in self.shapes(sizes)]
        inputs = dict(zip("abcd", shapes, strict=False))
        reads = [self.before[-1].name or ""] if self.before else list(inputs)
        return [*self.before, replace(self.layer(sizes), inputs=reads)], inputs


def _made(kind: str, name: str, *inputs: str) -> Layer:
    construct: Callable[..., Layer] = KINDS[kind]
    return construct(name=name, inputs=list(inputs))


TRANSPOSED = _made("transpose", "a^", "a")
SYMMETRIC = (TRANSPOSED, _made("add", "a + a^", "a", "a^"))
"""a + aᵀ, for layers that read symmetric matrices."""

DEFINITE = (TRANSPOSED, _made("matmul", "a a^", "a", "a^"))
"""a aᵀ, for layers that read positive definite matrices."""


Shapes = Callable[[Sizes], Sequence[Shape]]

RECTANGULAR: dict[str, Shapes] = {
    "high matrices": lambda s: [(s.n, s.i + 2, s.i)],
    "broad matrices": lambda s: [(s.n, s.i, s.i + 1)],
    "stacks": lambda s: [(s.n, 2, s.i, s.i)],
    "a matrix": lambda s: [(s.i, s.k)],
}

SQUARE: dict[str, Shapes] = {
    "matrices": lambda s: [(s.n, s.i, s.i)],
    "stacks": lambda s: [(s.n, s.k, 3, 3)],
    "a matrix": lambda s: [(s.i, s.i)],
}


def _of(kind: str, **fields: object) -> Callable[[Sizes], Layer]:
    """The same layer for all sizes."""
    construct: Callable[..., Layer] = partial(KINDS[kind], **fields)  # type: ignore[arg-type]
    return lambda s: construct()


def _dense(**fields: object) -> Callable[[Sizes], Layer]:
    construct: Callable[..., Layer] = partial(KINDS["dense"], **fields)  # type: ignore[arg-type]
    return lambda s: construct(units=s.o)


def _embedding() -> Callable[[Sizes], Layer]:
    construct: Callable[..., Layer] = KINDS["embedding"]
    return lambda s: construct(vocabulary_size=s.k + 1, units=s.o)


def _convolution(kind: str, **fields: object) -> Callable[[Sizes], Layer]:
    construct: Callable[..., Layer] = partial(KINDS[kind], **fields)  # type: ignore[arg-type]
    return lambda s: construct(filters=s.o)


def _recurrent(kind: str, **fields: object) -> Callable[[Sizes], Layer]:
    construct: Callable[..., Layer] = partial(KINDS[kind], **fields)  # type: ignore[arg-type]
    return lambda s: construct(units=s.o)


def _reshape(shape: Callable[[Sizes], list[int]]) -> Callable[[Sizes], Layer]:
    construct: Callable[..., Layer] = KINDS["reshape"]
    return lambda s: construct(shape=shape(s))


CASES = [
    Case("dense", _dense(), lambda s: [(s.n, s.i)]),
    Case("dense without bias", _dense(bias=False), lambda s: [(s.n, s.i)]),
    Case("dense on rank 3", _dense(), lambda s: [(s.n, s.k, s.i)]),
    Case("dense without bias on rank 4", _dense(bias=False), lambda s: [(s.n, s.k, 2, s.i)]),
    Case("tanh", _of("activation", function="tanh"), lambda s: [(s.n, s.i)]),
    Case("tanh on rank 1", _of("activation", function="tanh"), lambda s: [(s.n,)]),
    Case("gelu with gain on rank 3", _of("activation", function="gelu", gain=0.5), lambda s: [(s.n, s.k, s.i)]),
    Case("softmax with gain", _of("activation", function="softmax", gain=2.0), lambda s: [(s.n, s.i)]),
    Case("log_softmax on rank 3", _of("activation", function="log_softmax"), lambda s: [(s.n, s.k, s.i)]),
    Case("flatten rank 1", _of("flatten"), lambda s: [(s.n,)]),
    Case("flatten rank 2", _of("flatten"), lambda s: [(s.n, s.i)]),
    Case("flatten rank 4", _of("flatten"), lambda s: [(s.n, s.i, s.k, 2)]),
    Case("flatten by columns rank 3", _of("flatten", order="column_scan"), lambda s: [(s.n, s.i, s.k)]),
    Case("flatten by columns rank 4", _of("flatten", order="column_scan"), lambda s: [(s.n, 2, s.i, s.k)]),
    Case("reshape to images", _reshape(lambda s: [s.k, -1, 2]), lambda s: [(s.n, 2 * s.i * s.k)]),
    Case("reshape to rows", _reshape(lambda s: [-1]), lambda s: [(s.n, s.i, s.k)]),
    Case("reshape by length", _reshape(lambda s: [s.k, s.i]), lambda s: [(s.n, s.i, s.k)]),
    Case("reshape rank 1", _reshape(lambda s: [1, -1]), lambda s: [(s.n,)]),
    Case("add", _of("add"), lambda s: [(s.n, s.i)] * 2),
    Case("add three with a row and a vector", _of("add"), lambda s: [(s.n, s.i), (1, s.i), (s.i,)]),
    Case("add a column to a stack", _of("add"), lambda s: [(s.n, s.k, s.i), (s.n, s.k, 1), (s.k, 1)]),
    Case("subtract", _of("subtract"), lambda s: [(s.n, s.i)] * 2),
    Case("subtract from a vector", _of("subtract"), lambda s: [(s.i,), (s.n, s.i)]),
    Case("subtract a stack", _of("subtract"), lambda s: [(1, s.k, s.i), (s.n, 1, s.i)]),
    Case("multiply", _of("multiply"), lambda s: [(s.n, s.i)] * 2),
    Case("multiply three", _of("multiply"), lambda s: [(s.n, s.i), (s.n, 1), (s.i,)]),
    Case("multiply stacks", _of("multiply"), lambda s: [(s.n, s.k, s.i), (s.k, 1), (1, s.i)]),
    Case("concatenate", _of("concatenate"), lambda s: [(s.n, s.i), (s.n, s.k)]),
    Case("concatenate rank 1", _of("concatenate"), lambda s: [(s.n,), (s.i,)]),
    Case("concatenate axis 0", _of("concatenate", axis=0), lambda s: [(s.n, s.i), (s.k, s.i)], as_sent=True),
    Case("concatenate axis 1", _of("concatenate", axis=1), lambda s: [(s.n, s.i), (s.n, s.k)], as_sent=True),
    Case("concatenate axis -1", _of("concatenate", axis=-1), lambda s: [(s.n, 2, s.i), (s.n, 2, s.k)] * 2),
    Case("concatenate channels", _of("concatenate"), lambda s: [(s.n, s.i, 2, s.o), (s.n, s.k, 2, s.o)]),
    Case("slice", _of("slice", start=1, stop=3), lambda s: [(s.n, s.i + 1)]),
    Case("slice of steps backwards", _of("slice", axis=-1, start=-1, step=-2), lambda s: [(s.n, s.k, s.i)]),
    Case("slice of one position", _of("slice", axis=1, start=-1, keep_axis=False), lambda s: [(s.n, s.k, s.i)]),
    Case("slice of examples", _of("slice", axis=0, stop=1), lambda s: [(s.n, s.i, 2, s.k)]),
    Case("matmul", _of("matmul"), lambda s: [(s.n, s.i), (s.i, s.o)], as_sent=True),
    Case("matmul of stacks", _of("matmul"), lambda s: [(s.n, s.k, s.i), (s.n, s.i, s.o)]),
    Case("matmul of a stack and a matrix", _of("matmul"), lambda s: [(s.n, s.k, s.i), (s.i, s.o)], as_sent=True),
    Case("matmul of a matrix and a stack", _of("matmul"), lambda s: [(s.k, s.i), (s.n, s.i, s.o)], as_sent=True),
    Case("matmul of crossed stacks", _of("matmul"), lambda s: [(1, s.k, 2, s.i), (s.n, 1, s.i, s.o)]),
    Case("transpose", _of("transpose"), lambda s: [(s.n, s.i)]),
    Case("transpose rank 1", _of("transpose"), lambda s: [(s.n,)]),
    Case("transpose rank 3", _of("transpose"), lambda s: [(s.n, s.k, s.i)]),
    Case("transpose axes of rank 2", _of("transpose", axes=[0, 1]), lambda s: [(s.n, s.i)]),
    Case("transpose axes of rank 3", _of("transpose", axes=[2, 0, 1]), lambda s: [(s.n, s.k, s.i)]),
    Case("transpose axes of rank 4", _of("transpose", axes=[1, 3, 0, 2]), lambda s: [(s.n, s.k, 2, s.i)]),
    *(
        Case(f"{kind} axis {axis} keep {keep}", _of(kind, axis=axis, keep_axis=keep), lambda s: [(s.n, s.i)])
        for kind in ("reduce_sum", "reduce_mean")
        for axis in (None, 0, 1, -1, [0, 1], [])
        for keep in (True, False)
    ),
    *(
        Case(f"{kind} axis {axis} keep {keep}", _of(kind, axis=axis, keep_axis=keep), lambda s: [(s.n, s.k, s.i)])
        for kind, axis, keep in (
            ("reduce_max", None, False), ("reduce_max", [0, 2], False), ("reduce_max", 1, True), ("reduce_min", -1, False),
            ("reduce_min", [], True),
        )
    ),
    Case("reduce_min of a matrix", _of("reduce_min", axis=1), lambda s: [(s.n, s.i)]),
    *(
        Case(f"reduce_mean axis {axis} of rank 3", _of("reduce_mean", axis=axis, keep_axis=keep), lambda s: [(s.n, s.k, s.i)])
        for axis in (None, 0, -2, [0, 2])
        for keep in (True, False)
    ),
    Case("batch_norm", _of("batch_norm"), lambda s: [(s.n + 2, s.i)]),
    Case("batch_norm without epsilon", _of("batch_norm", epsilon=0.0), lambda s: [(s.n + 2, s.i)]),
    Case("batch_norm of sequences", _of("batch_norm", epsilon=0.1), lambda s: [(s.n, s.i, s.k)]),
    Case("batch_norm of images", _of("batch_norm"), lambda s: [(s.n, s.i, s.k, 3)]),
    Case("batch_norm in eval", _of("batch_norm", mode="eval"), lambda s: [(s.n, s.i)]),
    Case("batch_norm of images in eval", _of("batch_norm", mode="eval", epsilon=0.0), lambda s: [(s.n, s.i, 2, s.k)]),
    Case("layer_norm", _of("layer_norm"), lambda s: [(s.n, s.i + 2)]),
    Case("layer_norm without epsilon", _of("layer_norm", epsilon=0.0), lambda s: [(s.n, s.k, s.i + 2)]),
    Case("layer_norm of few features", _of("layer_norm", epsilon=0.1), lambda s: [(s.n, s.i)]),
    Case("rms_norm", _of("rms_norm"), lambda s: [(s.n, s.i + 1)]),
    Case("rms_norm without epsilon", _of("rms_norm", epsilon=0.0), lambda s: [(s.n, s.k, s.i + 1)]),
    Case("rms_norm of few features", _of("rms_norm", epsilon=0.1), lambda s: [(s.n, s.i)]),
    Case("prelu", _of("prelu"), lambda s: [(s.n, s.i)]),
    Case("prelu of features", _of("prelu", axes=[-1]), lambda s: [(s.n, s.k, s.i)]),
    Case("prelu of channels", _of("prelu", axes=[1]), lambda s: [(s.n, s.i, s.k, 2)]),
    Case("group_norm", lambda s: GroupNorm(groups=s.k), lambda s: [(s.n, 2 * s.k, s.i + 2)]),
    Case("group_norm of each channel", lambda s: GroupNorm(groups=s.i), lambda s: [(s.n, s.i, s.k, 4)]),
    Case("group_norm of features", lambda s: GroupNorm(groups=1), lambda s: [(s.n, s.i + 2)]),
    Case("group_norm without epsilon", lambda s: GroupNorm(groups=2, epsilon=0.0), lambda s: [(s.n, 2 * s.k, s.i + 1, 3)]),
    Case("local_response_norm", _of("local_response_norm", size=3, alpha=0.9), lambda s: [(s.n, s.i + 2)]),
    Case("local_response_norm of images", _of("local_response_norm", size=4, alpha=2.0, beta=0.5, bias=0.7),
         lambda s: [(s.n, s.i + 3, s.k, 2)]),
    Case("scale", _of("scale"), lambda s: [(s.n, s.i)]),
    Case("scale by one number", _of("scale", axes=[], beta=False), lambda s: [(s.n, s.k, s.i)]),
    Case("scale of channels without beta", _of("scale", axes=[1], beta=False), lambda s: [(s.n, s.i, s.k, 2)]),
    Case("shift of positions", _of("scale", axes=[-1, 1], gamma=False), lambda s: [(s.n, s.i, 2, s.k)]),
    Case("dropout", _of("dropout", drop_probability=0.5, seed=1), lambda s: [(s.n, s.i)]),
    Case("dropout of a vector", _of("dropout", drop_probability=0.2, seed=2), lambda s: [(s.n,)]),
    Case("dropout of images", _of("dropout", drop_probability=0.0, seed=3), lambda s: [(s.n, s.i, 2, s.k)]),
    Case("embedding", _embedding(), lambda s: [(s.n, s.i)]),
    Case("embedding of a vector", _embedding(), lambda s: [(s.n,)]),
    Case("embedding of images", _embedding(), lambda s: [(s.n, s.i, 2)]),
    *(
        Case(
            f"{kind} {'to' if sequences else 'from'} sequences {'with' if bias else 'without'} bias",
            _recurrent(kind, return_sequences=sequences, bias=bias),
            lambda s: [(s.n, s.k, s.i)],
        )
        for kind in ("rnn", "lstm", "gru")
        for sequences in (True, False)
        for bias in (True, False)
    ),
    Case("rnn with sigmoid", _recurrent("rnn", nonlinearity="sigmoid"), lambda s: [(s.n, s.k, s.i)]),
    Case("rnn without nonlinearity", _recurrent("rnn", nonlinearity="identity"), lambda s: [(s.n, s.k, s.i)]),
    *(
        Case(
            f"{kind} {'to' if sequences else 'from'} sequences with {states} initial states",
            _recurrent(kind, return_sequences=sequences),
            lambda s, states=states: [(s.n, s.k, s.i), *[(s.n, s.o)] * states],  # type: ignore[misc]
        )
        for kind, states in (("rnn", 1), ("lstm", 1), ("lstm", 2), ("gru", 1))
        for sequences in (True, False)
    ),
    Case("lstm in another order", _recurrent("lstm", gate_order="ofig"), lambda s: [(s.n, s.k, s.i)]),
    Case("gru in another order", _recurrent("gru", gate_order="nzr"), lambda s: [(s.n, s.k, s.i)]),
    *(
        Case(
            f"gru with reset before {order} {'with' if bias else 'without'} bias",
            _recurrent("gru", gate_order=order, bias=bias, reset_after=False, return_sequences=bias),
            lambda s: [(s.n, s.k, s.i), (s.n, s.o)],
        )
        for order, bias in (("rzn", True), ("znr", False))
    ),
    *(
        Case(
            f"{kind} in both directions {'to' if sequences else 'from'} sequences with {states} initial states",
            _recurrent(kind, bidirectional=True, return_sequences=sequences, bias=bias, **fields),
            lambda s, states=states: [(s.n, s.k, s.i), *[(s.n, 2 * s.o)] * states],  # type: ignore[misc]
        )
        for kind, states, sequences, bias, fields in (
            ("rnn", 1, True, True, {"nonlinearity": "sigmoid"}),
            ("rnn", 0, False, False, {}),
            ("lstm", 2, False, True, {}),
            ("lstm", 0, True, True, {"gate_order": "ofig"}),
            ("gru", 1, True, True, {}),
            ("gru", 0, False, True, {"reset_after": False}),
        )
    ),
    Case("multi_head_attention", _of("multi_head_attention", heads=2), lambda s: [(s.n, s.k, 2 * s.i)]),
    Case("causal multi_head_attention", _of("multi_head_attention", heads=1, causal=True), lambda s: [(s.n, s.k, s.i)]),
    Case(
        "multi_head_attention without bias", _of("multi_head_attention", heads=3, bias=False), lambda s: [(s.n, s.k, 3)]
    ),
    *(
        Case(f"svd {part} of {shape}", _of("svd", part=part), shapes)
        for part in ("values", "left", "right")
        for shape, shapes in RECTANGULAR.items()
    ),
    *(
        Case(f"eigh {part} of {shape}", _of("eigh", part=part), shapes, before=SYMMETRIC)
        for part in ("values", "vectors")
        for shape, shapes in SQUARE.items()
    ),
    *(
        case
        for name, fields in {
            "matrix_log": {},
            "matrix_power": {"exponent": 0.5},
            "matrix_power -1.3": {"exponent": -1.3},
        }.items()
        for case in (
            Case(f"{name} of matrices", _of(name.split()[0], **fields), lambda s: [(s.n, s.i, s.i + 4)], before=DEFINITE),
            Case(f"{name} of a matrix", _of(name.split()[0], **fields), lambda s: [(3, 8)], before=DEFINITE, as_sent=True),
        )
    ),
    *(
        case
        for exponent in (2.0, -1.0)
        for case in (
            Case(f"matrix_power {exponent} of matrices", _of("matrix_power", exponent=exponent),
                 lambda s: [(s.n, s.i, s.i)], before=SYMMETRIC),
            Case(f"matrix_power {exponent} of a matrix", _of("matrix_power", exponent=exponent),
                 lambda s: [(3, 3)], before=SYMMETRIC),
        )
    ),
    Case("second_order_pooling", _of("second_order_pooling", epsilon=0.1), lambda s: [(s.n, s.k, s.i)]),
    Case("second_order_pooling without epsilon", _of("second_order_pooling", epsilon=0.0), lambda s: [(s.n, s.i + 3, s.i)]),
    Case("second_order_pooling of a matrix", _of("second_order_pooling"), lambda s: [(s.k, s.i)]),
    Case("conv1d", _convolution("conv1d", kernel_size=2), lambda s: [(s.n, s.i, s.k + 2)]),
    Case("strided conv1d", _convolution("conv1d", kernel_size=[3], stride=2, padding=1, mode="convolution"),
         lambda s: [(s.n, s.i, s.k + 2)]),
    Case("dilated conv1d to the same length", _convolution("conv1d", kernel_size=3, dilation=2, padding="same"),
         lambda s: [(s.n, s.i, s.k)]),
    Case("conv2d", _convolution("conv2d", kernel_size=2), lambda s: [(s.n, s.i, s.k + 1, 3)]),
    Case("convolution in the strict sense", _convolution("conv2d", kernel_size=[3, 2], mode="convolution", padding=[2, 1]),
         lambda s: [(s.n, s.i, s.k, 2)]),
    Case("strided conv2d without bias", _convolution("conv2d", kernel_size=3, stride=[2, 3], padding=1, bias=False),
         lambda s: [(s.n, s.i, s.k + 1, 4)]),
    Case("dilated conv2d", _convolution("conv2d", kernel_size=[3, 2], dilation=[2, 3], stride=[3, 1], padding=2),
         lambda s: [(s.n, 2, s.k + 3, 5)]),
    Case("dilated conv2d to the same size", _convolution("conv2d", kernel_size=2, dilation=3, stride=2, padding="same"),
         lambda s: [(s.n, 1, s.k + 3, 4)]),
    Case("grouped conv2d", lambda s: Conv2D(filters=2 * s.o, kernel_size=2, groups=2, padding=1),
         lambda s: [(s.n, 2 * s.i, s.k, 2)]),
    Case("depthwise conv2d", lambda s: Conv2D(filters=3, kernel_size=[1, 2], groups=3, mode="convolution"),
         lambda s: [(s.n, 3, s.k, 3)]),
    *(
        Case(f"{kind} {name}", _of(kind, **fields), lambda s: [(s.n, s.i, s.k + 3, 5)])
        for kind in ("max_pool2d", "average_pool2d")
        for name, fields in (
            ("", {"size": 2}),
            ("with overlap", {"size": 3, "stride": [1, 2]}),
            ("with padding", {"size": [2, 3], "stride": 2, "padding": 1}),
            ("with gaps", {"size": 1, "stride": 2}),
        )
    ),
    Case("conv_transpose1d", _convolution("conv_transpose1d", kernel_size=3, stride=2, output_padding=1, bias=False),
         lambda s: [(s.n, s.i, s.k)]),
    Case("strided conv_transpose2d", _convolution("conv_transpose2d", kernel_size=[3, 2], stride=2, padding=[1, 0, 0, 0]),
         lambda s: [(s.n, s.i, s.k, 2)]),
    Case("dilated conv_transpose2d in groups", lambda s: ConvTranspose2D(filters=2 * s.o, kernel_size=2, stride=[1, 2],
         dilation=[3, 2], output_padding=[2, 1], padding=[1, 0], groups=2, bias=False), lambda s: [(s.n, 2 * s.i, s.k, 2)]),
    Case("pad", _of("pad", padding=[1, 0, 2, 1], value=0.5), lambda s: [(s.n, s.i, s.k, 3)]),
    Case("pad by reflection", _of("pad", padding=[2, 1], mode="reflect"), lambda s: [(s.n, s.i, s.k + 2, 2)]),
    Case("pad sequences by their edges", _of("pad", padding=[3, 1], mode="edge"), lambda s: [(s.n, s.i, s.k)]),
    Case("upsample", _of("upsample", scale=2), lambda s: [(s.n, s.i, s.k, 2)]),
    Case("upsample bilinearly", _of("upsample", scale=[2, 1.5], mode="linear"), lambda s: [(s.n, s.i, s.k, 3)]),
    Case("upsample with corners", _of("upsample", size=5, mode="linear", align_corners=True),
         lambda s: [(s.n, s.i, s.k + 1)]),
    Case("global_average_pool", _of("global_average_pool"), lambda s: [(s.n, s.i, s.k, 3)]),
    Case("global_average_pool of sequences", _of("global_average_pool"), lambda s: [(s.n, s.i, s.k)]),
]  # fmt: skip
