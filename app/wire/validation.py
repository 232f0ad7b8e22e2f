"""pydantic's errors as issues: a path into the document, a sentence, and never a copy of the input."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.wire.json_pointer import path_of, value_at
from app.wire.limits import ISSUES_LIMIT
from app.wire.tensor_fields import FieldNode, kinds_at, names_at, places_of
from core.activations import FUNCTIONS
from core.errors import GraddError, Issue, Path, nearest

_TEXT_LIMIT = 40
"""Characters of a string that a sentence repeats at most."""

_SENTENCE_LIMIT = 500
"""Characters that are kept of a sentence by pydantic or a validator."""

_EXPECTED = {
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a string",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dataclass_type": "an object",
    "tensor_type": "a tensor (numbers in nested lists; or dtype, shape and data)",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
"""By pydantic's error type: the value that is expected."""

_CHECKS = ("value_error", "assertion_error")
"""Error types of gradd's own validators, which may read several fields."""


def issues_of(error: ValidationError, document: Any, node: FieldNode, *, with_checks: bool = True) -> list[Issue]:
    """Translate the errors of a document, the first `ISSUES_LIMIT` of them.

    Args:
        error: The errors that pydantic found.
        document: The document that it validated.
        node: The place of the model.
        with_checks: Whether to report the errors of gradd's own validators.
    """
    issues: dict[Path, Issue] = {}
    checked: list[Issue] = []
    wrong_types: set[Path] = set()
    for details in error.errors(include_url=False, include_input=False):
        path = path_of(details["loc"], document, missing=details["type"] == "missing")
        if details["type"] in _CHECKS:
            checked += _of_check(details, path) if with_checks else ()
            continue
        issue = _issue(details, path, value_at(path, document), node, document)
        if details["type"].endswith("_type"):
            wrong_types.add(issue.path)
        # Each member of a union reports what it expected in the same place.
        issues[issue.path] = _either(issues[issue.path], issue) if issue.path in issues else issue
        if len(issues) + len(checked) == ISSUES_LIMIT:
            break
    # Where a member of a union expected another type, the faults further down belong to the other members.
    inner = {path[:length] for path in issues for length in range(len(path))}
    return [*(issue for path, issue in issues.items() if path not in inner & wrong_types), *checked]


def _of_check(details: ErrorDetails, path: Path) -> list[Issue]:
    """The issues that one of gradd's own validators raised, or its message as one issue."""
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, GraddError):
        return cause.below(*path).issues
    return [Issue(code="invalid-request", detail=_sentence(str(cause or details["msg"])), path=path)]


def _issue(details: ErrorDetails, path: Path, value: Any, node: FieldNode, document: Any) -> Issue:
    """An error of pydantic's own as an issue."""
    kind, context = details["type"], details.get("ctx", {})
    name = _name_place(path)
    if kind == "missing":
        return Issue(code="invalid-request", detail=f"{name} is required.", path=path)
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        places = places_of(node, path[:-1], document, str(path[-1]))
        if len(places) == 1:  # Put one level too high, as `gradients` beside `submission`.
            advice = f"Put '{path[-1]}' into '{places[0]}'."
            detail = f"{name} is not known here: it belongs into '{places[0]}'."
            return Issue(code="unknown-name", detail=detail, path=path, expected=places, got=str(path[-1]), hint=advice)
        return _unknown_name(path, f"{name} is not known here", path[-1], names_at(node, path[:-1], document))
    if kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        return Issue(code="invalid-request", detail=f"'{tag}' is required: it chooses the kind.", path=(*path, tag))
    if kind == "union_tag_invalid":
        tag = context["discriminator"].strip("'")
        value = value.get(tag) if isinstance(value, dict) else context["tag"]
        choices = re.findall("'([^']*)'", context["expected_tags"])
        issue = _unknown_name((*path, tag), f"'{tag}' cannot be {_describe(value)}", value, choices)
        function = nearest(str(value), FUNCTIONS) if "activation" in choices and issue.hint is None else None
        if function is None:
            return issue
        return replace(issue, hint=f'Use {{"kind": "activation", "function": "{function}"}}.')
    if kind in ("literal_error", "enum"):
        choices = re.findall("'([^']*)'", context["expected"])
        if choices and isinstance(value, str):
            return _unknown_name(path, f"{name} cannot be {_describe(value)}", value, choices)
    expected, got = _EXPECTED.get(kind, "").format(**context), _describe(value)
    detail = (
        f"{name} should be {expected}, not {got}." if expected else _sentence(details["msg"].replace("Input", name, 1))
    )
    hint = _as_object(value, kinds_at(node, path, document)) if isinstance(value, str) else None
    return Issue(code="invalid-request", detail=detail, path=path, expected=expected or None, got=got, hint=hint)


def _as_object(name: str, kinds: list[str]) -> str | None:
    """The hint for the name of a kind where an object with that kind belongs."""
    if not kinds:
        return None
    kind = nearest(name, kinds)
    if kind is None and "activation" in kinds and (function := nearest(name, FUNCTIONS)):
        return f'Send {{"kind": "activation", "function": "{function}"}}.'
    return f'Send {{"kind": "{kind}"}}.' if kind else f'Send an object {{"kind": ...}}: {", ".join(kinds)}.'


def _name_place(path: Path) -> str:
    if not path:
        return "The request"
    return f"Element {path[-1]}" if isinstance(path[-1], int) else f"'{_short(path[-1])}'"


def _unknown_name(path: Path, opening: str, name: object, names: list[str]) -> Issue:
    """The issue for a name that is not valid in its place, with the nearest valid one."""
    near = nearest(str(name), names)
    meant = f" Did you mean '{near}'?" if near else ""
    valid = f" Valid: {', '.join(names)}." if names else ""
    hint = f"Use '{near}'." if near else None
    return Issue(
        code="unknown-name", detail=f"{opening}.{meant}{valid}", path=path, expected=names, got=_short(name), hint=hint
    )


def _either(one: Issue, other: Issue) -> Issue:
    """The issues of two members of a union about the same value, as one."""
    if one.expected is None or other.expected is None or one.code != other.code or one.expected == other.expected:
        return one
    expected = f"{one.expected} or {other.expected}"
    detail = one.detail.replace(f"{one.expected}, not", f"{expected}, not")
    return Issue(code=one.code, detail=detail, path=one.path, expected=expected, got=one.got)


def _short(text: object) -> str:
    text = str(text)
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}..."


def _sentence(text: str) -> str:
    text = text if len(text) <= _SENTENCE_LIMIT else f"{text[:_SENTENCE_LIMIT]}..."
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _describe(value: object) -> str:
    """A value as a sentence names it: itself if it is short, else its type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'" if len(value) <= _TEXT_LIMIT else f"a string of {len(value)} characters"
    if isinstance(value, np.ndarray):
        return f"a tensor of shape {value.shape}" if value.ndim else str(value)
    return "a list" if isinstance(value, list) else "an object"
