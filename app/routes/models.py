"""/v1/models."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app import examples, models
from app.exchange import produce, respond
from app.openapi import WITHOUT_BODY, describe, describe_answer
from app.schemas.models import Model, ModelChange, ModelList, ModelRequest
from app.schemas.problem import Convention
from app.storage import Database, model_store

router = APIRouter(tags=["models"])

STATUSES = {200: "There is a model with this content already.", 201: "The model was stored."}
Limit = Annotated[int, Query(ge=1, le=100, description="Most entries of the answer.")]
After = Annotated[str | None, Query(description="The id after which the answer starts.", max_length=100)]


@router.post(
    "/v1/models",
    operation_id="create_model",
    summary="Keep a model",
    **describe(ModelRequest, Model, examples.MODELS, statuses=STATUSES),
)
async def create_model(request: Request) -> Response:
    """Keep a network with its parameters under an id that follows from the content.

    The same content again is answered 200 with the same id, also where it is written in another convention. The id may
    stand as `model` in every problem.
    """
    database: Database = request.app.state.database
    return await respond(request, ModelRequest, lambda body, settings, _: models.created(body, settings, database))


@router.get("/v1/models", operation_id="list_models", summary="The models that are kept", **describe_answer(ModelList))
async def list_models(request: Request, limit: Limit = 20, after: After = None) -> Response:
    """The newest first, without their parameters."""
    return await produce(request, lambda _: (models.listed(request.app.state.database, limit, after), "json"))


@router.get(
    "/v1/models/{id}",
    operation_id="get_model",
    summary="A model with its parameters",
    **describe_answer(Model, refusals=(*WITHOUT_BODY, "too-large")),
)
async def get_model(
    request: Request,
    id: str,
    convention: Annotated[Convention, Query(description="How the parameters are written.")] = "row",
    encoding: Annotated[Literal["json", "base64"], Query(description="How tensors are written.")] = "json",
    parameters: Annotated[bool, Query(description="Whether the parameters are part of the answer.")] = True,
) -> Response:
    """The parameters come in the convention that is asked for, whatever they were sent in."""
    state = request.app.state

    def work(_: object) -> tuple[dict[str, object], Literal["json", "base64"]]:
        answer = models.shown(id, state.settings, state.database, convention=convention, with_parameters=parameters)
        return answer, encoding

    return await produce(request, work)


@router.patch(
    "/v1/models/{id}",
    operation_id="change_model",
    summary="Change name and metadata",
    **describe(ModelChange, Model, examples.MODEL_CHANGES, refusals=("not-found",)),
)
async def change_model(request: Request, id: str) -> Response:
    """Only name and metadata can change: network and parameters are what the id stands for."""
    database: Database = request.app.state.database
    return await respond(request, ModelChange, lambda body, *_: models.changed(id, body, database))


@router.delete(
    "/v1/models/{id}",
    operation_id="delete_model",
    summary="Delete a model",
    status_code=204,
    **describe_answer(None, statuses={204: "It is gone."}, refusals=("not-found", "invalid-request", "not-ready")),
)
async def delete_model(request: Request, id: str) -> Response:
    """Models that were trained from it keep its id as their `parent`."""
    await run_in_threadpool(model_store.delete_model, request.app.state.database, id)
    return Response(status_code=204)
