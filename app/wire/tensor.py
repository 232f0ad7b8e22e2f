"""Tensor: the type of a field that holds an array.

`decode` converts the array; pydantic sees one object, not its elements, and copies nothing. In the OpenAPI schema the
type is a component named `Tensor`: nested lists of numbers, or an `EncodedTensor`. The schema is not recursive, because
client generators fail on recursive types: ranks 1 and 2 are exact, from rank 3 on the inner lists are unspecified. A
tensor of rank 0 is a number. A field with the type `Tensor | float` may also be a number that is no tensor.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

DESCRIPTION = (
    "A tensor as nested lists of numbers, row by row, or in base64. `[1, 2]` has the shape (2), "
    "`[[1, 2, 3], [4, 5, 6]]` the shape (2, 3), and so on for every rank. All rows must have the same length, no axis "
    "may be empty, and every number must be finite."
)


class EncodedTensor(BaseModel):
    """A tensor in base64. It is shorter than nested lists and equally exact."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    dtype: Literal["float64", "float32", "int64", "int32"]
    """Type of the elements. Integers are converted to float64."""

    shape: list[Annotated[int, Field(strict=True, ge=1)]] = Field(min_length=1, max_length=8, examples=[[64, 128]])
    """Lengths of the axes, outermost first."""

    data: str = Field(json_schema_extra={"contentEncoding": "base64"})
    """The elements in base64 (RFC 4648 section 4, padded), little-endian and in C order (the last axis fastest)."""


def _lists_of(items: CoreSchema | None, rank: int) -> CoreSchema:
    """Return the schema of lists nested `rank` levels deep. If `items` is None, their elements are unspecified."""
    for _ in range(rank):
        items = core_schema.list_schema(items, min_length=1)
    return items or core_schema.any_schema()


class TensorMark:
    """Marks an annotation as a tensor: its validation and its schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a schema that accepts arrays. Any other value that `decode` left is not a tensor."""
        number = core_schema.float_schema()
        encoded = handler.generate_schema(EncodedTensor)
        return core_schema.json_or_python_schema(
            # Only the OpenAPI schema uses this branch.
            json_schema=core_schema.union_schema(
                [_lists_of(number, 1), _lists_of(number, 2), _lists_of(None, 3), encoded, number]
            ),
            python_schema=core_schema.no_info_plain_validator_function(_require_array),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of nested lists of numbers or the component `EncodedTensor`, for requests and answers."""
        return {"description": DESCRIPTION, **handler(schema)}


def _require_array(value: object) -> NDArray[Any]:
    if isinstance(value, np.ndarray):
        return value
    raise PydanticCustomError("tensor_type", "Input should be a tensor: numbers in nested lists, or dtype, shape, data")


Tensor = TypeAliasType("Tensor", Annotated[NDArray[Any], TensorMark()])
"""A field that holds a tensor. In a request: float64 or float32, little-endian, in C order, with finite elements."""
