"""The published OpenAPI schema: how a route describes its body and answers, and the changes to FastAPI's own output."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.http import multipart
from app.http.problem_details import MEDIA_TYPE
from app.http.problem_types import PROBLEM_TYPES
from app.http.schemas import ProblemDocument
from app.wire import safetensors_message
from app.wire.tensor import EncodedTensor
from core.activations import FUNCTIONS
from core.convention import CONVENTIONS
from core.layers.base import INITIALIZERS

REF = "#/components/schemas/{model}"
NULL = {"type": "null"}
WITH_BODY = ("malformed-json", "not-acceptable", "request-timeout", "too-large", "unsupported-media-type",
             "invalid-request", "overloaded", "timeout")  # fmt: skip

WITHOUT_BODY = ("not-found", "not-acceptable", "invalid-request", "overloaded", "timeout")

BYTES = {"schema": {"type": "string", "format": "binary"}}
OCTETS = "application/octet-stream"
TEXT = {"schema": {"type": "string"}}
FORM = {
    multipart.MEDIA_TYPE: {
        "schema": {"type": "object", "required": ["file"], "properties": {"file": BYTES["schema"]}},
        "encoding": {"file": {"contentType": OCTETS}},
    }
}
"""The body as a form with one file, as `curl -F file=@NAME` sends it."""

BINARY = {safetensors_message.MEDIA_TYPE: BYTES}
"""The body as a safetensors file: tensors by their path, the other fields as JSON under the metadata key `gradd`."""

TAGS = [
    {
        "name": "math",
        "description": "Computations. The same request always returns the same answer, and nothing is stored.",
    },
    {
        "name": "models",
        "description": "Stored networks with their parameters. The id of a model is computed from its content.",
    },
    {"name": "datasets", "description": "Stored training data, uploaded as JSON or as a file."},
    {"name": "jobs", "description": "Training jobs: queue them, follow their progress, pause, resume and cancel them."},
    {"name": "service", "description": "The server's version, limits and health, and the meaning of its refusals."},
]
ENUMS: dict[str, tuple[str, Iterable[str]]] = {
    "ActivationName": ("An activation function.", FUNCTIONS),
    "Convention": (
        "Layout of matrices. row: n x features, weights in x out. column: features x n, weights out x in. "
        "torch: n x features, weights out x in.",
        CONVENTIONS,
    ),
    "Encoding": ("Encoding of tensors: nested lists (json) or base64.", ("json", "base64")),
    "Initializer": ("Distribution from which a weight is drawn.", ("default", *INITIALIZERS)),
    "Precision": ("Precision of a computation.", ("float64", "float32")),
    "Reduction": ("How the losses of the examples are combined.", ("mean", "sum")),
}

_bodies: dict[str, type[BaseModel]] = {}
_answers: dict[str, type[BaseModel]] = {ProblemDocument.__name__: ProblemDocument}


def describe(
    body: type[BaseModel],
    answer: type[BaseModel],
    examples: Mapping[str, Any],
    *,
    statuses: Mapping[int, str] | None = None,
    refusals: Iterable[str] = (),
    besides: Mapping[str, Any] | None = None,
    also: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator that describe its body and answers, for a route that parses its body.

    Args:
        body: the schema of the body.
        answer: the schema of the answer.
        examples: bodies for the documentation.
        statuses: the description of each successful status; by default only 200.
        refusals: the problem types in addition to those of every route with a body.
        besides: other formats of the body, by media type.
        also: other formats of the answer, by media type.
    """
    _bodies[body.__name__] = body
    return {
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _ref(body), "examples": dict(examples)}, **BINARY}
                | dict(besides or {}),
            }
        },
        **describe_answer(answer, statuses=statuses, refusals=(*WITH_BODY, *refusals), also=also),
    }


