"""Direct answers keep the limits of this server: the seconds and the size of a body, and the time on the event loop."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from starlette.types import Message

from tests.app.http.served import Pair, Served
from tests.app.http.test_direct_answers import BODY, GRADIENTS, other_numbers


@pytest.mark.usefixtures("unhurried")
def test_a_body_may_take_its_seconds_once(tmp_path: Path) -> None:
    """Also if a part of it arrives shortly before."""
    served = Served(tmp_path, max_body_seconds=1)
    for _ in range(3):
        served.post(GRADIENTS, BODY)

    async def late() -> tuple[int, float]:
        start = time.monotonic()
        scope = served.scope(GRADIENTS, BODY)
        parts = [BODY[:50]]
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0.9 if parts else 60)
            return {"type": "http.request", "body": parts.pop(), "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        await served.app(scope, receive, send)
        return sent[0]["status"], time.monotonic() - start

    status, seconds = asyncio.run(late())
    assert status == 408
    assert seconds < 1.7


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_body_in_pieces(tmp_path: Path, pieces: int) -> None:
    """Answered directly in the end, or passed on with all its pieces."""
    served = Served(tmp_path)
    for text in (BODY, BODY[:-1]):
        good = [served.post(GRADIENTS, text) for _ in range(3)][-1]
        before = served.direct
        assert asyncio.run(served.answer(GRADIENTS, text, pieces=pieces)) == good
        assert served.direct - before == (text == BODY)


@pytest.mark.usefixtures("unhurried")
def test_a_known_form_may_be_larger_than_this_server_takes(tmp_path: Path) -> None:
    """The form is known from a body whose numbers have fewer digits."""
    pair = Pair(tmp_path, max_body_bytes=len(BODY) + 20)
    for _ in range(3):
        assert pair.plain.post(GRADIENTS, BODY) == pair.cached.post(GRADIENTS, BODY)
    longer = json.dumps(other_numbers(1)).encode()
    assert len(longer) > len(BODY) + 20
    answers = [served.post(GRADIENTS, longer) for served in (pair.cached, pair.plain)]
    assert answers[0] == answers[1]
    assert answers[0].status == 413


def test_only_forms_that_are_known_to_be_fast_are_answered_directly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Served(tmp_path)
    monkeypatch.setattr("app.http.forms.FAST_SECONDS", 0.0)
    slow = [served.post(GRADIENTS, BODY) for _ in range(4)]
    assert served.direct == 0
    monkeypatch.setattr("app.http.forms.FAST_SECONDS", 60.0)
    assert [served.post(GRADIENTS, BODY) for _ in range(4)] == slow == slow[:1] * 4
    assert served.direct == 4
