"""The routes of /v1/models."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from starlette.background import BackgroundTask

from app.http.dependencies import CallerDep, EndpointDep
from app.http.openapi import WITHOUT_BODY, describe, describe_answer, describe_download, describe_file
from app.http.pagination import After, Limit
from app.http.uploads import handle_file
from app.models import examples, repository, service, transfers
from app.models.formats.imported import ImportOptions
from app.models.schemas import Model, ModelChange, ModelList, ModelRequest
from app.problem.schemas import Name
from app.storage.dependencies import DatabaseDep
from app.storage.space import release
from core.convention import Convention

router = APIRouter(tags=["models"])

STATUSES = {200: "A model with this content was stored before.", 201: "The model was stored."}


@router.post(
    "/v1/models",
    operation_id="create_model",
    summary="Store a model",
    **describe(ModelRequest, Model, examples.MODELS, statuses=STATUSES, refusals=("insufficient-storage",)),
)
async def create_model(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep) -> Response:
    """Store a network with its parameters. The id is computed from the content.

    If the same content was stored before, also in another convention, the answer is 200 with the same id. Every problem
    can refer to a stored model by its id, in the field `model`.
    """
    return await endpoint.handle(
        ModelRequest, lambda body, settings, _: service.create_model(body, settings, database, caller)
    )


@router.get("/v1/models", operation_id="list_models", summary="List models", **describe_answer(ModelList))
async def list_models(
    endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, limit: Limit = 20, after: After = None
) -> Response:
    """List the stored models, newest first, without their parameters."""
    return await endpoint.produce(lambda _: (service.list_models(database, limit, after, caller), "json"))


@router.get(
    "/v1/models/{id}",
    operation_id="get_model",
    summary="Get a model with its parameters",
    **describe_answer(Model, refusals=(*WITHOUT_BODY, "too-large"), tagged=True),
)
async def get_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    id: str,
    convention: Annotated[Convention, Query(description="Layout of the matrices in the parameters.")] = "row",
    encoding: Annotated[
        Literal["json", "base64"], Query(description="Encoding of the tensors: nested lists (json) or base64.")
    ] = "json",
    parameters: Annotated[bool, Query(description="Whether the answer includes the parameters.")] = True,
) -> Response:
    """Return a model with its parameters in the requested convention, whichever convention they were sent in."""

    def work(_: object) -> tuple[dict[str, object], Literal["json", "base64"]]:
        answer = service.show_model(
            id, endpoint.settings, database, caller, convention=convention, with_parameters=parameters
        )
        return answer, encoding

    def resource() -> dict[str, object]:
        return service.describe_model(id, database, caller)

    return await endpoint.produce(work, resource, convention, encoding, str(parameters))


@router.patch(
    "/v1/models/{id}",
    operation_id="change_model",
    summary="Change the name or metadata of a model",
    **describe(
        ModelChange,
        Model,
        examples.MODEL_CHANGES,
        refusals=("not-found", "insufficient-storage", "precondition-failed"),
    ),
)
async def change_model(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Change the name or the metadata.

    The network and the parameters cannot change, because the id is computed from them. With the header If-Match, nothing
    is changed if the model has changed since that ETag was given.
    """
    if_match = endpoint.request.headers.get("if-match")
    return await endpoint.handle(
        ModelChange, lambda body, *_: service.change_model(id, body, database, caller, if_match)
    )


@router.delete(
    "/v1/models/{id}",
    operation_id="delete_model",
    summary="Delete a model",
    status_code=204,
    **describe_answer(
        None,
        statuses={204: "The model was deleted."},
        refusals=("not-found", "invalid-request", "not-ready", "insufficient-storage"),
    ),
)
async def delete_model(database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Delete a model. Models that were trained from it keep its id as their `parent`."""
    await run_in_threadpool(repository.delete_model, database, id, caller)
    return Response(status_code=204, background=BackgroundTask(release, database))


@router.post(
    "/v1/models/import",
    operation_id="import_model",
    summary="Import a model from a file",
    **describe_file(Model, statuses=STATUSES),
)
async def import_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    format: Annotated[
        transfers.ImportFormat | None,
        Query(description="File format of the body. Default: the one that its first bytes tell."),
    ] = None,
    name: Annotated[Name | None, Query(description="Display name of the model.")] = None,
    network: Annotated[
        str | None, Query(description="The network as JSON, for files that do not describe it.", max_length=100_000)
    ] = None,
    convention: Annotated[
        Convention | None,
        Query(description="Layout of the matrices in the file. Default: the one stated in the file, otherwise torch."),
    ] = None,
    activation: Annotated[
        str | None, Query(description="Activation of every layer except the last, which a state_dict does not record.")
    ] = None,
    output_activation: Annotated[str | None, Query(description="Activation of the last layer of a state_dict.")] = None,
    input_shape: Annotated[
        list[str] | None,
        Query(
            description="Lengths of the axes of one example, such as 3,32,32, for a graph that leaves them open; for one of "
            "several inputs with its name, such as image:3,32,32.",
            max_length=20,
        ),
    ] = None,
    output: Annotated[
        str | None, Query(description="The value of a graph that the model computes, if it has several outputs.")
    ] = None,
    outputs: Annotated[
        str | None,
        Query(
            description="Several values of a graph, such as boxes,scores: the last one is the output of the model, and the "
            "others are layers of their names, whose results are among its activations."
        ),
    ] = None,
) -> Response:
    """Import a file that was exported here, a torch state_dict saved as safetensors or npz, a Keras or an ONNX model.

    The network of a safetensors file is read from its metadata key `gradd` or from the query; without either, a chain
    of dense layers is inferred from the shapes. An npz file may also hold `coefs_0`, `intercepts_0`, ... of scikit-learn.
    If an ONNX or Keras model has operators without a corresponding layer, the refusal lists all of them. The body is
    the file itself or a form with it (`curl -F file=@model.onnx`); pickles are never read.
    """
    options = ImportOptions(
        transfers.network_of_query(network),
        convention,
        activation,
        output_activation,
        shapes=transfers.shapes_of_query(input_shape or []),
        outputs=transfers.outputs_of_query(output, outputs),
    )
    return await handle_file(
        endpoint,
        lambda file, _: transfers.import_model(file, format, options, name, endpoint.settings, database, caller),
        endpoint.settings.max_model_bytes,
    )


@router.get(
    "/v1/models/{id}/export",
    operation_id="export_model",
    summary="Export a model to a file",
    **describe_download(transfers.MEDIA_TYPES),
)
async def export_model(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    id: str,
    format: Annotated[transfers.Format, Query(description="File format of the answer.")],
    convention: Annotated[
        Convention,
        Query(description="Layout of the matrices in the file; with torch, tensors also have torch's names."),
    ] = "row",
) -> Response:
    """Export a model to a file that can be imported again.

    safetensors and npz files hold the tensors by path and the network as JSON under `gradd`; with `convention=torch`
    the tensors are named as in a torch state_dict. An exported ONNX model computes the same output.
    """
    return await endpoint.download(
        f"{id}.{format}",
        lambda: transfers.export_model(id, format, convention, database, caller),
        lambda: service.describe_model(id, database, caller),
        format,
        convention,
    )