def describe_answer(
    answer: type[BaseModel] | None,
    *,
    statuses: Mapping[int, str] | None = None,
    refusals: Iterable[str] = WITHOUT_BODY,
    also: Mapping[str, Any] | None = None,
    tagged: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator that describe its answers.

    Args:
        answer: the schema of the answer; None for an answer without content.
        statuses: the description of each successful status; by default only 200.
        refusals: the problem types that the route can answer with.
        also: other formats of the answer, by media type.
        tagged: whether the answer has an ETag.
    """
    content: dict[str, Any] = {}
    if answer is not None:
        _answers[answer.__name__] = answer
        content = {"content": {"application/json": {"schema": _ref(answer)}, **BINARY, **(also or {})}}
    answers: dict[int, dict[str, Any]] = {
        status: {"description": meaning, **content} for status, meaning in (statuses or {200: "The result."}).items()
    }
    if tagged:
        answers[304] = {"description": "The representation with the ETag of If-None-Match is still the same."}
    return {
        "responses": answers
        | {status: describe_refusal(status) for status in sorted({PROBLEM_TYPES[slug].status for slug in refusals})}
    }


def describe_file(answer: type[BaseModel], *, statuses: Mapping[int, str]) -> dict[str, Any]:
    """Return the arguments of the decorator of a route that takes a file, with any Content-Type or in a form."""
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": {OCTETS: BYTES, **FORM}}},
        **describe_answer(answer, statuses=statuses, refusals=(*WITH_BODY, "not-ready", "insufficient-storage")),
    }


def describe_download(media_types: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the decorator of a route that answers with a file."""
    description = describe_answer(None, refusals=(*WITHOUT_BODY, "unsupported-operator"), tagged=True)
    description["responses"][200]["content"] = {name: BYTES for name in dict.fromkeys(media_types.values())}
    return description


def describe_refusal(status: int) -> dict[str, Any]:
    """Return the OpenAPI description of an answer that is a problem document."""
    titles = [f"`{kind.slug}`: {kind.title.lower()}" for kind in PROBLEM_TYPES.values() if kind.status == status]
    answer = {"description": "; ".join(titles) + ".", "content": {MEDIA_TYPE: {"schema": _ref(ProblemDocument)}}}
    if status == 401:
        scheme = {"description": "How to send a key (RFC 6750).", "schema": {"type": "string"}}
        answer["headers"] = {"WWW-Authenticate": scheme}
    if status in (429, 503):
        seconds = {
            "description": "Seconds to wait before the request is sent again.",
            "schema": {"type": "integer", "minimum": 1},
        }
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


def schema_factory(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return the function that FastAPI calls to get the schema. The schema is built once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                openapi_version="3.1.0",
                summary=app.summary,
                description=app.description,
                license_info=app.license_info,
                routes=app.routes,
                tags=app.openapi_tags or TAGS,
            )
            _, definitions = models_json_schema(
                [(model, "validation") for model in (_answers | _bodies).values()], ref_template=REF
            )
            components = schema.setdefault("components", {}).setdefault("schemas", {})
            components.update(definitions["$defs"])
            for name in ("HTTPValidationError", "ValidationError"):
                components.pop(name, None)
            schema["components"]["schemas"] = dict(sorted(components.items()))
            schema = _without_titles(schema)
            in_bodies = _referenced(schema["components"]["schemas"], _bodies)
            schema = _without_nulls(schema, but=in_bodies)
            schema["components"]["schemas"] = _hoist_components(schema["components"]["schemas"])
            app.openapi_schema = schema
        return app.openapi_schema

    return openapi


def _without_titles(node: Any, *, names: bool = False) -> Any:
    """Return the schema without the titles that repeat a field's name. Under `properties`, "title" is a field."""
    if isinstance(node, dict):
        return {
            key: _without_titles(value, names=key in {"properties", "$defs", "schemas"} and not names)
            for key, value in node.items()
            if names or key != "title" or not isinstance(value, str) or "openapi" in node or "version" in node
        }
    return [_without_titles(value) for value in node] if isinstance(node, list) else node


def _hoist_components(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the components, with schemas that occur in many places replaced by references to a named component."""
    named = {
        **{
            name: {"description": description, "type": "string", "enum": list(values)}
            for name, (description, values) in ENUMS.items()
        },
        "EncodedTensor": _without_titles(EncodedTensor.model_json_schema()),
        "NamedTensors": {"description": "Tensors by name.", **schemas["NamedTensors"]},
    }

    def replace(node: Any) -> Any:
        if isinstance(node, dict):
            for name, schema in named.items():
                if all(node.get(key) == value for key, value in schema.items() if key != "description"):
                    rest = {key: value for key, value in node.items() if schema.get(key) != value}
                    return {**rest, "$ref": REF.format(model=name)}
            return {key: replace(value) for key, value in node.items()}
        return [replace(value) for value in node] if isinstance(node, list) else node

    return dict(sorted({**replace(schemas), **named}.items()))


def _referenced(schemas: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """Return the names of the components that these refer to, also through others, and their own."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _names_in(schemas[name])
    return found


def _names_in(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        node = list(node.values())
    for value in node if isinstance(node, list) else ():
        yield from _names_in(value)


def _without_nulls(node: Any, *, but: Container[str] = ()) -> Any:
    """Return the schema without `null` where a field may be left out, and without defaults that are null.

    Answers leave such fields out. In the components named by `but`, which are parts of bodies, null stays: there it is
    accepted and says the same as leaving the field out.
    """
    if isinstance(node, list):
        return [_without_nulls(value, but=but) for value in node]
    if not isinstance(node, dict):
        return node
    node = {
        key: _without_null_defaults(value) if key in but and "properties" in value else _without_nulls(value, but=but)
        for key, value in node.items()
    }
    if node.get("default", 0) is None and NULL in node.get("anyOf", []):
        others = [member for member in node.pop("anyOf") if member != NULL]
        del node["default"]
        node |= others[0] if len(others) == 1 else {"anyOf": others}
    return node


def _without_null_defaults(component: dict[str, Any]) -> dict[str, Any]:
    fields = {
        name: {key: value for key, value in field.items() if key != "default" or value is not None}
        for name, field in component["properties"].items()
    }
    return {**component, "properties": fields}
