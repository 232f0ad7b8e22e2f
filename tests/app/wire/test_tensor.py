from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from app.wire.tensor import EncodedTensor, Tensor
from app.wire.tensor_fields import FieldNode, field_tree, fields_of
from tests.app.wire.models import Body, Dense, Request


class Every(Body):
    one: Tensor
    optional: Tensor | None = None
    named: dict[str, Tensor]
    nested: dict[str, dict[str, Tensor]]
    either: Tensor | dict[str, Tensor]


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_tensors_are_components_of_the_schema(mode: Any) -> None:
    schema = Every.model_json_schema(mode=mode)
    assert set(schema["$defs"]) == {"Tensor", "EncodedTensor"}
    tensor = {"$ref": "#/$defs/Tensor"}
    properties = schema["properties"]
    assert properties["one"] == tensor
    assert tensor in properties["optional"]["anyOf"]
    assert properties["named"]["additionalProperties"] == tensor
    assert properties["nested"]["additionalProperties"]["additionalProperties"] == tensor
    assert properties["either"]["anyOf"] == [tensor, {"type": "object", "additionalProperties": tensor}]


def test_the_schema_is_not_recursive() -> None:
    definitions = Every.model_json_schema()["$defs"]
    assert references(definitions["Tensor"]) == {"#/$defs/EncodedTensor"}
    assert references(definitions["EncodedTensor"]) == set()
    assert EncodedTensor.model_json_schema()["required"] == ["dtype", "shape", "data"]


class Listed(Body):
    tensors: list[Tensor]
    pair: tuple[Tensor, int]


class Root(RootModel[dict[str, Tensor]]):
    pass


class Rooted(Body):
    root: Root


def test_places_are_found_below_lists_and_root_models() -> None:
    fields = field_tree(Listed).fields
    for name in ("tensors", "pair"):
        place = fields[name]
        assert place is not None and place.elements is not None and place.elements.tensor
    place = field_tree(Rooted).fields["root"]
    assert place is not None and place.values is not None and place.values.tensor


def test_fields_of_scalars_are_no_places() -> None:
    assert field_tree(Request).fields["seed"] is None
    assert field_tree(Request).fields["convention"] is None
    assert list(fields_of(Dense)) == ["units", "kind"]


def test_a_model_that_contains_itself_has_one_place() -> None:
    children = field_tree(Request).fields["children"]
    assert children is not None and children.elements is not None
    assert children.elements.fields["children"] is children


def test_a_list_cannot_be_a_tensor_or_a_list() -> None:
    class Ambiguous(BaseModel):
        x: Tensor | list[str]

    with pytest.raises(TypeError, match="a list could be a tensor or a list"):
        _ = field_tree(Ambiguous).fields
    assert isinstance(field_tree(Every).fields["either"], FieldNode)
