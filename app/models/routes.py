"""/v1/models."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from app.http.dependencies import EndpointDep
from app.http.openapi import WITHOUT_BODY, describe, describe_answer, describe_download, describe_file
from app.http.pagination import After, Limit
from app.http.uploads import handle_file
from app.models import examples, repository, service, transfers
from app.models.formats.imported import Options
from app.models.schemas import Model, ModelChange, ModelList, ModelRequest
from app.problem.schemas import Convention, Name
from app.storage.dependencies import DatabaseDep

router = APIRouter(tags=["models"])

STATUSES = {200: "There is a model with this content already.", 201: "The model was stored."}


@router.post(
    "/v1/models",
    operation_id="create_model",
    summary="Keep a model",
    **describe(ModelRequest, Model, examples.MODELS, statuses=STATUSES),
)
async def create_model(endpoint: EndpointDep, database: DatabaseDep) -> Response:
    """Keep a network with its parameters under an id that follows from the content.

    The same content again is answered 200 with the same id, also where it is written in another convention. The id may
    stand as `model` in every problem.
    """
    return await endpoint.handle(ModelRequest, lambda body, settings, _: service.create_model(body, settings, database))


@router.get("/v1/models", operation_id="list_models", summary="The models that are kept", **describe_answer(ModelList))
async def list_models(endpoint: EndpointDep, database: DatabaseDep, limit: Limit = 20, after: After = None) -> Response:
    """The newest first, without their parameters."""
    return await endpoint.produce(lambda _: (service.list_models(database, limit, after), "json"))


@router.get(
    "/v1/models/{id}",
    operation_id="get_model",
    summary="A model with its parameters",
    **describe_answer(Model, refusals=(*WITHOUT_BODY, "too-large")),
)
async def get_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    id: str,
    convention: Annotated[Convention, Query(description="How the parameters are written.")] = "row",
    encoding: Annotated[Literal["json", "base64"], Query(description="How tensors are written.")] = "json",
    parameters: Annotated[bool, Query(description="Whether the parameters are part of the answer.")] = True,
) -> Response:
    """The parameters come in the convention that is asked for, whatever they were sent in."""

    def work(_: object) -> tuple[dict[str, object], Literal["json", "base64"]]:
        answer = service.show_model(id, endpoint.settings, database, convention=convention, with_parameters=parameters)
        return answer, encoding

    return await endpoint.produce(work)


@router.patch(
    "/v1/models/{id}",
    operation_id="change_model",
    summary="Change name and metadata",
    **describe(ModelChange, Model, examples.MODEL_CHANGES, refusals=("not-found",)),
)
async def change_model(endpoint: EndpointDep, database: DatabaseDep, id: str) -> Response:
    """Only name and metadata can change: network and parameters are what the id stands for."""
    return await endpoint.handle(ModelChange, lambda body, *_: service.change_model(id, body, database))


@router.delete(
    "/v1/models/{id}",
    operation_id="delete_model",
    summary="Delete a model",
    status_code=204,
    **describe_answer(None, statuses={204: "It is gone."}, refusals=("not-found", "invalid-request", "not-ready")),
)
async def delete_model(database: DatabaseDep, id: str) -> Response:
    """Models that were trained from it keep its id as their `parent`."""
    await run_in_threadpool(repository.delete_model, database, id)
    return Response(status_code=204)


@router.post(
    "/v1/models/import",
    operation_id="import_model",
    summary="Keep the model of a file",
    **describe_file(Model, statuses=STATUSES),
)
async def import_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    format: Annotated[transfers.Format, Query(description="What the body is.")],
    name: Annotated[Name | None, Query(description="A name for people.")] = None,
    network: Annotated[
        str | None, Query(description="The network as JSON, where the file has none.", max_length=100_000)
    ] = None,
    convention: Annotated[
        Convention | None,
        Query(description="How the tensors are written. Default: as the file says, or torch."),
    ] = None,
    activation: Annotated[
        str | None, Query(description="Activation of every layer but the last, which a state_dict does not say.")
    ] = None,
    output_activation: Annotated[str | None, Query(description="Activation of the last layer of a state_dict.")] = None,
) -> Response:
    """Read a file that was exported here, the state_dict of a torch module as safetensors or npz, or an ONNX model.

    The network of a safetensors file stands in its metadata under `gradd`, or in the query; a chain of dense layers is told
    from the shapes alone. ONNX operators without a layer here are refused, all of them at once.
    """
    options = Options(transfers.network_of_query(network), convention, activation, output_activation)
    return await handle_file(
        endpoint, lambda file, _: transfers.import_model(file, format, options, name, endpoint.settings, database)
    )


@router.get(
    "/v1/models/{id}/export",
    operation_id="export_model",
    summary="A model as a file",
    **describe_download(transfers.MEDIA_TYPES),
)
async def export_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    id: str,
    format: Annotated[transfers.Format, Query(description="What the answer is.")],
    convention: Annotated[
        Convention, Query(description="How the parameters are written; torch also gives torch's names.")
    ] = "row",
) -> Response:
    """What is exported can be imported again.

    safetensors and npz hold the tensors by path and the network as JSON under `gradd`; with `convention=torch` they are
    named as in torch's state_dict. An ONNX model evaluates to the same output.
    """
    return await endpoint.download(f"{id}.{format}", lambda: transfers.export_model(id, format, convention, database))
