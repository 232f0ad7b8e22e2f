"""Training: one job that a worker's process trains, with its checkpoints, its events and its outcome."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from app.compiled.choice import choose_engine
from app.http.problem_details import error_of
from app.jobs import checkpoints, interim_states, queue, repository, sweeps
from app.jobs.actions import act
from app.jobs.repository import lock_held, tell
from app.jobs.request_schemas import JobRequest
from app.jobs.serialization import load_request, problem_and_recipe
from app.models.repository import put_model, warnings_of
from app.settings import Settings
from app.storage import Database
from app.storage.tables.jobs import StoredJob
from app.worker.environment import environment, gives_same_bits
from app.worker.job_process import ALIVE, ALIVE_EVERY
from app.worker.retry import retry
from core.arrays import Array
from core.errors import Refusal
from core.problem import Problem
from core.training import Epoch, Recipe, TrainingState, epoch_of_result, model_of, result_of, train
from core.training.start import diagnose_start

if TYPE_CHECKING:
    from opentelemetry.trace import Span

T = TypeVar("T")
WRITE_EVERY = 0.25
"""Minimum number of seconds between two writes of events. Short epochs are written together."""

CHECKPOINT_EVERY = 1.0
"""Minimum number of seconds between two checkpoints, unless the request sets the number of epochs between them."""

LOOK_EVERY = 0.25
"""Seconds between two looks for jobs that wait, once the time slice is over."""


class SliceEnded(Exception):
    """The job went back to the queue, because others wait."""


class SignsOfLife:
    """What tells the worker that training goes on."""

    def __init__(self) -> None:
        self._given = 0.0

    def give(self) -> None:
        """Give a sign, unless the last one is recent."""
        if time.monotonic() - self._given > ALIVE_EVERY:
            self._given = time.monotonic()
            os.write(1, ALIVE)


class Training:
    """The training of one job by the worker that holds it."""

    def __init__(
        self, settings: Settings, database: Database, identity: str, fencing_token: int, span: Span | None = None
    ) -> None:
        self._settings, self._span = settings, span
        self._database, self._identity, self._fencing_token = database, identity, fencing_token
        self._reports: list[dict[str, Any]] = []
        self._warnings: list[dict[str, Any]] = []
        self._progress: dict[str, Any] = {}
        self._alive = SignsOfLife()
        self._written = self._checkpointed = self._started = self._looked = time.monotonic()

    def go(self) -> None:
        """Train the job to its end.

        Raises:
            LeaseLost: if the worker no longer holds the job.
            SliceEnded: if the job went back to the queue.
            Refusal: if the job cannot be trained.
        """
        body, dataset, start, assumed = self._retry(self._begin)
        problem, recipe = problem_and_recipe(body, dataset)
        engine = choose_engine(self._settings.job_engine, problem, recipe, self._settings.data_dir)
        self._retry(lambda: self._record_environment(environment(engine.recorded)))
        if start is None:
            self._warnings = [*assumed, *(error_of(issue) for issue in diagnose_start(problem))]
        first, state = start.epoch if start else 0, start
        reason = "epochs"
        # From here on: what came before is done again after every slice.
        self._started = self._checkpointed = time.monotonic()
        for epoch in train(
            problem,
            recipe,
            start,
            check_deadline=self._alive.give,
            between_steps=lambda state: self._look(problem, state),
            engine=engine.factory,
        ):
            self._note(epoch, first, recipe)
            if epoch.last:
                state, reason = epoch.state(), epoch.reason or reason
            elif self._is_checkpoint_due(epoch, body):
                self._write(problem, epoch.state())
            elif self._look(problem, epoch.state):
                continue
            elif time.monotonic() - self._written > WRITE_EVERY:
                self._write(problem, None)
        if state is None:
            raise AssertionError("a run has at least one epoch")
        self._finish(problem, state, reason)

    def _begin(
        self,
    ) -> tuple[JobRequest, dict[str, Array] | None, TrainingState | None, list[dict[str, Any]]]:
        """Return the request, its dataset, the state to continue from, and what was assumed of the model it names."""
        with self._database.read() as session:
            job = repository.find_for_worker(session, self._identity)
            body, dataset = load_request(session, job)
            start = checkpoints.latest_state(session, job)
            return body, dataset, start, warnings_of(session, job.model, job.owner)

    def _record_environment(self, here: dict[str, Any]) -> None:
        """Record where the job is trained, or warn if its last bits may be others there than where it began."""
        with self._database.write() as session:
            job = lock_held(session, self._identity, self._fencing_token)
            if job.environment is None:
                job.environment = here
            elif not gives_same_bits(job.environment, here):
                detail = (
                    "The job continues in another environment than before, so the last bits of its result may differ."
                )
                tell(session, job, "warning", {"detail": detail, "before": job.environment, "now": here})

    def _note(self, epoch: Epoch, first: int, recipe: Recipe) -> None:
        report = epoch.report.as_json()
        self._reports.append(report)
        seconds = (time.monotonic() - self._started) / (report["epoch"] - first)
        self._progress = {
            "epoch": report["epoch"],
            "epochs": recipe.epochs,
            "step": report["steps"],
            "eta_seconds": round(seconds * (recipe.epochs - report["epoch"]), 3),
            **{name: report[name] for name in ("loss", "validation_loss", "metrics") if name in report},
        }

    def _is_checkpoint_due(self, epoch: Epoch, body: JobRequest) -> bool:
        if body.checkpoint_every_epochs:
            return epoch.report.epoch % body.checkpoint_every_epochs == 0
        return time.monotonic() - self._checkpointed > CHECKPOINT_EVERY

    def _look(self, problem: Problem, state: Callable[[], TrainingState | None]) -> bool:
        """Store the state and end the time slice, where either is due. Returns whether the state was stored.

        Raises:
            SliceEnded: if others wait, and the job went back to the queue.
        """
        present = time.monotonic()
        ends = (
            present - self._started > self._settings.job_slice_seconds
            and present - self._looked > LOOK_EVERY
            and self._retry(self._others_wait)
        )
        if not ends and present - self._checkpointed < self._settings.checkpoint_every_seconds:
            return False
        taken = state()
        if taken is None:
            return False  # Training diverges, and will be refused.

        def write() -> None:
            with self._database.write() as session:
                sweeps.lock_sweep_of(session, self._identity)
                self._record(session, problem, None)
                interim_states.save(session, lock_held(session, *self._key), taken)
                if ends:
                    queue.end_slice(session, *self._key)

        self._retry(write)
        if ends:
            raise SliceEnded
        self._reports.clear()
        self._written = self._checkpointed = time.monotonic()
        return True

    def _others_wait(self) -> bool:
        self._looked = time.monotonic()
        with self._database.read() as session:
            return queue.others_wait(session, self._identity, self._settings.max_running_jobs_per_key)

    def _retry(self, work: Callable[[], T]) -> T:
        return retry(work, self._alive.give, space_seconds=self._settings.space_seconds)

    def _write(self, problem: Problem, state: TrainingState | None) -> None:
        """Write events, progress and a checkpoint in one transaction. Repeating it writes nothing twice."""

        def write() -> None:
            with self._database.write() as session:
                self._record(session, problem, state)

        self._retry(write)
        self._reports.clear()
        self._written = time.monotonic()
        if state is not None:
            self._checkpointed = time.monotonic()
            if self._span:
                self._span.add_event("checkpoint", {"gradd.epoch": self._progress.get("epoch", 0)})

    def _record(self, session: Session, problem: Problem, state: TrainingState | None) -> None:
        job = self._report(session)
        job.progress = self._progress or job.progress
        if state is not None:
            layers = [node.layer for node in problem.nodes]
            last = self._reports[-1] if self._reports else {}
            checkpoints.save(session, job, layers, state, last)

    def _report(self, session: Session) -> StoredJob:
        """Write the metrics events that are not written yet, and before the first of them the warnings.

        Epochs repeated after an interruption are reported once.
        """
        job = lock_held(session, *self._key)
        for report in self._reports:
            if report["epoch"] > job.reported:
                for warning in self._warnings if not job.reported else ():
                    tell(session, job, "warning", warning)
                tell(session, job, "metrics", report)
                job.reported = report["epoch"]
        return job

    def _finish(self, problem: Problem, state: TrainingState, reason: str) -> None:
        model = model_of([node.layer for node in problem.nodes], *result_of(state))

        def write() -> None:
            with self._database.write() as session:
                sweeps.lock_sweep_of(session, self._identity)
                self._record(session, problem, state)
                job = lock_held(session, self._identity, self._fencing_token)
                name = job.name or job.id
                stored, _ = put_model(session, model, name=name, parent=job.model, owner=job.owner)
                result = {"model": stored.id, "epoch": epoch_of_result(state), "reason": reason}
                queue.succeed(session, self._identity, self._fencing_token, result)

        self._retry(write)

    def fail(self, refusal: Refusal) -> None:
        """Record why the job cannot be trained."""
        self._record_outcome(lambda session: queue.fail(session, *self._key, error_of(refusal.issues[0])))

    def pause(self, refusal: Refusal) -> None:
        """Pause the job at its last checkpoint, because there is no space for the next one."""

        def say(session: Session) -> None:
            job = lock_held(session, *self._key)
            detail = f"The job was paused at its last checkpoint: {refusal.issues[0].detail}"
            tell(session, job, "warning", {"detail": detail, "hint": "Free some space, then resume the job."})
            act(session, self._identity, "pause")

        # The last reports belong to epochs after the checkpoint, which will be repeated.
        self._reports.clear()
        self._record_outcome(say)

    def give_up(self, error: BaseException) -> None:
        """Give the job back, so that it is tried again."""
        reason = f"{type(error).__name__}: {error}"[:500]
        self._record_outcome(lambda session: queue.give_back(session, *self._key, reason=reason, counts=True))

    @property
    def _key(self) -> tuple[str, int]:
        return self._identity, self._fencing_token

    def _record_outcome(self, say: Callable[[Session], None]) -> None:
        def write() -> None:
            with self._database.write() as session:
                sweeps.lock_sweep_of(session, self._identity)
                self._report(session)
                say(session)

        self._retry(write)
