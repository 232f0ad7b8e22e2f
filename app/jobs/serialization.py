"""Serialization of a job's request, and its conversion to the problem and recipe that the core trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from sqlalchemy.orm import Session

from app.jobs.request_schemas import JobRequest
from app.problem.from_request import feedback_spec
from app.problem.learning_rates import rates_of
from app.storage import blobs
from app.storage.tables.jobs import StoredJob
from app.wire import safetensors_file
from app.wire.encode import encode
from app.wire.limits import DocumentLimits as WireLimits
from app.wire.safetensors_message import KEY, decode_message, extract_tensors
from core.arrays import Array
from core.convention import tensor
from core.errors import Refusal
from core.network import INPUT, NetworkLimits
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import EarlyStopping, Recipe, refuse_unfit_loss

BATCH_SIZE = 32
"""Default number of examples per step."""

_ANY_SIZE = WireLimits(elements=2**63, values=2**63)


def split_tensors(body: JobRequest) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the request as JSON without its tensors, and the tensors by path."""
    tensors: dict[str, Array] = {}
    members = {name: getattr(body, name) for name in body.model_fields_set if getattr(body, name) is not None}
    rest = extract_tensors(
        type(body).model_construct(**members).model_dump(by_alias=True, include=set(members), exclude_none=True),
        "",
        tensors,
    )
    return orjson.loads(encode(rest)), tensors


def join_tensors(rest: Mapping[str, Any], tensors: Mapping[str, Array]) -> JobRequest:
    """Return the request that `split_tensors` split."""
    return decode_message(safetensors_file.write(tensors, {KEY: orjson.dumps(rest).decode()}), JobRequest, _ANY_SIZE)


def load_request(session: Session, job: StoredJob) -> tuple[JobRequest, dict[str, Array] | None]:
    """Return the request of a job, and the tensors of its dataset."""
    tensors = blobs.get(session, job.content) if job.content else {}
    return join_tensors(job.request, tensors), blobs.get(session, job.data) if job.data else None


def problem_and_recipe(
    body: JobRequest, dataset: Mapping[str, Array] | None, limits: NetworkLimits | None = None
) -> tuple[Problem, Recipe]:
    """Return the problem that the core trains, with all examples as one batch, and the training recipe.

    Raises:
        Refusal: with all errors, each located in the request.
    """
    if body.data is None or body.optimizer is None or body.epochs is None:
        raise LookupError("the request is complete by now")
    if body.loss is not None:
        refuse_unfit_loss(body.loss)
    inputs, targets = body.data.inputs, body.data.targets
    if dataset is not None:
        turned = {path: _to_convention(path, array, body) for path, array in dataset.items()}
        targets = turned.pop("targets", None)
        inputs = {path.partition(".")[2]: array for path, array in turned.items()}
    sent = ProblemSpec(
        layers=body.network.layers,
        inputs=inputs if isinstance(inputs, dict) else {INPUT: inputs},  # type: ignore[dict-item]
        parameters=body.parameters or {},
        state=body.state or {},
        loss=body.loss,
        targets=targets,
        sample_weight=body.data.sample_weight,
        first_label=body.data.first_label,
        convention=body.convention,
        dtype=body.dtype,
        seed=body.seed,
        feedback=feedback_spec(body.feedback),
    )
    try:
        problem = validate(sent, limits)
    except Refusal as refusal:
        raise at_data(refusal, from_dataset=dataset is not None) from None
    stopping = body.early_stopping
    recipe = Recipe(
        optimizer=body.optimizer,
        epochs=body.epochs,
        batch_size=body.batch_size or BATCH_SIZE,
        shuffle=body.shuffle is not False,
        seed=body.seed or 0,
        validation_fraction=body.validation_fraction or 0.0,
        early_stopping=EarlyStopping(stopping.patience, stopping.min_delta) if stopping else None,
        freeze=tuple(body.freeze or ()),
        rates=rates_of(body.optimizer, problem),
    )
    return problem, recipe


def at_data(refusal: Refusal, *, from_dataset: bool) -> Refusal:
    """Return the refusal of a batch with its paths changed to the job's `data`."""
    issues = []
    for issue in refusal.issues:
        path, detail = issue.path, issue.detail
        if path and path[0] == "batch":
            of_dataset = from_dataset and path[1:2] != ("sample_weight",)
            path = ("data", "dataset") if of_dataset else ("data", *path[1:])
            detail = detail.replace("batch.", "data.")
        issues.append(replace(issue, path=path, detail=detail))
    return Refusal(issues)


def _to_convention(path: str, array: Array, body: JobRequest) -> Array:
    """Return a stored, batch-first tensor in the request's convention.

    Class numbers are a vector in every convention.
    """
    convention = body.convention or "row"
    are_classes = path == "targets" and body.loss is not None and body.loss.takes_class_indices
    if convention == "column" and array.ndim == 1 and array.dtype.kind == "f" and not are_classes:
        array = array[:, np.newaxis]
    return tensor(array, convention)
