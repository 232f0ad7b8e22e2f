"""Operation: a computation as routes offer it, from the bytes of a body to the response."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from app.http.caller import ANYBODY, Caller
from app.http.compression import compress
from app.http.costs import refuse_expensive
from app.http.forms import Form, FormCache, FormedBody, FormKey, FormUse
from app.http.negotiation import JSON, Format
from app.http.problem_details import pointer
from app.http.reply import Reply
from app.settings import Settings
from app.telemetry.request_metrics import RequestMetrics
from app.wire.decode import read_values, validate_values
from app.wire.encode import encode
from app.wire.form_key import key_of, read_small
from app.wire.safetensors_message import MEDIA_TYPE, encode_message, read_message
from app.wire.template import refill, without_numbers
from app.wire.tensor_fields import field_tree
from core.arrays import CheckDeadline
from core.cost import Cost
from core.errors import Issue, Refusal

M = TypeVar("M", bound=BaseModel)
VARY = "Accept, Accept-Encoding"
"""The headers of a request that choose the format of its answer."""

Compute = Callable[[M, Settings, CheckDeadline], "dict[str, Any] | Reply"]
Estimate = Callable[[M, Settings], Cost]
Encoding = Literal["json", "base64"]
Admit = Callable[[Cost], None]
"""Takes the cost of a computation before it begins, and may raise."""

Charge = Callable[[Caller, float], None]
Left = Callable[[Caller], float | None]

Documents = Mapping[str, Callable[[Any], str]]
"""Functions that write the source of a reply as a document for readers, by media type."""


def admit_all(_: Cost) -> None:
    """Admit a computation of any cost."""


def charge_nothing(caller: Caller, operations: float) -> None:
    """Charge nothing."""


def unlimited(caller: Caller) -> float | None:
    """Return that there is no limit."""
    return None


@dataclass(frozen=True, slots=True)
class Server:
    """What all requests to a server process have in common."""

    settings: Settings
    forms: FormCache
    charge: Charge = charge_nothing
    """Takes the caller and the floating-point operations of a computation before it begins, and refuses what is too much."""
    metrics: RequestMetrics = field(default_factory=RequestMetrics)
    operations_left: Left = unlimited
    """Returns the floating-point operations that a caller may still use now; None without a limit."""

    def admit(self, caller: Caller, cost: Cost) -> None:
        """Charge a caller with the cost of a computation, and count it.

        Raises:
            Refusal: `rate-limited`.
        """
        self.charge(caller, cost.operations)
        self.metrics.add_operations(cost.operations)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a request wants its answer."""

    format: str
    """json, safetensors, or the media type of a document."""

    accept_encoding: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A body as it was read: its values, with arrays as tensors."""

    values: dict[str, Any]
    issues: list[Issue]
    key: bytes | None
    """The key of its form; None if it has none."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[M]):
    """A computation with the schema of its bodies."""

    model: type[M]
    compute: Compute[M]
    """Takes the body, the settings and a function that raises once the deadline has passed."""

    documents: Documents = field(default_factory=dict)
    resolve: Callable[[M, Caller], M] | None = None
    """Replaces references in the body, for instance to a stored model that the caller may see, before the computation."""

    cost: Estimate[M] | None = None
    """Returns the cost of a request from its form alone, before anything of its size is allocated."""

    is_pure: bool = False
    """Whether it only computes. Then it can be ended at any moment, and sent to another process."""

    shares_forms: bool = False
    """Whether what follows from the form of a body is worked out once for all bodies of that form."""

    def read_small(self, body: bytes, format_of_body: Format) -> Reading | None:
        """Return a small body as it was read; None for JSON of which only thorough reading tells what is wrong with it.

        Raises:
            Refusal: if it is no file of tensors.
        """
        if format_of_body != "json":
            return self.read(body, format_of_body)
        found = read_small(body, field_tree(self.model))
        return found and Reading(found[0], [], found[1])

    def read(self, body: bytes, format_of_body: Format) -> Reading:
        """Read a decompressed body.

        Raises:
            Refusal: if it is no JSON object, or no file of tensors.
        """
        if format_of_body == "json" and (small := self.read_small(body, format_of_body)):
            return small
        node = field_tree(self.model)
        values, issues = read_values(body, node) if format_of_body == "json" else read_message(body, node)
        return Reading(values, issues, key_of(values, node) if self.shares_forms and not issues else None)

    def key(self, reading: Reading) -> FormKey | None:
        """Return the key of the form of a body; None if it has none, or if forms are not shared."""
        return (self.model, reading.key) if reading.key is not None and self.shares_forms else None

    def answer(
        self,
        reading: Reading,
        form: Form | None,
        wanted: Wanted,
        server: Server,
        check_deadline: CheckDeadline,
        caller: Caller = ANYBODY,
        admit: Admit = admit_all,
    ) -> Response:
        """Compute and return the response.

        Args:
            reading: the body.
            form: the form of the body, if it is known.
            wanted: the format of the answer.
            server: the settings and caches of the server.
            check_deadline: raises once the deadline has passed.
            caller: who sent the request.
            admit: called with the cost of the computation before it begins.

        Raises:
            Refusal: with all errors of the request.
        """
        start = time.thread_time()
        asked, use = self._body(reading, form)
        if self.resolve:
            asked = self.resolve(asked, caller)
        self._admit(asked, server.settings, admit)
        reply = self.compute(asked, server.settings, check_deadline)
        reply = reply if isinstance(reply, Reply) else Reply(reply)
        response = write(reply, wanted, self.documents, getattr(asked, "encoding", "json"))
        if use and (key := self.key(reading)):
            server.forms.keep(key, use, time.thread_time() - start)
        return response

    def _admit(self, asked: M, settings: Settings, admit: Admit) -> None:
        """Refuse a request that costs more than the settings allow. A known form was looked at once and for all.

        Raises:
            Refusal: `too-large`.
        """
        cost = self.cost
        if cost is None:
            return
        if isinstance(asked, FormedBody):
            found = asked.use.once("cost", lambda: cost(asked, settings))
        else:
            found = cost(asked, settings)
        refuse_expensive(found, settings)
        admit(found)

    def _body(self, reading: Reading, form: Form | None) -> tuple[M, FormUse | None]:
        """Return the validated body and the use of its form."""
        node = field_tree(self.model)
        if form and isinstance(form.template, self.model):
            asked = refill(form.template, reading.values, node)
        else:
            asked = validate_values(reading.values, reading.issues, self.model, node)
        if not isinstance(asked, FormedBody):
            return asked, None
        use = FormUse(form)
        if form is None:
            use.form.template = refill(asked, without_numbers(reading.values), node)
        asked.start_use(use)
        return asked, use


