"""Request models for the tests: every way in which a field can hold tensors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from app.wire.decode import decode
from app.wire.tensor import Tensor
from core.errors import GraddError, Issue, Refusal
from core.spec import Spec, constraints

Parameters = TypeAliasType("Parameters", dict[str, dict[str, Tensor]])


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class One(Body):
    x: Tensor


class Free(BaseModel):
    """Takes anything, and has one tensor."""

    model_config = ConfigDict(extra="allow")
    x: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Dense(Spec):
    units: int = field(metadata=constraints(gt=0))
    kind: Literal["dense"] = "dense"

    def __post_init__(self) -> None:
        if self.units == 13:
            raise Refusal.of("unsupported-operator", "Thirteen units bring bad luck.", "units", got=13)
        if self.units == 14:
            raise ValueError("Fourteen is no better")


@dataclass(frozen=True, slots=True)
class Activation(Spec):
    function: str
    kind: Literal["activation"] = "activation"


class Batch(Body):
    inputs: Tensor | dict[str, Tensor]
    targets: Tensor | None = None


class Request(Body):
    layers: list[Annotated[Dense | Activation, Field(discriminator="kind")]] = []
    parameters: Parameters | None = None
    batch: Batch | None = None
    learning_rate: float | Parameters = 1.0
    threshold: Tensor | float = 0.0
    convention: Literal["row", "column"] = "row"
    seed: Annotated[int, Field(strict=True)] = 0
    children: list[Request] = []


def refused(body: bytes | str, model: type[BaseModel] = Request, **more: Any) -> list[Issue]:
    """The issues with which a body is refused."""
    try:
        decode(body.encode() if isinstance(body, str) else body, model, **more)
    except GraddError as error:
        assert error.issues
        return error.issues
    raise AssertionError("the body was not refused")


def the_issue(body: bytes | str, model: type[BaseModel] = Request, **more: Any) -> tuple[str, str, str]:
    """Code, JSON pointer and sentence of the only issue of a body."""
    (issue,) = refused(body, model, **more)
    return issue.code, "#" + "".join(f"/{entry}" for entry in issue.path), issue.detail
