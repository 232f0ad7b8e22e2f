"""The check of updates: which rule of which optimizer is wrong, in which step it shows, and how to put it right."""

from core.checking.steps.checker import StepChecker, StepSpec
from core.checking.steps.reading import SentStep
from core.checking.steps.report import StepBlame, StepReport, StepRow, with_steps

__all__ = ["SentStep", "StepBlame", "StepChecker", "StepReport", "StepRow", "StepSpec", "with_steps"]