def write(reply: Reply, wanted: Wanted, documents: Documents, encoding: Encoding) -> Response:
    """Return the response with the content of a reply.

    Raises:
        Refusal: `non-finite`, if the content has a number that is not finite.
    """
    try:
        plain, media_type = _written(reply, wanted, documents, encoding)
    except Refusal as refusal:
        raise _without_place(refusal) from None
    content, coding = compress(plain, wanted.accept_encoding)
    own = {"Content-Encoding": coding} if coding else {}
    return Response(content, reply.status, {"Vary": VARY, **reply.headers, **own}, media_type)


def _written(reply: Reply, wanted: Wanted, documents: Documents, encoding: Encoding) -> tuple[bytes, str]:
    """Return the content of a reply as bytes, and its media type."""
    if wanted.format in documents:
        return documents[wanted.format](reply.source).encode(), f"{wanted.format}; charset=utf-8"
    if wanted.format == "json":
        return encode(reply.content, encoding=encoding), JSON
    return encode_message(reply.content), MEDIA_TYPE


def _without_place(refusal: Refusal) -> Refusal:
    """Return the refusal of an answer that cannot be written: its places are those of the answer, and lead nowhere else."""
    return Refusal(
        replace(issue, path=(), detail=f"{issue.detail} It would stand at {pointer(issue.path)} in the answer.")
        for issue in refusal.issues
    )
