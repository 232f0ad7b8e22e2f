"""From a request to a job in the queue: completed, checked as a whole, then written in one transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import models
from app.completion import completed
from app.exchange import Reply
from app.jobs import checkpoints, idempotency, rows
from app.jobs.answers import job_answer
from app.jobs.request import divided, joined, loaded, problem_and_recipe
from app.jobs.variants import variants
from app.schemas.jobs import JobRequest
from app.settings import Settings
from app.storage import Database, contents, dataset_store
from app.storage.jobs import StoredCheckpoint, StoredJob
from app.storage.model_store import ATTEMPTS
from app.storage.tables import now
from core.arrays import Array
from core.errors import Issue, Refusal, refuse_if_any
from core.problem import Problem
from core.survey import Limits
from core.training import refuse_unfit
from core.training.examples import nodes_for

FIXED_BY_CHECKPOINT = ("model", "network", "parameters", "state", "convention", "dtype", "feedback")


def created(body: JobRequest, settings: Settings, database: Database, key: str | None) -> Reply:
    """Make a job, or answer as the request with this key was answered before."""
    digest = idempotency.digest_of(*divided(body))

    def work(remember: idempotency.Remember) -> dict[str, Any]:
        request = Request(body, settings, database)
        for left in reversed(range(ATTEMPTS)):
            try:
                with database.write() as session:
                    answer = job_answer(session, request.written(session))
                    remember(session, answer)
                    return answer
            except IntegrityError:
                # What it refers to was deleted in that moment, and is stored anew.
                if not left:
                    raise
        raise AssertionError("unreachable")

    answer, replayed = idempotency.once(database, key, digest, work)
    headers = {"Location": f"/v1/jobs/{answer['id']}"} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return Reply(answer, 202, headers)


class Request:
    """A complete request that can be trained."""

    def __init__(self, body: JobRequest, settings: Settings, database: Database) -> None:
        """Read what it refers to and check it.

        Raises:
            Refusal: with everything that is wrong with it.
        """
        self.checkpoint: StoredCheckpoint | None = None
        self.model = body.model
        self.data: str | None = None
        dataset: dict[str, Array] | None = None
        if body.from_checkpoint is not None:
            body, dataset = self._continued(body, database)
        elif not body.network.layers and body.model is None:
            raise Refusal.of("invalid-request", "Field required", "network")
        body = completed(body, database).model_copy(update={"model": None, "from_checkpoint": None})
        models.refuse_long(len(body.network.layers), settings)
        missing = [name for name in ("data", "loss", "optimizer", "epochs") if getattr(body, name) is None]
        refuse_if_any([Issue(code="invalid-request", path=(name,), detail="Field required") for name in missing])
        self.dataset = self._dataset(body, database) or dataset
        self.parts = list(variants(body))
        for _, part in self.parts or [({}, body)]:
            _check(part, self.dataset, settings)
        self.body = body

    def _continued(self, body: JobRequest, database: Database) -> tuple[JobRequest, dict[str, Array] | None]:
        """The request with what the job has from whose checkpoint it goes on."""
        source = body.from_checkpoint
        if source is None:
            raise LookupError("there is a checkpoint")
        issues = [
            Issue(
                code="invalid-request",
                path=(name,),
                detail=f"A job that goes on from a checkpoint has its {name}.",
                hint='Send "model" with the model of the checkpoint to begin anew from there.',
            )
            for name in (*FIXED_BY_CHECKPOINT, "sweep")
            if name in body.model_fields_set and getattr(body, name) is not None
        ]
        refuse_if_any(issues)
        with database.read() as session:
            try:
                job = rows.find(session, source.job)
            except Refusal as refusal:
                detail = refusal.issues[0].detail
                raise Refusal.of("unknown-name", detail, "from_checkpoint", "job", got=source.job) from None
            if job.parts:
                detail = f"Job {job.id} is a sweep: its parts have the checkpoints."
                raise Refusal.of("invalid-request", detail, "from_checkpoint", "job")
            self.checkpoint = checkpoints.find(session, job, source.epoch)
            before, dataset = loaded(session, job)
            self.data, self.model = job.data, job.model
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        request = before.model_copy(update=sent)
        if "data" in sent:
            self.data, dataset = None, None
        if request.epochs and request.epochs <= self.checkpoint.epoch:
            detail = f"The checkpoint is of epoch {self.checkpoint.epoch}; epochs counts from the very beginning."
            hint = f"More than {self.checkpoint.epoch} go on from there."
            raise Refusal.of("invalid-request", detail, "epochs", got=request.epochs, hint=hint)
        return request, dataset

    def _dataset(self, body: JobRequest, database: Database) -> dict[str, Array] | None:
        """The tensors of a dataset that the request names."""
        data = body.data
        if data is None or self.data:
            return None
        if data.dataset is None:
            if data.inputs is None:
                raise Refusal.of("invalid-request", "Field required", "data", "inputs")
            return None
        if data.inputs is not None or data.targets is not None:
            detail = "The data are a dataset or tensors, not both."
            raise Refusal.of("invalid-request", detail, "data", "dataset")
        with database.read() as session:
            try:
                row = dataset_store.find(session, data.dataset)
            except Refusal as refusal:
                found = refusal.issues[0]
                raise Refusal.of("unknown-name", found.detail, "data", "dataset", hint=found.hint) from None
            self.data = row.content
            return contents.get(session, row.content)

    def written(self, session: Session) -> StoredJob:
        """The job, and its parts if it is a sweep."""
        job = self._row(session, self.body, parts=len(self.parts))
        for variant, body in self.parts:
            self._row(session, body, sweep=job.id, variant=variant)
        return job

    def _row(self, session: Session, body: JobRequest, **more: Any) -> StoredJob:
        rest, tensors = divided(body)
        content = contents.digest_of(tensors) if tensors else None
        if content:
            contents.put(session, content, tensors)
        done = self.checkpoint.epoch if self.checkpoint else 0
        parts = more.get("parts", 0)
        progress = {"parts": parts, "parts_ended": 0} if parts else {"epoch": done, "epochs": body.epochs, "step": 0}
        columns = {"parts": 0, "run": 0, "attempts": 0, "events": 0, "reported": done} | more
        job = StoredJob(
            id=rows.new_id(),
            request=rest,
            content=content,
            data=self.data,
            model=self.model,
            name=body.name,
            status="queued",
            progress=progress,
            created_at=now(),
            **columns,
        )
        session.add(job)
        session.flush()
        if self.checkpoint:
            copied = {name: getattr(self.checkpoint, name) for name in ("epoch", "content", "notes", "model")}
            session.add(StoredCheckpoint(job=job.number, created_at=now(), **copied))
        rows.enter(session, job, "queued")
        session.flush()
        return job


def _check(body: JobRequest, dataset: Mapping[str, Array] | None, settings: Settings) -> None:
    """Find everything that would let a job fail before its first step, and what this server does not take."""
    # It is checked as a worker will read it.
    body = joined(*divided(body))
    problem, recipe = problem_and_recipe(body, dataset, Limits(parameters=settings.max_parameters))
    refuse_unfit(problem, recipe)
    _refuse_large_batch(problem, min(recipe.batch_size, len(next(iter(problem.inputs.values())))), settings)


def _refuse_large_batch(problem: Problem, size: int, settings: Settings) -> None:
    numbers = sum(math.prod(node.shape) for node in nodes_for(problem, size))
    if numbers > settings.max_activations:
        detail = f"A step's results hold {numbers:,} numbers; this server takes {settings.max_activations:,}."
        hint = "A smaller batch_size."
        raise Refusal.of("too-large", detail, "batch_size", expected=settings.max_activations, got=numbers, hint=hint)
