"""Creation of jobs: the request is completed, checked as a whole, and written in one transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.quotas import refuse_beyond_storage
from app.datasets.repository import find as find_dataset
from app.http.caller import Caller
from app.http.reply import Reply
from app.jobs import checkpoints, idempotency, repository
from app.jobs.continuation import Continuation
from app.jobs.queue_limits import refuse_beyond_limits
from app.jobs.request_schemas import JobRequest
from app.jobs.serialization import join_tensors, problem_and_recipe, split_tensors
from app.jobs.turns import LONG, lane_of
from app.jobs.variants import distinct, variants
from app.jobs.views import job_answer
from app.models.cache import load_cached
from app.models.resolve import resolve_model
from app.problem.from_request import refuse_too_many_layers
from app.settings import Settings
from app.storage import Database, Deadlock, blobs
from app.storage.base import now
from app.storage.room import refuse_beyond
from app.storage.tables.jobs import StoredCheckpoint, StoredJob
from app.telemetry.request_record import current
from core.arrays import Array, CheckDeadline
from core.errors import Issue, Refusal, refuse_if_any
from core.network import NetworkLimits
from core.problem import Problem
from core.training import refuse_unfit
from core.training.examples import nodes_for, objective_of

ATTEMPTS = 10
"""Number of times a request is prepared again because an object that it refers to was deleted meanwhile."""


def create_job(
    body: JobRequest,
    settings: Settings,
    database: Database,
    caller: Caller,
    key: str | None,
    check_deadline: CheckDeadline = lambda: None,
) -> Reply:
    """Create a job. If a request with the same key was answered before, return that answer.

    Args:
        body: the request.
        settings: the settings of the server, with its limits.
        database: the database of the jobs.
        caller: who sent it.
        key: the Idempotency-Key of the request.
        check_deadline: raises once the deadline has passed.

    Raises:
        Refusal: with all errors of the request.
        RetryLater: if too many jobs wait.
    """
    digest = idempotency.digest_of(*split_tensors(body))

    def work(remember: idempotency.Remember) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            request = PreparedJob(body, settings, database, caller, check_deadline)
            try:
                with database.write() as session:
                    _refuse_beyond_limit(session, len(request.parts), settings)
                    job = request.insert(session)
                    refuse_beyond_storage(session, caller)
                    refuse_beyond_limits(session, settings, caller)
                    answer = job_answer(session, job)
                    remember(session, answer)
                    return answer
            except (IntegrityError, Deadlock):
                # An object that the request refers to was deleted in the meantime. The next attempt finds it or refuses.
                continue
        detail = "The objects that the request refers to were changed by other requests at the same time."
        raise Refusal.of("not-ready", detail, hint="Send the request again.")

    kept = timedelta(days=settings.keep_idempotency_keys_days)
    answer, replayed = idempotency.once(database, key, digest, work, caller.owner, kept)
    headers = {"Location": f"/v1/jobs/{answer['id']}"} | ({"Idempotency-Replayed": "true"} if replayed else {})
    return Reply(answer, 202, headers)


def _refuse_beyond_limit(session: Session, parts: int, settings: Settings) -> None:
    if settings.max_jobs is not None:
        count = session.scalar(select(func.count()).select_from(StoredJob)) or 0
        refuse_beyond(count + parts, settings.max_jobs, "jobs")


class PreparedJob:
    """A complete request that was checked and can be trained."""

    def __init__(
        self,
        body: JobRequest,
        settings: Settings,
        database: Database,
        caller: Caller,
        check_deadline: CheckDeadline = lambda: None,
    ) -> None:
        """Complete the request with the objects that it refers to, and check it.

        Raises:
            Refusal: with all errors of the request.
        """
        self.continuation: Continuation | None = None
        self._caller = caller
        self.model = body.model
        self.data: str | None = None
        self.dataset: dict[str, Array] | None = None
        if body.from_checkpoint is not None:
            before = self.continuation = Continuation(body, body.from_checkpoint, database, caller)
            body, self.dataset, self.data, self.model = before.body, before.dataset, before.data, before.model
        elif not body.network.layers and body.model is None:
            raise Refusal.of("invalid-request", "'network' is required.", "network")
        completed = resolve_model(body, lambda identity: load_cached(database, identity, caller))
        body = completed.model_copy(update={"model": None, "from_checkpoint": None})
        refuse_too_many_layers(len(body.network.layers), settings)
        missing = [name for name in ("data", "loss", "optimizer", "epochs") if getattr(body, name) is None]
        refuse_if_any(
            [Issue(code="invalid-request", path=(name,), detail=f"'{name}' is required.") for name in missing]
        )
        self.dataset = self._dataset(body, database) or self.dataset
        self.parts = list(variants(body))
        self.lane = LONG
        for part in distinct(self.parts) if self.parts else [body]:
            check_deadline()
            problem = _check(part, self.dataset, settings)
            if self.continuation:
                self.continuation.refuse_other_shapes(problem)
        if not self.parts:
            self.lane = lane_of(len(objective_of(problem).targets), body.epochs or 1, _count_parameters(problem))
        self.body = body

    def _dataset(self, body: JobRequest, database: Database) -> dict[str, Array] | None:
        """Return the tensors of the dataset that the request names, None if it names none."""
        data = body.data
        if data is None or self.data:
            return None
        if data.dataset is None:
            if data.inputs is None:
                raise Refusal.of("invalid-request", "'inputs' is required.", "data", "inputs")
            return None
        if data.inputs is not None or data.targets is not None:
            detail = "Send either a dataset or tensors, not both."
            raise Refusal.of("invalid-request", detail, "data", "dataset")
        with database.read() as session:
            try:
                row = find_dataset(session, data.dataset, self._caller)
            except Refusal as refusal:
                found = refusal.issues[0]
                raise Refusal.of("unknown-name", found.detail, "data", "dataset", hint=found.hint) from None
            self.data = row.content
            return blobs.get(session, row.content)

    def insert(self, session: Session) -> StoredJob:
        """Insert the job, and its parts if it is a sweep. Returns the job."""
        checkpoint = self.continuation.checkpoint(session) if self.continuation else None
        if self.data:
            blobs.refer(session, self.data)
        job = self._row(session, self.body, checkpoint, parts=len(self.parts), lane=self.lane)
        for variant, body in self.parts:
            self._row(session, body, None, sweep=job.id, variant=variant, lane=job.id)
        return job

    def _row(self, session: Session, body: JobRequest, checkpoint: StoredCheckpoint | None, **more: Any) -> StoredJob:
        rest, tensors = split_tensors(body)
        record = current.get()
        content = blobs.digest_of(tensors) if tensors else None
        if content:
            blobs.put(session, content, tensors)
        done = checkpoint.epoch if checkpoint else 0
        parts = more.get("parts", 0)
        progress = {"parts": parts, "parts_ended": 0} if parts else {"epoch": done, "epochs": body.epochs, "step": 0}
        columns = {"parts": 0, "fencing_token": 0, "attempts": 0, "events": 0, "reported": done} | more
        job = StoredJob(
            id=repository.new_id(),
            owner=self._caller.owner,
            request=rest,
            content=content,
            data=self.data,
            model=self.model,
            name=body.name,
            status="queued",
            progress=progress,
            traceparent=record.traceparent if record else None,
            created_at=now(),
            **columns,
        )
        session.add(job)
        session.flush()
        if checkpoint:
            session.add(checkpoints.copy_to(checkpoint, job))
        repository.enter(session, job, "queued")
        session.flush()
        return job


def _check(body: JobRequest, dataset: Mapping[str, Array] | None, settings: Settings) -> Problem:
    """Return the problem of a request.

    Raises:
        Refusal: with all errors that would make the job fail before its first step, and limits of this server.
    """
    # The check uses the request as a worker will read it.
    body = join_tensors(*split_tensors(body))
    problem, recipe = problem_and_recipe(body, dataset, NetworkLimits(parameters=settings.max_parameters))
    refuse_unfit(problem, recipe)
    _refuse_large_batch(problem, min(recipe.batch_size, len(next(iter(problem.inputs.values())))), settings)
    return problem


def _count_parameters(problem: Problem) -> int:
    return sum(array.size for named in problem.parameters.values() for array in named.values())


def _refuse_large_batch(problem: Problem, size: int, settings: Settings) -> None:
    numbers = sum(math.prod(node.shape) for node in nodes_for(problem, size))
    if numbers > settings.max_activations:
        detail = f"The results of a step have {numbers:,} elements; this server allows {settings.max_activations:,}."
        hint = "Use a smaller batch_size."
        raise Refusal.of("too-large", detail, "batch_size", expected=settings.max_activations, got=numbers, hint=hint)
