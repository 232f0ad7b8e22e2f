"""A training run in this process: the request of POST /v1/jobs and the loop of the workers, without queue and checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import threadpoolctl  # type: ignore[import-untyped]

from app.jobs.schemas import JobRequest
from app.jobs.serialization import problem_and_recipe
from app.jobs.service import PreparedJob
from app.settings import Settings
from app.storage import Database
from app.wire.decode import decode
from core.errors import Refusal
from core.model import Model
from core.training import TrainingState, epoch_of_result, model_of, result_of, train
from core.training.examples import objective_of


class LocalRun:
    """A run from its request to its model."""

    def __init__(self, body: bytes, settings: Settings) -> None:
        """Read the request. The database is asked for models, datasets and checkpoints that it names.

        Raises:
            Refusal: with everything that is wrong with it.
        """
        sent = decode(body, JobRequest)
        database = Database(settings.database_url)
        _refuse_without_database(sent, database)
        try:
            request = PreparedJob(sent, settings, database)
        finally:
            database.close()
        if request.parts:
            detail, hint = "The parts of a sweep are jobs of a server.", "gradd train --server http://127.0.0.1:8000"
            raise Refusal.of("unsupported-operator", detail, "sweep", hint=hint)
        self._problem, self._recipe = problem_and_recipe(request.body, request.dataset)
        self._state: TrainingState | None = request.continuation.start if request.continuation else None
        self._threads = settings.job_threads
        self._reason = "epochs"

    def progress(self) -> Iterator[dict[str, Any]]:
        """Train; after every epoch, how far the run is, in the words of a job.

        Raises:
            Refusal: where training diverges.
        """
        with threadpoolctl.threadpool_limits(self._threads, "blas"):
            for epoch in train(self._problem, self._recipe, self._state):
                # After every epoch, so that a run which is interrupted in the next one has a model.
                self._state, self._reason = epoch.state(), epoch.reason or self._reason
                report: dict[str, Any] = epoch.report.as_json()
                yield report | {"epochs": self._recipe.epochs, "step": report["steps"]}

    @property
    def epochs(self) -> int:
        """Epochs to do."""
        return self._recipe.epochs

    @property
    def epochs_done(self) -> int:
        """Epochs done, those before the checkpoint that the run began at included."""
        return self._state.epoch if self._state else 0

    @property
    def examples_per_epoch(self) -> int:
        """Examples that each epoch trains on; the validation examples are not among them."""
        examples = len(objective_of(self._problem).targets)
        return examples - round(self._recipe.validation_fraction * examples)

    def model(self) -> Model:
        """Return the model of the last finished epoch, or with early stopping that of the best one."""
        return model_of([node.layer for node in self._problem.nodes], *result_of(self._reached))

    def result(self) -> dict[str, Any]:
        """Return the epoch of the model and the reason why the run ended."""
        return {"epoch": epoch_of_result(self._reached), "reason": self._reason}

    @property
    def _reached(self) -> TrainingState:
        if self._state is None:
            raise LookupError("no epoch has ended yet")
        return self._state


def _refuse_without_database(sent: JobRequest, database: Database) -> None:
    """Refuse to look for something in a database that is not there."""
    file = Path(database.url.database or "")
    dataset = sent.data and sent.data.dataset
    named = {"model": sent.model, "data": dataset, "from_checkpoint": sent.from_checkpoint and sent.from_checkpoint.job}
    if not database.is_sqlite or file.exists():
        return
    for place, identity in named.items():
        if identity is not None:
            detail = f"There is no database {file} in which {identity} could be."
            hint = "GRADD_DATA_DIR or GRADD_DATABASE_URL says where it is; --server trains where the data are."
            raise Refusal.of("unknown-name", detail, place, hint=hint)
