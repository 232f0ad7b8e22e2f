"""The pictures of the README show what the service answers."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.docs.pictures import IMAGES, check, gradients, texts

pytestmark = pytest.mark.slow

COMMAND = "run `make pictures`"


def shown(name: str) -> str:
    """The words of a committed picture."""
    return texts((IMAGES / f"{name}.svg").read_text(encoding="utf-8"))


def test_the_picture_of_a_check_is_its_answer(client: httpx.Client) -> None:
    assert shown("check") == texts(check(client)), COMMAND


def test_the_picture_of_gradients_is_their_answer(client: httpx.Client) -> None:
    # The error of the certificate is rounding, and differs from machine to machine.
    old, new = (re.sub(r"relative_error.*", "", text) for text in (shown("gradients"), texts(gradients(client))))
    assert "certificate.from_gradients0.032818" in new
    assert old == new, COMMAND


def test_both_runs_of_the_picture_of_training_end_with_the_same_model() -> None:
    first, second = re.findall(r"succeeded(mdl_[0-9a-f]{24})", shown("train"))
    assert first == second
