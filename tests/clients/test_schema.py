"""The published schema: valid, complete, in step with the code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.main import create_app
from app.openapi import FILE, export_schema
from core.layers import KINDS
from core.losses import LOSSES


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return create_app().openapi()


def test_the_committed_file_is_what_the_service_publishes() -> None:
    assert FILE.read_text(encoding="utf-8") == export_schema(), "run `make openapi`"


def test_is_valid_openapi(schema: dict[str, Any]) -> None:
    validate(schema)


def test_names_every_layer_and_loss(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]
    assert set(schemas["LayerSpec"]["discriminator"]["mapping"]) == set(KINDS)
    assert set(schemas["LossSpec"]["discriminator"]["mapping"]) == set(LOSSES)


def test_every_field_of_every_layer_is_described(schema: dict[str, Any]) -> None:
    for kind, reference in schema["components"]["schemas"]["LayerSpec"]["discriminator"]["mapping"].items():
        component = schema["components"]["schemas"][reference.rpartition("/")[2]]
        assert component["description"], kind
        for name, field in component["properties"].items():
            assert name == "kind" or "description" in field, (kind, name)


def test_every_refusal_is_a_problem_document(schema: dict[str, Any]) -> None:
    for methods in schema["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (operation["operationId"], status)


def test_refers_to_nothing_that_is_missing(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schema["components"]["schemas"])
