"""The progress bar of a training run: loss, speed, time left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Column


class Bar:
    """One run."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._task = progress, progress.add_task("", total=None, told="")
        self._began: tuple[float, int] | None = None

    def show(self, status: str, progress: Mapping[str, Any]) -> None:
        """How far it is, in the words of a job's `progress`."""
        done, total = (
            progress[name] for name in (("parts_ended", "parts") if "parts" in progress else ("epoch", "epochs"))
        )
        now, step = time.monotonic(), progress.get("step", 0)
        began, first = self._began = self._began or (now, step)
        # Short, and the least wanted last: a terminal may have 80 columns.
        words = [
            f"{name} {progress[key]:.4g}"
            for name, key in (("loss", "loss"), ("val.", "validation_loss"))
            if key in progress
        ]
        if status == "running" and step > first:
            words.append(f"{(step - first) / max(now - began, 1e-3):.3g}/s")
        words += [f"{name.replace('_', ' ')} {value:.3g}" for name, value in progress.get("metrics", {}).items()]
        self._progress.update(self._task, description=status, completed=done, total=total, told=", ".join(words))

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line)


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar, drawn anew until the end of the block."""
    columns = TextColumn("{task.description}"), BarColumn(bar_width=8), MofNCompleteColumn(), TimeRemainingColumn()
    # In a narrow terminal the words are cut off, not the numbers before them.
    told = TextColumn("{task.fields[told]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    with Progress(SpinnerColumn(), *columns, told, console=Console(), expand=True) as progress:
        yield Bar(progress)
