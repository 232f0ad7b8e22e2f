"""The checker: which rule of a hand-written backpropagation is wrong, why, and how to put it right."""

from core.checking.checker import Checker, Tolerance
from core.checking.probe import Probe, probe
from core.checking.report import Report
from core.checking.submission import SubmissionSpec

__all__ = ["Checker", "Probe", "Report", "SubmissionSpec", "Tolerance", "probe"]
