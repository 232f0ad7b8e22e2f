"""Every model that goes out as ONNX comes in again with equal numbers, and onnxruntime computes them too; or it is refused.

The cases are those of the tests of layers. An identity before each layer tells how many axes an input has, which most layers
alone do not determine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.onnx import file as onnx_file
from app.models.formats.onnx.exporter import onnx_of
from app.models.formats.onnx.importer import from_onnx
from app.models.formats.onnx.writers import WRITERS
from app.models.formats.state_dict import from_torch_names, to_torch_names
from core.activations import FUNCTIONS
from core.activations.choice import Function
from core.arrays import Array, Shape
from core.errors import Refusal
from core.layers import KINDS, Layer
from core.layers.conv2d import Conv2D
from core.layers.conv_transpose2d import ConvTranspose2D
from core.layers.dense import Dense
from core.layers.dropout import Dropout
from core.layers.embedding import Embedding
from core.layers.group_norm import GroupNorm
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.pad import Pad
from core.layers.prelu import Prelu
from core.layers.rms_norm import RmsNorm
from core.layers.scale import Scale
from core.layers.transpose import Transpose
from core.model import Model
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.app.models import onnx_here
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import sample

SIZES = Sizes(n=2, i=3, k=2, o=4)
OF_ATTRIBUTES = 1e-6
"""Attributes are float32 in a file, also for onnxruntime in float64."""

OF_FLOAT32 = 2e-4

UNWRITTEN = {"svd", "eigh", "matrix_log", "matrix_power", "second_order_pooling"}
"""The kinds that no graph of operators computes."""

ALONG_EXAMPLES = "along the axis of the examples"
REFUSED = {
    "add a column to a stack": "2 and 3 axes",
    "concatenate axis 0": ALONG_EXAMPLES,
    "slice of examples": ALONG_EXAMPLES,
    "transpose axes of rank 3": "moves the axis of the examples",
    "transpose axes of rank 4": "moves the axis of the examples",
    **{
        f"{kind} axis {axis} keep {keep}": ALONG_EXAMPLES
        for kind in ("reduce_sum", "reduce_mean")
        for axis in (0, [0, 1])
        for keep in (True, False)
    },
    "reduce_mean axis 0 of rank 3": ALONG_EXAMPLES,
    "reduce_mean axis [0, 2] of rank 3": ALONG_EXAMPLES,
    "reduce_max axis [0, 2] keep False": ALONG_EXAMPLES,
    "batch_norm": "statistics of the batch",
    "batch_norm without epsilon": "statistics of the batch",
    "batch_norm of sequences": "statistics of the batch",
    "batch_norm of images": "statistics of the batch",
    "rnn without nonlinearity": "nonlinearity identity",
    "causal multi_head_attention": "causal",
    "dilated conv2d to the same size": "depends on the size",
    "dilated conv_transpose2d in groups": "output_padding",
}
"""What is not written of the other kinds, with words of the reason."""


def examples_first(shapes: Sequence[Shape]) -> bool:
    """Whether the first axis of every input counts the same examples, and there are features."""
    return len({shape[:1] for shape in shapes}) == 1 and all(len(shape) > 1 for shape in shapes)


WRITABLE = [case for case in CASES if examples_first(case.shapes(SIZES))]


@pytest.fixture(scope="module")
def _in_this_process() -> Iterator[None]:
    """Files are read as the child process reads them, but here: two hundred processes would take minutes."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_file, "_run_child", onnx_here.read_here)
        yield


def settled(case: Case) -> tuple[list[Layer], dict[str, Shape]]:
    """The layers of a case behind identities that tell the number of axes, where the case has real numbers."""
    layers, inputs = case.built(SIZES, "row")
    if isinstance(layers[-1], Dropout):
        layers = [replace(layers[-1], drop_probability=0.0)]  # A file holds the network as it is evaluated.
    if layers[-1].kind == "embedding":
        return layers, inputs
    firsts: list[Layer] = [
        Transpose(name=f"{name}'", inputs=[name], axes=list(range(len(shape)))) for name, shape in inputs.items()
    ]
    rest = [
        replace(layer, inputs=[f"{name}'" if name in inputs else name for name in layer.inputs or ()])
        for layer in layers
    ]
    return [*firsts, *rest], inputs


