"""The progress display of a training run: a bar as wide as the terminal, and the numbers of the last epoch below it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

MOVING = ("queued", "running")
"""Statuses beside which the spinner turns."""


class Bar:
    """The display of one run. `show` only stores the numbers; they are formatted when the screen is drawn."""

    def __init__(self, console: Console, examples_per_epoch: int | None) -> None:
        self._console, self._examples = console, examples_per_epoch
        self._began: tuple[float, int, int] | None = None
        self._shown: tuple[str, Mapping[str, Any], float] | None = None
        self._spinner = Spinner("dots")

    def show(self, status: str, progress: Mapping[str, Any]) -> None:
        """Show the progress of a job, as the server answers it, or the report of an epoch."""
        now = time.monotonic()
        self._began = self._began or (now, _done(progress)[0], _steps(progress))
        self._shown = (status, progress, now)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._console.print(line)

    def __rich__(self) -> RenderableType:
        if self._shown is None:
            return Text()
        status, progress, _ = self._shown
        done, total = _done(progress)
        head = Table.grid(padding=(0, 1), expand=True)
        for ratio in (None, None, 1, None):
            head.add_column(ratio=ratio, no_wrap=True)
        mark = self._spinner if status in MOVING else Text(" ")
        head.add_row(mark, status, ProgressBar(total=total, completed=done), f"{done / max(total, 1):.0%}")
        lines = [self._pace(), _numbers("training", progress, "loss", "metrics")]
        lines.append(_numbers("validation", progress, "validation_loss", "validation_metrics"))
        return Group(head, *(Text(f"  {line}") for line in lines if line))

    def _pace(self) -> str:
        """Epochs done, time left and speed."""
        if self._shown is None or self._began is None:
            return ""
        (status, progress, now), (began, first, first_step) = self._shown, self._began
        done, total = _done(progress)
        words = [f"{done:,} of {total:,} parts ended" if "parts" in progress else f"epoch {done:,} of {total:,}"]
        seconds = now - began
        if status not in ("running", "done") or done == first or not seconds:
            return words[0]
        if done < total:
            left = seconds / (done - first) * (total - done)
            words.append(f"{timedelta(seconds=round(left))} left")
        if self._examples is not None:
            words.append(f"{_rate((done - first) * self._examples / seconds)} examples/s")
        elif "parts" not in progress:
            words.append(f"{_rate((_steps(progress) - first_step) / seconds)} steps/s")
        return ", ".join(words)


def _done(progress: Mapping[str, Any]) -> tuple[int, int]:
    """Return what is done and the total: parts of a sweep, or epochs."""
    names = ("parts_ended", "parts") if "parts" in progress else ("epoch", "epochs")
    done, total = (progress[name] for name in names)
    return done, total


def _steps(progress: Mapping[str, Any]) -> int:
    """Return the steps done: `steps` in the report of an epoch, `step` in the progress of a job."""
    return int(progress.get("steps", progress.get("step", 0)))


def _numbers(label: str, progress: Mapping[str, Any], loss: str, metrics: str) -> str:
    words = [f"loss {progress[loss]:.4g}"] if loss in progress else []
    words += [f"{name.replace('_', ' ')} {value:.3g}" for name, value in progress.get(metrics, {}).items()]
    return f"{label}: {', '.join(words)}" if words else ""


def _rate(rate: float) -> str:
    """Three significant digits without an exponent: 3,460."""
    return f"{float(f'{rate:.3g}'):,.0f}" if rate >= 100 else f"{rate:.3g}"


@contextmanager
def progress_bar(examples_per_epoch: int | None = None) -> Iterator[Bar]:
    """Draw a bar until the end of the block. With `examples_per_epoch` it shows examples a second, else steps."""
    console = Console()
    bar = Bar(console, examples_per_epoch)
    with Live(bar, console=console, refresh_per_second=10, vertical_overflow="visible"):
        yield bar
    if not console.is_terminal:
        console.print()
