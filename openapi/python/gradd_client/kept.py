"""Models and datasets that the server keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal, Protocol, TypeVar

import gradd_api
import httpx
from gradd_api import models
from gradd_api.api.datasets import create_dataset, delete_dataset, get_dataset, list_datasets
from gradd_api.api.models import (
    change_model,
    create_model,
    delete_model,
    export_model,
    get_model,
    import_model,
    list_models,
)
from gradd_api.models import Convention, DatasetDescription, Precision
from gradd_api.types import UNSET, File, Unset
from numpy.typing import ArrayLike

from gradd_client.network import Network, described
from gradd_client.tensor import (
    Array,
    Arrays,
    ArraysOfLayers,
    decoded_by_layer,
    encoded,
    encoded_by_layer,
    encoded_by_name,
)

A = TypeVar("A")


class Page(Protocol):
    """A part of a list that is answered in parts."""

    has_more: bool
    next_: str | Unset


P = TypeVar("P", bound=Page)
Format = Literal["safetensors", "npz", "onnx", "json"]
Metadata = Mapping[str, str | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptModel:
    """A model on the server; its id may stand as `model` in every problem."""

    id: str
    network: dict[str, Any]
    parameter_count: int
    dtype: str
    created_at: str
    name: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    parent: str | None = None
    parameters: dict[str, dict[str, Array]] = field(default_factory=dict)
    state: dict[str, dict[str, Array]] = field(default_factory=dict)
    warnings: list[models.Warning_] = field(default_factory=list)


class Keeping:
    """The methods of the client for what is kept."""

    _api: gradd_api.Client

    def save_model(
        self,
        network: Network,
        *,
        parameters: ArraysOfLayers | None = None,
        state: ArraysOfLayers | None = None,
        convention: Convention | None = None,
        dtype: Precision | None = None,
        name: str | None = None,
        metadata: Metadata | None = None,
    ) -> KeptModel:
        """POST /v1/models: the same content again is the same model."""
        body = models.ModelRequest.from_dict({"network": {"layers": []}, **_given(name=name, metadata=metadata)})
        body.network = described(network)
        body.parameters = UNSET if parameters is None else encoded_by_layer(parameters)
        body.state = UNSET if state is None else encoded_by_layer(state)
        body.convention = convention or UNSET
        body.dtype = dtype or UNSET
        return _model(create_model.sync(client=self._api, body=body))

    def model(self, id: str, *, convention: Convention = "row") -> KeptModel:
        """GET /v1/models/{id}: with its parameters, in any convention."""
        return _model(get_model.sync(id, client=self._api, convention=convention, encoding="base64"))

    def models(self) -> Iterator[KeptModel]:
        """GET /v1/models: all of them, the newest first, without their parameters."""
        for part in pages(
            models.ModelList, lambda after: list_models.sync(client=self._api, limit=100, after=after or UNSET)
        ):
            yield from map(_model, part.data)

    def change_model(self, id: str, *, name: str | None = None, metadata: Metadata | None = None) -> KeptModel:
        """PATCH /v1/models/{id}: what is left out stays."""
        body = models.ModelChange.from_dict(_given(name=name, metadata=metadata))
        return _model(change_model.sync(id, client=self._api, body=body))

    def delete_model(self, id: str) -> None:
        """DELETE /v1/models/{id}."""
        delete_model.sync(id, client=self._api)

    def import_model(
        self,
        file: bytes,
        format: Format,
        *,
        network: Network | None = None,
        convention: Convention | None = None,
        activation: str | None = None,
        output_activation: str | None = None,
        name: str | None = None,
    ) -> KeptModel:
        """POST /v1/models/import: a torch state_dict as safetensors or npz, an ONNX model, or what was exported."""
        answer = import_model.sync(
            client=self._api,
            body=File(BytesIO(file)),
            format_=format,
            name=name or UNSET,
            network=UNSET if network is None else json.dumps(described(network).to_dict()),
            convention=convention or UNSET,
            activation=activation or UNSET,
            output_activation=output_activation or UNSET,
        )
        return _model(answer)

    def export_model(self, id: str, format: Format, *, convention: Convention = "row") -> bytes:
        """GET /v1/models/{id}/export: the file."""
        file = read(File, export_model.sync(id, client=self._api, format_=format, convention=convention))
        return file.payload.read()

    def save_dataset(
        self, inputs: ArrayLike | Arrays, targets: ArrayLike | None = None, *, name: str | None = None
    ) -> DatasetDescription:
        """POST /v1/datasets with arrays, the examples along the first axis."""
        body = models.DatasetRequest(
            inputs=encoded_by_name(inputs) if isinstance(inputs, Mapping) else encoded(inputs),
            targets=UNSET if targets is None else encoded(targets),
            name=name or UNSET,
        )
        return read(DatasetDescription, create_dataset.sync(client=self._api, body=body))

    def upload_dataset(
        self,
        file: bytes,
        format: Literal["csv", "npz", "safetensors"],
        *,
        inputs: Sequence[str] = (),
        targets: Sequence[str] = (),
        classes: Literal["one_hot", "index"] | None = None,
        standardise: bool = False,
        header: bool = True,
        delimiter: Literal["comma", "semicolon", "tab"] = "comma",
        name: str | None = None,
    ) -> DatasetDescription:
        """POST /v1/datasets with a file; columns or arrays are chosen by name."""
        query = httpx.QueryParams(
            {
                "format": format,
                "inputs": list(inputs),
                "targets": list(targets),
                "standardise": standardise,
                "header": header,
                "delimiter": delimiter,
                **_given(classes=classes, name=name),
            }
        )
        response = self._api.get_httpx_client().post("/v1/datasets", content=file, params=query)
        return DatasetDescription.from_dict(response.json())

    def dataset(self, id: str) -> DatasetDescription:
        """GET /v1/datasets/{id}: shapes, statistics, classes."""
        return read(DatasetDescription, get_dataset.sync(id, client=self._api))

    def datasets(self) -> Iterator[DatasetDescription]:
        """GET /v1/datasets: all of them, the newest first."""
        for part in pages(
            models.DatasetList, lambda after: list_datasets.sync(client=self._api, limit=100, after=after or UNSET)
        ):
            yield from part.data

    def delete_dataset(self, id: str) -> None:
        """DELETE /v1/datasets/{id}."""
        delete_dataset.sync(id, client=self._api)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def pages(kind: type[P], ask: Callable[[str | None], object]) -> Iterator[P]:
    """The parts of a list, the first one and those that come after."""
    after: str | None = None
    while True:
        part = read(kind, ask(after))
        yield part
        if not part.has_more or isinstance(part.next_, Unset):
            return
        after = part.next_


def read(kind: type[A], answer: object) -> A:
    """The answer, which is of that kind: every other one was raised as a problem."""
    if not isinstance(answer, kind):
        raise TypeError(f"the server answered with {type(answer).__name__}, not {kind.__name__}")
    return answer


def _model(received: object) -> KeptModel:
    answer = read(models.Model, received)
    return KeptModel(
        id=answer.id,
        network=answer.network.to_dict(),
        parameter_count=answer.parameter_count,
        dtype=answer.dtype,
        created_at=answer.created_at,
        name=answer.name or None,
        metadata=answer.metadata.to_dict(),
        parent=answer.parent or None,
        parameters=decoded_by_layer(answer.parameters or None),
        state=decoded_by_layer(answer.state or None),
        warnings=answer.warnings or [],
    )