def output_of(layers: Sequence[Layer], spec: ProblemSpec, imported: Imported | None = None) -> Array:
    if imported is not None:
        one = {"input": next(iter(spec.inputs.values()))} if len(spec.inputs) == 1 else dict(spec.inputs)
        spec = replace(spec, inputs=one, parameters=imported.parameters, state=imported.state)
    problem = validate(replace(spec, layers=layers, targets=None), needs_loss=False)
    plan = problem.plan(backward=False)
    plan.forward()
    return np.array(plan.output)


def come_back(content: bytes, spec: ProblemSpec) -> Imported:
    """The imported file. Lengths that its network leaves open are sent if they are needed."""
    try:
        return from_onnx(content, ImportOptions(), 10**6)
    except Refusal as refusal:
        assert "input_shape" in f"{refusal.issues[0].detail} {refusal.issues[0].hint}" or "constant" in str(refusal)
        one = len(spec.inputs) == 1
        shapes = {"" if one else name: array.shape[1:] for name, array in spec.inputs.items()}
        return from_onnx(content, ImportOptions(shapes=shapes), 10**6)


def run_by_onnxruntime(content: bytes, inputs: Mapping[str, Array], dtype: str) -> Array | None:
    """What onnxruntime gives; None where it has an operator not for float64."""
    model = onnx.load_from_string(content)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.ClearField("shape")  # Rows of features, as a dense layer has them, may be more.
    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (found,) = session.run(["output"], {name: array.astype(dtype) for name, array in inputs.items()})
    except Exception as error:
        if dtype == "float64" and ("NOT_IMPLEMENTED" in str(error) or "double" in str(error)):
            return None
        raise
    return np.asarray(found)


def in_single_precision(model: Model) -> Model:
    parameters, state = (
        {layer: {name: array.astype(np.float32) for name, array in named.items()} for layer, named in arrays.items()}
        for arrays in (model.parameters, model.state)
    )
    return Model(model.layers, parameters, state)


def assert_comes_back(spec: ProblemSpec, model: Model) -> Imported:
    content = onnx_of(model)
    expected = output_of(model.layers, spec)
    found = run_by_onnxruntime(content, spec.inputs, "float64")
    if found is not None:
        np.testing.assert_allclose(found, expected, rtol=OF_ATTRIBUTES, atol=OF_ATTRIBUTES)
    elif model.tensors():
        found = run_by_onnxruntime(onnx_of(in_single_precision(model)), spec.inputs, "float32")
        assert found is not None
        np.testing.assert_allclose(found, expected, rtol=OF_FLOAT32, atol=OF_FLOAT32)
    imported = come_back(content, spec)
    np.testing.assert_allclose(output_of(imported.layers, spec, imported), expected, rtol=1e-11, atol=1e-12)
    return imported


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("case", WRITABLE, ids=[case.name for case in WRITABLE])
def test_every_layer_comes_back_with_equal_numbers_or_is_refused_by_name(case: Case) -> None:
    layers, inputs = settled(case)
    spec = sample(layers, inputs)
    model = Model(layers, spec.parameters, spec.state)
    if layers[-1].kind in UNWRITTEN or case.name in REFUSED:
        with pytest.raises(Refusal) as refused:
            onnx_of(model)
        detail = refused.value.issues[-1].detail
        assert f"({layers[-1].kind}) cannot be written as ONNX" in detail
        assert REFUSED.get(case.name, "this kind of layer") in detail
    else:
        assert_comes_back(spec, model)


def test_every_kind_is_written_or_known_not_to_be() -> None:
    assert WRITERS.keys() | UNWRITTEN == KINDS.keys()
    assert not WRITERS.keys() & UNWRITTEN


