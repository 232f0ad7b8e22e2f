"""The bodies and answers of /v1/datasets."""

from __future__ import annotations

from app.problem.schemas import Body, Name, NamedTensors
from app.wire.tensor import Tensor
from core.convention import Convention


class DatasetRequest(Body):
    """A dataset as JSON. Larger datasets can be uploaded as CSV, npz or safetensors files."""

    inputs: Tensor | NamedTensors
    """One tensor, or an object of tensors by name that layers read by name. The first axis counts the examples."""

    targets: Tensor | None = None
    """Numbers in the shape of the network's output, or one class number per example."""

    name: Name | None = None
    """Display name. Names need not be unique."""

    convention: Convention | None = None
    """Layout of the matrices. In the column convention every example is a column."""


class Statistics(Body):
    """Summary statistics of a tensor or of one of its columns."""

    minimum: float
    """The smallest element."""

    maximum: float
    """The largest element."""

    mean: float
    """The mean of the elements."""

    deviation: float
    """The standard deviation: the square root of the mean squared distance from the mean."""


class ColumnStatistics(Statistics):
    """Summary statistics of a column."""

    name: str
    """Name of the column in the header, or its position counted from 1."""


class TensorStatistics(Statistics):
    """Summary statistics of a tensor."""

    shape: list[int]
    """Shape of the tensor. The first axis counts the examples."""

    dtype: str
    """Type of the elements."""

    columns: list[ColumnStatistics] | None = None
    """Statistics of each column of a matrix. Left out if there are more than 1000 columns."""


class ClassCount(Body):
    """A class and the number of its examples."""

    label: str
    """The label of the class in the file."""

    count: int
    """Number of examples of this class."""


class StandardisationRecord(Body):
    """Standardisation of the inputs: x was replaced by (x − mean) / deviation."""

    mean: Tensor
    """Mean that was subtracted from each feature."""

    deviation: Tensor
    """Standard deviation by which each feature was divided; 1 for features that do not vary."""


class DatasetDescription(Body):
    """A stored dataset without its numbers: shapes, types, statistics and classes."""

    id: str
    """`dst_` and 24 hexadecimal digits of the content's SHA-256 hash."""

    name: str | None = None
    """Display name. Names need not be unique."""

    created_at: str
    """When the dataset was first stored, ISO 8601 in UTC."""

    examples: int
    """Number of examples."""

    inputs: dict[str, TensorStatistics]
    """Statistics of the inputs by name. A single unnamed input is called `input`."""

    targets: TensorStatistics | None = None
    """Statistics of the targets, if there are any."""

    classes: list[ClassCount] | None = None
    """The classes in the order of their numbers or one-hot columns, if the targets were read as classes."""

    standardisation: StandardisationRecord | None = None
    """Mean and standard deviation used to standardise the inputs, if they were standardised."""

    ignored: list[str] | None = None
    """Columns or arrays of the file that are not part of the dataset."""


class DatasetList(Body):
    """One page of the datasets, newest first."""

    data: list[DatasetDescription]
    """The datasets of this page."""

    has_more: bool
    """Whether there are datasets after this page."""

    next: str | None = None
    """Value of `after` that requests the next page. Left out on the last page."""
