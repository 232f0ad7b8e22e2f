"""What an answer has to be, whatever the request was: declared, complete, and in agreement with the schema."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.http.problem_types import PROBLEM_TYPES
from tests.app.http.generated.requests import JSON, Request

PROBLEM = "application/problem+json"
DESIGNED = {503, 504, 507}
"""Statuses of 5xx that say that the server is busy, a limit of time was reached, or the disk is full."""

OF_PYTHON = re.compile(
    r"0x[0-9a-f]{6}|<class|object at |Traceback|\b[A-Z]\w*(?:Error|Exception)\b|\bNoneType\b|dtype\('|array\("
    r"|\bNone\b(?! of )|\bTrue\b"
)
"""Words of Python and of its exceptions, which mean nothing to a caller."""

STATED = re.compile(
    r"should be (?!an integer, not -?\d+\.0\.)(?!.*tensor)|is required\.$|is not known here|^Input should|^Value error"
    r"|^String should|^List should|^Field required"
)
"""Sentences about types, ranges and names of fields: what a schema can state."""


class Judge:
    """Says what is wrong with answers."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, Draft202012Validator] = {}
        self.refused: Counter[str] = Counter()
        """Sentences with which bodies were refused that the schema allows, without their names and numbers."""

    def fits(self, value: Any, schema: Mapping[str, Any]) -> str | None:
        """Return the first contradiction between a value and a schema; None if there is none."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        error = next(self._validators[key].iter_errors(value), None)
        return f"{error.json_path}: {error.message[:200]}" if error else None

    def complaints(self, request: Request, response: httpx.Response) -> Iterator[str]:
        """Yield everything that is wrong with an answer."""
        status, declared = response.status_code, request.operation["responses"]
        if status >= 500 and status not in DESIGNED:
            yield f"status {status}"
        if str(status) not in declared:
            # 405 and 431 are the server's; no operation declares them.
            yield f"status {status} is not declared"
            return
        media_type = response.headers.get("content-type", "").partition(";")[0]
        content = declared[str(status)].get("content", {})
        if not content:
            if response.content:
                yield f"status {status} has content, which is not declared"
        elif media_type not in content:
            yield f"content type {media_type!r} of status {status} is not declared"
        elif media_type in (JSON, PROBLEM) and "binary" not in str(content[media_type]["schema"]):
            contradiction = self.fits(response.json(), content[media_type]["schema"])
            if contradiction:
                yield f"the answer does not fit its schema: {contradiction}"
        for name, header in declared[str(status)].get("headers", {}).items():
            if header.get("required", True) and name not in response.headers:
                yield f"header {name} is declared and missing"
        if media_type == PROBLEM:
            yield from self._of_problem(request, response)
        yield from self._of_agreement(request, response)

    def _of_problem(self, request: Request, response: httpx.Response) -> Iterator[str]:
        document = response.json()
        kind = PROBLEM_TYPES.get(document["type"].removeprefix("/problems/"))
        if kind is None or (kind.status, kind.title) != (response.status_code, document["title"]):
            yield f"unknown type of problem {document['type']}"
        for error in document["errors"]:
            if error["code"] not in PROBLEM_TYPES:
                yield f"unknown code {error['code']}"
            texts = " ".join(str(error.get(name, "")) for name in ("detail", "hint", "equation"))
            sent = request.content.decode("utf-8", "replace") + request.url
            if (found := OF_PYTHON.search(texts)) and found[0] not in sent:
                yield f"a text speaks Python: {texts[:300]}"
            # Parameters that are missing, or that a model supplies, have a place in the request all the same.
            supplied = error["pointer"].startswith(("#/parameters", "#/state", "#/network", "#/feedback/weights"))
            if request.document is not None and not supplied and not resolves(error["pointer"], request):
                yield f"pointer {error['pointer']} is not in the request"

    def _of_agreement(self, request: Request, response: httpx.Response) -> Iterator[str]:
        if response.is_success and request.invalid:
            yield f"query {request.invalid} is accepted, and its schema does not allow it"
        content = request.operation.get("requestBody", {}).get("content", {})
        if request.document is None or JSON not in content or request.invalid:
            return
        contradiction = self.fits(request.document, content[JSON]["schema"])
        if response.is_success and contradiction:
            yield f"accepted, and the schema does not allow it: {contradiction}"
        if response.status_code == 422 and contradiction is None:
            for error in response.json()["errors"]:
                if error["pointer"].startswith(("#/query", "#/header")):
                    continue
                self.refused[re.sub(r"'[^']*'|[-\d.e+]*\d", "_", error["detail"])[:150]] += 1
                if STATED.search(error["detail"]):
                    yield f"the schema allows it: {error['detail'][:300]}"


def resolves(pointer: str, request: Request) -> bool:
    """Whether the place that a pointer names, or the one above it, is in the request."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("#").split("/")[1:]]
    if parts and parts[0] in ("query", "path", "header"):
        return True
    value = request.document
    for part in parts[:-1]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            return False
    return True