OF_CONSTANTS = [
    Function(function="clip", lower=0.0),
    Function(function="clip", upper=0.3),
    Function(function="clip", lower=-0.3, upper=1 / 3),
    Function(function="hard_sigmoid", alpha=0.2, beta=0.4),
    Function(function="leaky_relu", negative_slope=1 / 3),
    Function(function="elu", alpha=2 / 3),
    Function(function="power", exponent=3.0),
    Function(function="silu", gain=-0.7),
    Function(function="mish", gain=1 / 3),
]


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize("function", [*FUNCTIONS, *OF_CONSTANTS], ids=str)
def test_every_activation_function_comes_back(function: str | Function) -> None:
    layers = [Dense(units=4, name="a"), Dense(units=3, activation=function)]
    spec = sample(layers, {"input": (5, 3)})
    positive = {
        layer: {name: np.abs(array) for name, array in named.items()} for layer, named in spec.parameters.items()
    }
    inputs = {"input": np.abs(spec.inputs["input"])}  # Roots and logarithms take positive numbers.
    for one in (spec, replace(spec, inputs=inputs, parameters=positive)):
        with np.errstate(all="ignore"):
            if np.isfinite(output_of(layers, one)).all():
                assert_comes_back(one, Model(layers, one.parameters))
                return
    pytest.fail("its numbers are not finite")


@pytest.mark.usefixtures("_in_this_process")
def test_the_file_states_the_shapes_that_the_network_determines() -> None:
    networks: dict[str, tuple[list[Layer], Shape, list[int | str]]] = {
        "image": (
            [Pad(padding=1), Prelu(axes=[1]), Conv2D(filters=2, kernel_size=3)],
            (2, 3, 6, 6),
            ["n", 3, "height", "width"],
        ),
        "sequence": (
            [Dropout(drop_probability=0.0, seed=1), Lstm(units=2)],
            (2, 5, 3),
            ["n", "time", 3],
        ),
        "classes": (
            [Embedding(vocabulary_size=4, units=2), Gru(units=2)],
            (2, 5),
            ["n", "features"],
        ),
        "rows": ([Scale(), Dense(units=2)], (4, 3), ["n", 3]),
    }
    for layers, shape, stated in networks.values():
        spec = sample(layers, {"input": shape})
        model = Model(layers, spec.parameters, spec.state)
        (value,) = onnx.load_from_string(onnx_of(model)).graph.input
        assert [dim.dim_value or dim.dim_param for dim in value.type.tensor_type.shape.dim] == stated
        assert_comes_back(spec, model)


@pytest.mark.usefixtures("_in_this_process")
def test_an_rms_norm_is_recognised_among_its_products() -> None:
    layers: list[Layer] = [RmsNorm(epsilon=1e-6), Dense(units=2), RmsNorm(epsilon=1 / 3)]
    spec = sample(layers, {"input": (4, 3)})
    imported = assert_comes_back(spec, Model(layers, spec.parameters))
    assert [layer.kind for layer in imported.layers] == ["rms_norm", "dense", "rms_norm"]
    assert [layer.epsilon for layer in imported.layers if isinstance(layer, RmsNorm)] == [1e-6, 1 / 3]


def test_what_depends_on_a_number_of_axes_that_nothing_determines_is_refused() -> None:
    with pytest.raises(Refusal, match="how many axes"):
        onnx_of(Model([Prelu(axes=[1])], {"1": {"negative_slope": np.ones(3)}}))


def test_torch_names_of_newer_layers_come_in_and_go_out() -> None:
    """The names and shapes are those of torch's Sequential(ConvTranspose2d(2, 4, 3), GroupNorm(2, 4), PReLU(4))."""
    layers: list[Layer] = [
        ConvTranspose2D(name="0", filters=4, kernel_size=3),
        GroupNorm(name="1", groups=2),
        Prelu(name="2", axes=[1]),
    ]
    spec = sample(layers, {"input": (2, 2, 3, 3)})
    shapes = {"0.weight": (2, 4, 3, 3), "0.bias": (4,), "1.weight": (4,), "1.bias": (4,), "2.weight": (4,)}
    tensors = to_torch_names(layers, spec.parameters, {})
    assert {name: array.shape for name, array in tensors.items()} == shapes
    parameters, state = from_torch_names(tensors, layers, "torch")
    assert not state
    np.testing.assert_array_equal(output_of(layers, replace(spec, parameters=parameters)), output_of(layers, spec))
