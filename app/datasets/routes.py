"""The routes of /v1/datasets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask

from app.datasets import examples, readers, repository, service
from app.datasets.schemas import DatasetDescription, DatasetList, DatasetRequest
from app.http.dependencies import CallerDep, EndpointDep
from app.http.openapi import FORM, describe, describe_answer
from app.http.pagination import After, Limit
from app.http.uploads import handle_file
from app.problem.schemas import Name
from app.storage.dependencies import DatabaseDep
from app.storage.space import release

router = APIRouter(tags=["datasets"])

STATUSES = {200: "A dataset with this content was stored before.", 201: "The dataset was stored."}
FILES = {
    "text/csv": {"schema": {"type": "string"}, "example": "length,width,species\n5.1,3.5,setosa\n6.2,2.9,virginica\n"},
    "application/zip": {"schema": {"type": "string", "format": "binary"}},
    **FORM,
}


@router.post(
    "/v1/datasets",
    operation_id="create_dataset",
    summary="Upload a dataset",
    **describe(
        DatasetRequest,
        DatasetDescription,
        examples.DATASETS,
        statuses=STATUSES,
        besides=FILES,
        refusals=("not-ready", "insufficient-storage"),
    ),
)
async def create_dataset(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    format: Annotated[
        readers.Format | None,
        Query(
            description="Format of the body. Default: the one that Content-Type or, in a form, the file's first bytes tell."
        ),
    ] = None,
    name: Annotated[Name | None, Query(description="Display name of the dataset.")] = None,
    inputs: Annotated[
        list[str],
        Query(
            description="CSV: columns of the inputs (default: all except the targets). npz and safetensors: array names."
        ),
    ] = [],  # noqa: B006  (the framework copies it)
    targets: Annotated[
        list[str], Query(description="CSV: columns of the targets. npz and safetensors: array name (default: targets).")
    ] = [],  # noqa: B006
    classes: Annotated[
        Literal["one_hot", "index"] | None,
        Query(description="CSV: read the target column as class labels, encoded one-hot or as numbers from 0."),
    ] = None,
    standardise: Annotated[
        bool, Query(description="Scale every input feature to mean 0 and standard deviation 1.")
    ] = False,
    header: Annotated[bool, Query(description="CSV: whether the first line holds the column names.")] = True,
    delimiter: Annotated[
        Literal["comma", "semicolon", "tab"], Query(description="CSV: the separator between cells.")
    ] = "comma",
) -> Response:
    """Upload examples as JSON, CSV, npz (without pickled objects) or safetensors.

    The answer describes the stored dataset.

    Missing cells and numbers that are not finite are refused; each error names the row and column, with data rows
    counted from 1. Arrays of npz and safetensors files are named `inputs` (or `inputs.a`, `inputs.b` for named inputs)
    and `targets`, unless the query names others. If the same content was stored before, the answer is 200 with the same
    id.
    """
    form = readers.format_of(endpoint.request.headers.get("content-type"), format)
    options = readers.DatasetOptions(name, inputs, targets, classes, standardise, header, delimiter)
    return await handle_file(
        endpoint,
        lambda file, check_deadline: service.create_dataset(
            file, form or readers.recognise(file), options, endpoint.settings, database, caller, check_deadline
        ),
    )


@router.get(
    "/v1/datasets",
    operation_id="list_datasets",
    summary="List datasets",
    **describe_answer(DatasetList),
)
async def list_datasets(
    endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, limit: Limit = 20, after: After = None
) -> Response:
    """List the stored datasets, newest first."""
    return await endpoint.produce(lambda _: (service.list_datasets(database, limit, after, caller), "json"))


@router.get(
    "/v1/datasets/{id}",
    operation_id="get_dataset",
    summary="Get the description of a dataset",
    **describe_answer(DatasetDescription, tagged=True),
)
async def get_dataset(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Return the shapes, types, statistics, classes and standardisation of a dataset, without its numbers."""

    def resource() -> dict[str, Any]:
        return service.show_dataset(id, database, caller)

    return await endpoint.produce(lambda _: (resource(), "json"), resource)


@router.delete(
    "/v1/datasets/{id}",
    operation_id="delete_dataset",
    summary="Delete a dataset",
    status_code=204,
    **describe_answer(
        None,
        statuses={204: "The dataset was deleted."},
        refusals=("not-found", "invalid-request", "not-ready", "insufficient-storage"),
    ),
)
async def delete_dataset(database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Delete a dataset. Jobs that already use it continue."""
    await run_in_threadpool(repository.delete_dataset, database, id, caller)
    return Response(status_code=204, background=BackgroundTask(release, database))
