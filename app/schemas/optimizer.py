"""The optimizer of a request."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypeAliasType

from core.optimizers import AnyOptimizer

OptimizerSpec = TypeAliasType("OptimizerSpec", Annotated[AnyOptimizer, Field(discriminator="kind")])
