"""Applications that are called as a server calls them, and two whose answers must be the same: with and without caches."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from app.wire.form_key import SMALL

Headers = Sequence[tuple[bytes, bytes]]
IDENTITY = (b"x-request-id", b"the-request")
"""The same id for all requests, because answers have it in a header and refusals in `instance`."""
AS_JSON: Headers = ((b"content-type", b"application/json"),)
PADDING = b" " * (SMALL + 1)
"""White space that makes a body too large for the fast reading and for a direct answer, and changes nothing else."""


class Answer(NamedTuple):
    """All that a client sees of an answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def document(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.body)


class Served:
    """An application with a data folder of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.app = create_app(Settings(data_dir=folder, **settings))
        self.app.state.database.migrate()
        self.forms = self.app.state.server.forms
        self.models = self.app.state.models
        self.direct = 0
        """Number of requests that were answered directly."""

    def post(self, path: str, body: Any, headers: Headers = AS_JSON, method: str = "POST", query: str = "") -> Answer:
        """Send a request and return the answer."""
        return asyncio.run(self.answer(path, body, headers, method, query))

    async def answer(
        self, path: str, body: Any, headers: Headers = AS_JSON, method: str = "POST", query: str = "", pieces: int = 1
    ) -> Answer:
        """Send a request, its body in pieces, and return the answer, in an event loop that is running."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        scope = self.scope(path, content, headers, method, query)
        ends = [len(content) * piece // pieces for piece in range(pieces + 1)]
        arriving: list[Message] = [
            {"type": "http.request", "body": content[start:end], "more_body": end < len(content)}
            for start, end in itertools.pairwise(ends)
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            if not arriving:
                await asyncio.Event().wait()  # The client waits for its answer.
            return arriving.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        self.direct += "app" not in scope  # Routing leaves the application there.
        parts = [message.get("body", b"") for message in sent[1:]]
        return Answer(sent[0]["status"], list(sent[0]["headers"]), b"".join(parts))

    def scope(
        self, path: str, content: bytes, headers: Headers = AS_JSON, method: str = "POST", query: str = ""
    ) -> dict[str, Any]:
        """Return what a server says of a request."""
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": method,
            "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), IDENTITY, *headers, (b"content-length", b"%d" % len(content))],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip


class Pair:
    """An application with caches and one without."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.cached = Served(folder / "cached", **settings)
        self.plain = Served(folder / "plain", form_cache_bytes=0, model_cache_bytes=0, **settings)

    def post(self, path: str, body: Any, headers: Headers = AS_JSON, *, thoroughly: bool = False) -> Answer:
        """Send a request to both, also off the direct path, and return the answer, which is the same.

        Args:
            path: of the request.
            body: JSON, or bytes.
            headers: of the request, without the length.
            thoroughly: whether the one without caches reads the body thoroughly too: bodies were read so before.
        """
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.plain.post(path, content, headers)
        others = [(self.cached, content)]
        if content.endswith(b"}"):
            others += [(served, content + PADDING) for served in (self.cached, *([self.plain] * thoroughly))]
        for served, written in others:
            other = served.post(path, written, headers)
            assert other == answer, (content[:2000], other.body[:2000], answer.body[:2000])
        return answer
