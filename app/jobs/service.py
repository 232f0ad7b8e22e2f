"""From a request to a job in the queue: completed, checked as a whole, then written in one transaction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.datasets.repository import find as find_dataset
from app.http.reply import Reply
from app.jobs import checkpoints, idempotency, repository
from app.jobs.continuation import Continuation
from app.jobs.schemas import JobRequest
from app.jobs.serialization import divided, joined, problem_and_recipe
from app.jobs.variants import variants
from app.jobs.views import job_answer
from app.models.resolve import resolve_model
from app.problem.from_request import refuse_too_many_layers
from app.settings import Settings
from app.storage import Database, Deadlock, blobs
from app.storage.base import now
from app.storage.tables.jobs import StoredCheckpoint, StoredJob
from core.arrays import Array
from core.errors import Issue, Refusal, refuse_if_any
from core.network import Limits
from core.problem import Problem
from core.training import refuse_unfit
from core.training.examples import nodes_for

ATTEMPTS = 10
"""How often a request is looked at anew because something that it refers to went in that moment."""


def create_job(body: JobRequest, settings: Settings, database: Database, key: str | None) -> Reply:
    """Make a job, or answer as the request with this key was answered before."""
    digest = idempotency.digest_of(*divided(body))

    def work(remember: idempotency.Remember) -> dict[str, Any]:
        for _ in range(ATTEMPTS):
            request = PreparedJob(body, settings, database)
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


class PreparedJob:
    """A complete request that can be trained."""

    def __init__(self, body: JobRequest, settings: Settings, database: Database) -> None:
        """Read what it refers to and check it.

        Raises:
            Refusal: with everything that is wrong with it.
        """
        self.continuation: Continuation | None = None
        self.model = body.model
        self.data: str | None = None
        self.dataset: dict[str, Array] | None = None
        if body.from_checkpoint is not None:
            before = self.continuation = Continuation(body, body.from_checkpoint, database)
            body, self.dataset, self.data, self.model = before.body, before.dataset, before.data, before.model
        elif not body.network.layers and body.model is None:
            raise Refusal.of("invalid-request", "Field required", "network")
        body = resolve_model(body, database).model_copy(update={"model": None, "from_checkpoint": None})
        refuse_too_many_layers(len(body.network.layers), settings)
        missing = [name for name in ("data", "loss", "optimizer", "epochs") if getattr(body, name) is None]
        refuse_if_any([Issue(code="invalid-request", path=(name,), detail="Field required") for name in missing])
        self.dataset = self._dataset(body, database) or self.dataset
        self.parts = list(variants(body))
        for _, part in self.parts or [({}, body)]:
            problem = _checked(part, self.dataset, settings)
            if self.continuation:
                self.continuation.refuse_other_shapes(problem)
        self.body = body

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
                row = find_dataset(session, data.dataset)
            except Refusal as refusal:
                found = refusal.issues[0]
                raise Refusal.of("unknown-name", found.detail, "data", "dataset", hint=found.hint) from None
            self.data = row.content
            return blobs.get(session, row.content)

    def written(self, session: Session) -> StoredJob:
        """The job, and its parts if it is a sweep."""
        checkpoint = self.continuation.checkpoint(session) if self.continuation else None
        job = self._row(session, self.body, checkpoint, parts=len(self.parts))
        for variant, body in self.parts:
            self._row(session, body, None, sweep=job.id, variant=variant)
        return job

    def _row(self, session: Session, body: JobRequest, checkpoint: StoredCheckpoint | None, **more: Any) -> StoredJob:
        rest, tensors = divided(body)
        content = blobs.digest_of(tensors) if tensors else None
        if content:
            blobs.put(session, content, tensors)
        done = checkpoint.epoch if checkpoint else 0
        parts = more.get("parts", 0)
        progress = {"parts": parts, "parts_ended": 0} if parts else {"epoch": done, "epochs": body.epochs, "step": 0}
        columns = {"parts": 0, "fencing_token": 0, "attempts": 0, "events": 0, "reported": done} | more
        job = StoredJob(
            id=repository.new_id(),
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
        if checkpoint:
            session.add(checkpoints.passed_on(checkpoint, job))
        repository.enter(session, job, "queued")
        session.flush()
        return job


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


def _refuse_large_batch(problem: Problem, size: int, settings: Settings) -> None:
    numbers = sum(math.prod(node.shape) for node in nodes_for(problem, size))
    if numbers > settings.max_activations:
        detail = f"A step's results hold {numbers:,} numbers; this server takes {settings.max_activations:,}."
        hint = "A smaller batch_size."
        raise Refusal.of("too-large", detail, "batch_size", expected=settings.max_activations, got=numbers, hint=hint)
