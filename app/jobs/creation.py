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
from app.schemas.jobs import FromCheckpoint, JobRequest
from app.settings import Settings
from app.storage import Database, Deadlock, contents, dataset_store
from app.storage.jobs import StoredCheckpoint, StoredJob
from app.storage.tables import now
from core.arrays import Array
from core.errors import Issue, Refusal, refuse_if_any
from core.problem import Problem
from core.survey import Limits
from core.training import refuse_unfit
from core.training.examples import nodes_for

ATTEMPTS = 10
FIXED_BY_CHECKPOINT = ("model", "network", "parameters", "state", "convention", "dtype", "feedback")


def created(body: JobRequest, settings: Settings, database: Database, key: str | None) -> Reply:
    """Make a job, or answer as the request with this key was answered before."""
    digest = idempotency.digest_of(*divided(body))

    def work(remember: idempotency.Remember) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            request = Request(body, settings, database)
            try:
                with database.write() as session:
                    answer = job_answer(session, request.written(session))
                    remember(session, answer)
                    return answer
            except (IntegrityError, Deadlock):
                # What it refers to was deleted in that moment: it is looked up anew, and refused if it is gone for good.
                continue
        raise Refusal.of("not-ready", "What the request refers to changes all the time.", hint="Send it again.")

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
        self._source: FromCheckpoint | None = None
        self._trained: Mapping[str, Mapping[str, Array]] = {}
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
            _refuse_other_shapes(_checked(part, self.dataset, settings), self._trained)
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
            job = _source_job(session, source)
            if job.parts:
                detail = f"Job {job.id} is a sweep: its parts have the checkpoints."
                raise Refusal.of("invalid-request", detail, "from_checkpoint", "job")
            self.checkpoint = checkpoints.find(session, job, source.epoch)
            self._source = source
            self._trained = checkpoints.state_of(session, self.checkpoint).parameters
            before, dataset = loaded(session, job)
            self.data, self.model = job.data, job.model
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        request = before.model_copy(update=sent)
        if "data" in sent:
            self.data, dataset = None, None
        _refuse_done(request, self.checkpoint)
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
        if self._source:
            # The other job may have gone on; what it keeps now it keeps until this is written.
            other = _source_job(session, self._source, lock=True)
            self.checkpoint = checkpoints.find(session, other, self._source.epoch)
            _refuse_done(self.body, self.checkpoint)
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
            session.add(checkpoints.passed_on(self.checkpoint, job))
        rows.enter(session, job, "queued")
        session.flush()
        return job


def _source_job(session: Session, source: FromCheckpoint, *, lock: bool = False) -> StoredJob:
    """The job from whose checkpoint another goes on.

    Raises:
        Refusal: `unknown-name`, where there is none.
    """
    try:
        return rows.find(session, source.job, lock=lock)
    except Refusal as refusal:
        detail = refusal.issues[0].detail
        raise Refusal.of("unknown-name", detail, "from_checkpoint", "job", got=source.job) from None


def _refuse_done(body: JobRequest, checkpoint: StoredCheckpoint) -> None:
    """Refuse epochs that are done already."""
    if body.epochs and body.epochs <= checkpoint.epoch:
        detail = f"The checkpoint is of epoch {checkpoint.epoch}; epochs counts from the very beginning."
        hint = f"More than {checkpoint.epoch} go on from there."
        raise Refusal.of("invalid-request", detail, "epochs", got=body.epochs, hint=hint)


def _checked(body: JobRequest, dataset: Mapping[str, Array] | None, settings: Settings) -> Problem:
    """The problem of a request.

    Raises:
        Refusal: with everything that would let the job fail before its first step, and what this server does not take.
    """
    # It is checked as a worker will read it.
    body = joined(*divided(body))
    problem, recipe = problem_and_recipe(body, dataset, Limits(parameters=settings.max_parameters))
    refuse_unfit(problem, recipe)
    _refuse_large_batch(problem, min(recipe.batch_size, len(next(iter(problem.inputs.values())))), settings)
    return problem


def _refuse_other_shapes(problem: Problem, trained: Mapping[str, Mapping[str, Array]]) -> None:
    """Refuse data for which the parameters of a checkpoint would have to have other shapes."""
    issues = []
    for node in problem.nodes:
        for name, parameter in node.parameters.items():
            found = trained.get(node.name, {}).get(name)
            if found is not None and found.shape != parameter.shape:
                detail = (
                    f"With these inputs the {name} of layer {node.name!r} has another shape than in the checkpoint."
                )
                expected, got = list(found.shape), list(parameter.shape)
                issues.append(Issue(code="shape-mismatch", path=("data",), detail=detail, expected=expected, got=got))
    refuse_if_any(issues)


def _refuse_large_batch(problem: Problem, size: int, settings: Settings) -> None:
    numbers = sum(math.prod(node.shape) for node in nodes_for(problem, size))
    if numbers > settings.max_activations:
        detail = f"A step's results hold {numbers:,} numbers; this server takes {settings.max_activations:,}."
        hint = "A smaller batch_size."
        raise Refusal.of("too-large", detail, "batch_size", expected=settings.max_activations, got=numbers, hint=hint)
