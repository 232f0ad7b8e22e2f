"""The progress bar of a training run: loss, speed, time left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn


class Bar:
    """One run."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._task = progress, progress.add_task("", told="")
        self._began: tuple[float, int] | None = None

    def show(self, status: str, progress: Mapping[str, Any]) -> None:
        """How far it is, in the words of a job's `progress`."""
        done, total = (
            progress[name] for name in (("parts_ended", "parts") if "parts" in progress else ("epoch", "epochs"))
        )
        now, step = time.monotonic(), progress.get("step", 0)
        began, first = self._began = self._began or (now, step)
        words = [
            f"{name.replace('_', ' ')} {progress[name]:.5g}" for name in ("loss", "validation_loss") if name in progress
        ]
        words += [f"{name} {value:.4g}" for name, value in progress.get("metrics", {}).items()]
        if status == "running" and step > first:
            words.append(f"{(step - first) / max(now - began, 1e-3):,.0f} steps/s")
        self._progress.update(self._task, description=status, completed=done, total=total, told=", ".join(words))


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar, drawn anew until the end of the block."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TextColumn("{task.fields[told]}"), TimeRemainingColumn(), console=Console()) as progress:
        yield Bar(progress)
