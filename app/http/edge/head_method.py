"""HEAD: the head of the answer that GET would have."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as to GET, without the body. The answer ends with its head, so that a stream of events ends, too."""
    is_sent = False

    async def send_head(message: Message) -> None:
        nonlocal is_sent
        if not is_sent:
            is_sent = True
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    await app({**scope, "method": "GET"}, receive, send_head)
