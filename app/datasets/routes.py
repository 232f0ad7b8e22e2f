"""/v1/datasets."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from app.datasets import examples, repository, service
from app.datasets.schemas import DatasetDescription, DatasetList, DatasetRequest
from app.http.dependencies import EndpointDep
from app.http.openapi import describe, describe_answer
from app.http.pagination import After, Limit
from app.http.uploads import handle_file
from app.problem.schemas import Name
from app.storage.dependencies import DatabaseDep

router = APIRouter(tags=["datasets"])

STATUSES = {200: "There is a dataset with this content already.", 201: "The dataset was stored."}
FILES = {
    "text/csv": {"schema": {"type": "string"}, "example": "length,width,species\n5.1,3.5,setosa\n6.2,2.9,virginica\n"},
    "application/zip": {"schema": {"type": "string", "format": "binary"}},
}


@router.post(
    "/v1/datasets",
    operation_id="create_dataset",
    summary="Upload a dataset",
    **describe(
        DatasetRequest, DatasetDescription, examples.DATASETS, statuses=STATUSES, besides=FILES, refusals=("not-ready",)
    ),
)
async def create_dataset(
    endpoint: EndpointDep,
    database: DatabaseDep,
    format: Annotated[
        service.Format | None, Query(description="Format of the body, instead of its Content-Type.")
    ] = None,
    name: Annotated[Name | None, Query(description="A name for people.")] = None,
    inputs: Annotated[
        list[str],
        Query(description="CSV: columns of the inputs (default: all but the targets). Files: name of the array."),
    ] = [],  # noqa: B006  (the framework copies it)
    targets: Annotated[
        list[str], Query(description="CSV: columns of the targets. Files: name of the array (default: targets).")
    ] = [],  # noqa: B006
    classes: Annotated[
        Literal["one_hot", "index"] | None,
        Query(description="CSV: the target column holds classes, which become rows of 0 and 1 or numbers from 0."),
    ] = None,
    standardise: Annotated[
        bool, Query(description="Give every input feature mean 0 and deviation 1; how is part of the answer.")
    ] = False,
    header: Annotated[bool, Query(description="CSV: whether the first line holds the names of the columns.")] = True,
    delimiter: Annotated[
        Literal["comma", "semicolon", "tab"], Query(description="CSV: what separates cells.")
    ] = "comma",
) -> Response:
    """Upload examples as JSON, CSV, npz (nothing is unpickled) or safetensors, and get back what was found in them.

    Missing cells and what is no finite number are refused, each with its row and column; rows of data are counted from 1.
    Arrays of npz and safetensors are `inputs` (or `inputs.a`, `inputs.b` for named ones) and `targets`, or what the query
    names. The same content again is answered 200 with the same id.
    """
    form = service.format_of(endpoint.request.headers.get("content-type"), format)
    options = service.Options(name, inputs, targets, classes, standardise, header, delimiter)
    return await handle_file(
        endpoint,
        lambda file, check_deadline: service.create_dataset(
            file, form, options, endpoint.settings, database, check_deadline
        ),
    )


@router.get(
    "/v1/datasets",
    operation_id="list_datasets",
    summary="The datasets that are kept",
    **describe_answer(DatasetList),
)
async def list_datasets(
    endpoint: EndpointDep, database: DatabaseDep, limit: Limit = 20, after: After = None
) -> Response:
    """The newest first."""
    return await endpoint.produce(lambda _: (service.list_datasets(database, limit, after), "json"))


@router.get(
    "/v1/datasets/{id}",
    operation_id="get_dataset",
    summary="What is in a dataset",
    **describe_answer(DatasetDescription),
)
async def get_dataset(endpoint: EndpointDep, database: DatabaseDep, id: str) -> Response:
    """Shapes, types, statistics, classes and standardisation, without the numbers themselves."""
    return await endpoint.produce(lambda _: (service.show_dataset(id, database), "json"))


@router.delete(
    "/v1/datasets/{id}",
    operation_id="delete_dataset",
    summary="Delete a dataset",
    status_code=204,
    **describe_answer(None, statuses={204: "It is gone."}, refusals=("not-found", "invalid-request", "not-ready")),
)
async def delete_dataset(database: DatabaseDep, id: str) -> Response:
    """Jobs that have read it go on."""
    await run_in_threadpool(repository.delete_dataset, database, id)
    return Response(status_code=204)
