"""/v1/datasets: what it takes and gives."""

from __future__ import annotations

from app.problem.schemas import Body, Convention, Name, NamedTensors
from app.wire.tensor import Tensor


class DatasetRequest(Body):
    """A dataset as JSON. Larger ones come as a file: CSV, npz or safetensors."""

    inputs: Tensor | NamedTensors
    """One tensor, or an object of named tensors that layers read by name."""

    targets: Tensor | None = None
    """Numbers shaped like the output, or one class number for each example."""

    name: Name | None = None
    """A name for people."""

    convention: Convention | None = None
    """How matrices are written: under column the examples are their columns."""


class Statistics(Body):
    """A tensor, or a column of it, in a few numbers."""

    minimum: float
    """The smallest number."""

    maximum: float
    """The largest number."""

    mean: float
    """The mean."""

    deviation: float
    """The standard deviation: the root of the mean square distance from the mean."""


class ColumnStatistics(Statistics):
    """A column in a few numbers."""

    name: str
    """Its name in the header, or its position from 1 on."""


class TensorStatistics(Statistics):
    """A tensor in a few numbers."""

    shape: list[int]
    """Its shape; the examples are the first axis."""

    dtype: str
    """Type of its elements."""

    columns: list[ColumnStatistics] | None = None
    """The columns of a matrix, where they are at most 1000."""


class ClassCount(Body):
    """A class and how many examples are of it."""

    label: str
    """What stands in the file."""

    count: int
    """How many examples have it."""


class StandardisationRecord(Body):
    """How the inputs were standardised: x became (x − mean) / deviation."""

    mean: Tensor
    """What was subtracted from each feature."""

    deviation: Tensor
    """What each feature was divided by; 1 where it does not vary."""


class DatasetDescription(Body):
    """A dataset, without its numbers."""

    id: str
    """dst_ and 24 hexadecimal digits of the SHA-256 of what it holds."""

    name: str | None = None
    """A name for people."""

    created_at: str
    """When it was stored first, ISO 8601 in UTC."""

    examples: int
    """How many examples there are."""

    inputs: dict[str, TensorStatistics]
    """The inputs by name; "input" where there is one."""

    targets: TensorStatistics | None = None
    """The targets, where there are any."""

    classes: list[ClassCount] | None = None
    """The classes in the order of their numbers or columns, where targets were read as classes."""

    standardisation: StandardisationRecord | None = None
    """How the inputs were standardised, where they were."""

    ignored: list[str] | None = None
    """Columns or arrays of the file that are not part of the dataset."""


class DatasetList(Body):
    """A part of all datasets, the newest first."""

    data: list[DatasetDescription]
    """The datasets."""

    has_more: bool
    """Whether there are more."""

    next: str | None = None
    """What `after` has to be for the next part, where there is one."""
