"""Values of a JSON schema, drawn at random: each is valid as far as the keywords below say."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

TEXTS = (
    "a",
    "1",
    "input",
    "weight",
    "out",
    "tanh",
    "mdl_" + "0" * 24,
    "ü σ",
    "x" * 40,
    "1.bias",
    "output",
    "🙂",
    "a/b~c",
    " ",
)
SIZES = (1, 1, 2, 2, 3)


class Values:
    """Draws values of the schemas of an OpenAPI document."""

    def __init__(self, document: Mapping[str, Any], draw: random.Random) -> None:
        self.components = document["components"]["schemas"]
        self.draw = draw

    def value(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """Return a value of the schema."""
        draw = self.draw
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.tensor() if name == "Tensor" else self.value(self.components[name], depth)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self.value(draw.choice(schema[keyword]), depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw.choice(schema["enum"])
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
            count = min(max(least, draw.choice(SIZES)), most)
            return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            return self._number(schema, whole=kind == "integer")
        if kind == "boolean":
            return draw.random() < 0.5
        if kind == "null":
            return None
        if kind == "string":
            return self._text(schema)
        return draw.choice([1.0, "a", [1.0]]) if depth < 3 else 1.0

    def tensor(self) -> Any:
        """Return a tensor: nested lists of any rank, now and then in base64."""
        draw = self.draw
        if draw.random() < 0.1:
            return {"dtype": "float64", "shape": [1], "data": "AAAAAAAA8D8="}
        shape = [draw.choice(SIZES) for _ in range(draw.choice((1, 2, 2, 2, 3, 4)))]
        return self._nested(shape)

    def _nested(self, shape: list[int]) -> Any:
        if not shape:
            return self.draw.choice((0, 1, -1, 0.5, 2.25, -1e-3, 3))
        return [self._nested(shape[1:]) for _ in range(shape[0])]

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        draw, found = self.draw, {}
        required = set(schema.get("required", ()))
        chance = 0.35 if depth < 4 else 0.15
        for name, field in schema.get("properties", {}).items():
            if name in required or draw.random() < chance:
                found[name] = self.value(field, depth + 1)
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping) and extra:
            least = max(schema.get("minProperties", 0), draw.choice((1, 1, 2)))
            names = draw.sample(TEXTS[:5], min(least, 5))
            found |= {name: self.value(extra, depth + 1) for name in names}
        return found

    def _number(self, schema: Mapping[str, Any], *, whole: bool) -> Any:
        draw = self.draw
        least = schema.get("minimum", schema.get("exclusiveMinimum", -3))
        most = schema.get("maximum", schema.get("exclusiveMaximum", max(least + 4, 4)))
        if whole:
            low = math.floor(least) + 1 if "exclusiveMinimum" in schema else math.ceil(least)
            high = math.ceil(most) - 1 if "exclusiveMaximum" in schema else math.floor(most)
            return draw.choice((low, min(low + 1, high), min(low + draw.randrange(5), high)))
        if "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
            return least + (most - least) * draw.choice((0.001, 0.1, 0.5, 0.9))
        return draw.choice((least, (least + most) / 2, least + (most - least) * 0.1))

    def _text(self, schema: Mapping[str, Any]) -> str:
        if schema.get("contentEncoding") == "base64":
            return "AAAAAAAA8D8="
        return self.draw.choice(TEXTS)[: schema.get("maxLength", 100)]
