"""What gives the same numbers is said, with what to send so that it does not."""

from __future__ import annotations

from core.checking.quantity import Quantity
from tests.core.checking.student import PARTS, Array, Exercise, Student, examined


class NoDerivative(Student):
    """δ = (a − y)/n for the squared error after sigmoid."""

    def output_delta(self, e: Exercise, Z: Array, A: Array) -> Array:
        return (A - e.Y) / e.examples


def test_a_delta_without_derivative_is_that_of_binary_cross_entropy() -> None:
    exercise = Exercise((3, 4, 2), ("tanh", "sigmoid"), examples=5)
    (blame,) = examined(exercise.problem(), NoDerivative().solve(exercise).submission(*PARTS)).blame
    assert blame.cause == "missing-activation-derivative"
    assert blame.certainty == "ambiguous"
    other = next(each for each in blame.alternatives if each.cause == "gradient-of-another-loss")
    assert "loss" in other.separate


class Summed(Student):
    """A bias gradient n times too large."""

    def bias_gradient(self, e: Exercise, k: int, D: Array) -> Array:
        return super().bias_gradient(e, k, D) * (e.examples if k == 1 else 1)


def test_two_examples_leave_it_open_whether_it_is_n_or_two() -> None:
    exercise = Exercise((3, 4, 3), ("tanh", "sigmoid"), examples=2)
    (blame,) = examined(exercise.problem(), Summed().solve(exercise).submission(*PARTS)).blame
    assert blame.quantity == Quantity("gradients", "2", "bias")
    assert blame.certainty == "ambiguous"
    assert "multiplied-by-two" in {each.cause for each in blame.alternatives}
    assert "primes" in blame.alternatives[0].separate


def test_a_prime_number_of_examples_settles_it() -> None:
    exercise = Exercise((3, 4, 3), ("tanh", "sigmoid"), examples=7)
    (blame,) = examined(exercise.problem(), Summed().solve(exercise).submission(*PARTS)).blame
    assert blame.cause == "multiplied-by-batch-size"
    assert {each.cause for each in blame.alternatives} <= {"accumulated-over-calls", "constant-factor"}
