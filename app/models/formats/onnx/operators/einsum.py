"""Einsum of one or two operands: reductions, transposes, products of matrices, and dense layers in disguise."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.steps import Steps, show
from app.models.formats.onnx.views import Atom, Axis, View


def einsum(builder: Builder, node: OnnxNode) -> None:
    """Translate Einsum."""
    terms, result = _terms(node)
    tensors = [position for position in range(len(node.inputs)) if builder.is_tensor(node, position)]
    shapes = [builder.shape(node, position) for position in range(len(node.inputs))]
    lengths: dict[str, int | None] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape):
            raise Untranslatable(f"its equation has {len(term)} axes for an operand of {len(shape)}")
        for letter, length in zip(term, shape, strict=True):
            if lengths.setdefault(letter, length) != length:
                raise Untranslatable(f"its operands have different lengths along {letter}")
    if len(terms) == 1:
        _of_one(builder, node, terms[0], result, lengths)
    elif len(tensors) == 2:
        _of_two(builder, node, terms, result, lengths)
    elif tensors:
        _dense(builder, node, tensors[0], terms, result, lengths)
    else:
        raise Untranslatable("its operands are constants that depend on the number of examples")


def _terms(node: OnnxNode) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result."""
    equation = node.text("equation", "").replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(node.inputs) or len(terms) > 2:
        raise Untranslatable(f"its equation {equation[:40]!r} has {len(terms)} operands")
    if not arrow:
        letters = "".join(terms)
        result = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    every = [*terms, result]
    if not all(term.isalpha() or not term for term in every) or any(len(set(term)) < len(term) for term in every):
        raise Untranslatable(f"its equation {equation[:40]!r} has a diagonal, or an ellipsis")
    if not set(result) <= set("".join(terms)):
        raise Untranslatable(f"its equation {equation[:40]!r} has a result of other axes")
    return terms, result


def _of_one(builder: Builder, node: OnnxNode, term: str, result: str, lengths: dict[str, int | None]) -> None:
    """Translate a sum along axes, and a transpose."""
    view = builder.view(node.inputs[0])
    gone = [position for position, letter in enumerate(term) if letter not in result]
    if any(atom.is_examples for position in gone for atom in view.axes[position]):
        raise Untranslatable("it sums over the examples")
    kept = [letter for letter in term if letter in result]
    if not gone:
        show(builder, node, view.permuted([term.index(letter) for letter in result]))
        return
    steps = Steps(builder, node)
    layer = steps.add([builder.tensor(node, 0)], "reduce_sum", axis=gone, keep_axis=False)
    source = _axes(kept, kept[:1], lengths)
    steps.show(View(layer, source, tuple(source[kept.index(letter)] for letter in result)))


def _of_two(
    builder: Builder, node: OnnxNode, terms: Sequence[str], result: str, lengths: dict[str, int | None]
) -> None:
    """Translate the product of two tensors to a stack of products of matrices."""
    first, second = terms
    examples = [_examples(builder, node, position, term) for position, term in enumerate(terms)]
    if examples[0] != examples[1] or examples[0] not in result:
        raise Untranslatable("it sums over the examples, or pairs different ones")
    shared = [letter for letter in first if letter in second]
    batch = [examples[0], *(letter for letter in shared if letter in result and letter != examples[0])]
    inner = [letter for letter in shared if letter not in result]
    left, right = ([letter for letter in term if letter not in shared] for term in terms)
    if not set(left + right) <= set(result):
        raise Untranslatable("it sums along an axis that only one of its operands has")
    steps = Steps(builder, node)
    reads = [
        steps.arrange(_grouped(builder, node, 0, first, [*([letter] for letter in batch), left, inner])),
        steps.arrange(_grouped(builder, node, 1, second, [*([letter] for letter in batch), inner, right])),
    ]
    layer = steps.add(reads, "matmul")
    axes = dict(zip(batch + left + right, _axes(batch + left + right, batch[:1], lengths), strict=True))
    source = (*(axes[letter] for letter in batch), _joined(axes, left), _joined(axes, right))
    _show(steps, View(layer, source, tuple(axes[letter] for letter in result)))


def _dense(
    builder: Builder, node: OnnxNode, position: int, terms: Sequence[str], result: str, lengths: dict[str, int | None]
) -> None:
    """Translate the product with a constant to a dense layer."""
    term, other = terms[position], terms[1 - position]
    weight, examples = builder.weight(node, 1 - position), _examples(builder, node, position, term)
    inner = [letter for letter in term if letter in other]
    units = [letter for letter in other if letter not in term]
    rows = [letter for letter in term if letter not in other]
    if weight is None or set(inner) & set(result) or not set(rows + units) <= set(result) or examples in inner:
        raise Untranslatable(
            "its constant has another matrix for some positions, or is summed alone; no layer does that"
        )
    steps = Steps(builder, node)
    rows = [examples, *(letter for letter in rows if letter != examples)]
    reads = steps.arrange(_grouped(builder, node, position, term, [*([letter] for letter in rows), inner]))
    W = weight.transpose([other.index(letter) for letter in inner + units])
    W = W.reshape(prod(W.shape[: len(inner)]), -1)
    parameters = {"weight": W}
    layer = steps.add([reads], "dense", parameters, 1 - position, units=W.shape[1], bias=False)
    axes = dict(zip(rows + units, _axes(rows + units, rows[:1], lengths), strict=True))
    source = (*(axes[letter] for letter in rows), _joined(axes, units))
    _show(steps, View(layer, source, tuple(axes[letter] for letter in result)))


def _show(steps: Steps, view: View) -> None:
    """Let the output be the view, whose examples may be its only axis."""
    if len(view.axes) > 1:
        steps.show(view)
    else:
        steps.add([view.layer], "reduce_sum", axis=[*range(1, len(view.source))], keep_axis=False)
        steps.finish()


def _examples(builder: Builder, node: OnnxNode, position: int, term: str) -> str:
    """Return the letter of the examples of an operand."""
    view = builder.view(node.inputs[position])
    return next(letter for letter, axis in zip(term, view.axes, strict=True) if any(atom.is_examples for atom in axis))


def _grouped(builder: Builder, node: OnnxNode, position: int, term: str, groups: Sequence[Sequence[str]]) -> View:
    """Return an operand with an axis for each group of letters."""
    view = builder.view(node.inputs[position])
    axes = dict(zip(term, view.axes, strict=True))
    return View(view.layer, view.source, tuple(_joined(axes, group) for group in groups))


def _joined(axes: dict[str, Axis], letters: Sequence[str]) -> Axis:
    return tuple(atom for letter in letters for atom in axes[letter])


def _axes(letters: Sequence[str], examples: Sequence[str], lengths: dict[str, int | None]) -> tuple[Axis, ...]:
    """Return an axis for each letter."""
    atoms = [Atom(lengths[letter], is_examples=letter in examples) for letter in letters]
    return tuple(() if atom.length == 1 and not atom.is_examples else (atom,) for atom in atoms)
