"""Writes docs/reference, docs/images/storeys.svg and the lists in README.md and docs/formats.md: make reference.

Every page follows from the code: docstrings, fields, routes and settings. A test compares what is written here with what
is committed.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from app.main import create_app
from app.models.formats.keras.layers import LAYERS as KERAS_LAYERS
from app.models.formats.keras.layers import left_out
from app.models.formats.onnx.operators import OPERATORS, REFUSED
from app.settings import Settings
from core.activations import FUNCTIONS, Activation
from core.activations.choice import Function
from core.layers import KINDS, Layer
from core.losses import LOSSES, Loss
from core.optimizers import OPTIMIZERS, Optimizer
from tests import ROOT
from tests.docs import storeys

FOLDER = ROOT / "docs" / "reference"
README = ROOT / "README.md"
FORMATS = ROOT / "docs" / "formats.md"
END = "<!-- end -->"
NOTICE = "<!-- Written by `make reference` from the code: change the docstrings there. -->"


def pages() -> dict[str, str]:
    """The text of each page in docs/reference, by file name."""
    return {
        "layers.md": registry(
            "Layers",
            "The values of `kind` in `network.layers`. A layer without a name is named by its position, counted from 1.",
            KINDS,
            shared=[field.name for field in fields(Layer)],
        ),
        "losses.md": registry(
            "Losses",
            "The values of `kind` in `loss`. ℓ is the loss of one example, a the output and y the target.",
            LOSSES,
            shared=[field.name for field in fields(Loss)],
        ),
        "activations.md": registry(
            "Activation functions",
            "The values of `activation` in a layer. A name alone takes the defaults; an object such as\n"
            '`{"function": "elu", "alpha": 0.5}` sets the constants of the function.',
            FUNCTIONS,
        ),
        "optimizers.md": registry(
            "Optimizers",
            "The values of `kind` in `optimizer`, for `POST /v1/step` and `POST /v1/jobs`.",
            OPTIMIZERS,
            shared=[field.name for field in fields(Optimizer)],
        ),
        "endpoints.md": endpoints(),
        "settings.md": settings(),
    }


def registry(title: str, introduction: str, kinds: Mapping[str, type[Any]], shared: Sequence[str] = ()) -> str:
    """A page of one registry: a table of summaries, then equations and fields of each entry."""
    lines = [f"# {title}", "", NOTICE, "", introduction, "", "| name | |", "|---|---|"]
    lines += [f"| [`{name}`](#{name}) | {cell(summary(kind))} |" for name, kind in kinds.items()]
    if shared:
        members = members_of(next(iter(kinds.values())))
        lines += [
            "",
            "## Fields of every entry",
            "",
            *table({name: members[name] for name in shared if name in members}),
        ]
    for name, kind in kinds.items():
        own = {field: member for field, member in members_of(kind).items() if field not in shared}
        lines += ["", f"## {name}", "", *docstring(kind), *table(own)]
        while not lines[-1]:
            lines.pop()
    return "\n".join(lines) + "\n"


def summary(kind: type[Any]) -> str:
    """The first sentence of a docstring."""
    paragraph = " ".join(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", paragraph)[0]


def docstring(kind: type[Any]) -> Iterator[str]:
    """A docstring as Markdown: paragraphs with aligned columns become blocks of code."""
    for paragraph in inspect.cleandoc(kind.__doc__ or "").split("\n\n"):
        rows = paragraph.splitlines()
        if any(re.search(r"^ |\S {2,}\S", row) for row in rows):
            yield from ("```text", *inspect.cleandoc("\n" + paragraph).splitlines(), "```", "")
        else:
            yield from (*(escaped(row) for row in rows), "")


def members_of(kind: type[Any]) -> dict[str, dict[str, Any]]:
    """The fields of a class but `kind`: their JSON schemas, with `required` where there is no default."""
    schema = TypeAdapter(kind).json_schema()
    constants = TypeAdapter(Function).json_schema()["properties"]
    return {
        name: {
            "required": name in schema.get("required", []),
            "description": constants[name]["description"] if issubclass(kind, Activation) else "",
            **member,
        }
        for name, member in schema.get("properties", {}).items()
        if name != "kind"
    }


def table(members: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A row for each field: name, default, description."""
    if members:
        yield from ("| field | default | |", "|---|---|---|")
    for name, member in members.items():
        default = "" if member.get("default") is None else f"`{json_of(member['default'])}`"
        yield f"| `{name}` | {'required' if member['required'] else default} | {cell(member['description'])} |"


def json_of(value: object) -> str:
    """A default as JSON writes it."""
    return TypeAdapter(object).dump_json(value).decode()


def endpoints() -> str:
    """The page of endpoints."""
    lines = [
        "# Endpoints",
        "",
        NOTICE,
        "",
        "`GET /docs` on a running server shows the schema of every body and answer. `GET /openapi.json` returns it.",
    ]
    for tag, rows in by_tag().items():
        lines += ["", f"## {tag}", "", "| request | operation id | |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def by_tag() -> dict[str, list[str]]:
    """The rows of the operations, by their tag."""
    rows: dict[str, list[str]] = {}
    for path, methods in create_app().openapi()["paths"].items():
        for method, operation in methods.items():
            row = f"| `{method.upper()} {path}` | `{operation['operationId']}` | {cell(operation['summary'])} |"
            rows.setdefault(operation["tags"][0], []).append(row)
    return rows


def settings() -> str:
    """The page of settings."""
    lines = [
        "# Settings",
        "",
        NOTICE,
        "",
        "Environment variables, read when a process starts. `GET /v1` publishes the limits. A request beyond one is",
        "refused before memory is allocated for it.",
        "",
        "| variable | default | |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        description, _, computed = " ".join((field.description or "").split()).partition(" Default: ")
        default = computed.rstrip(".") or f"`{str(field.default).removesuffix('.0')}`"
        lines.append(f"| `GRADD_{name.upper()}` | {cell(default)} | {cell(description)} |")
    return "\n".join(lines) + "\n"


def lists() -> dict[Path, dict[str, str]]:
    """The lists of names in hand-written pages, by the name of their marker."""
    linked: dict[str, Mapping[str, Any]] = {
        "layers": KINDS,
        "activations": FUNCTIONS,
        "losses": LOSSES,
        "optimizers": OPTIMIZERS,
    }
    titles = {"layers": "Layers", "activations": "Activation functions", "losses": "Losses", "optimizers": "Optimizers"}
    readme = {
        page: names(f"**[{title}](docs/reference/{page}.md)**", [f"`{name}`" for name in linked[page]])
        for page, title in titles.items()
    }
    supported = sorted(OPERATORS.keys() - REFUSED, key=str.lower)
    translated = [name for name, translate in KERAS_LAYERS.items() if translate is not left_out]
    without = [name for name, translate in KERAS_LAYERS.items() if translate is left_out]
    keras = [names("These layers come in", translated), names("Left out, as where a model predicts", without)]
    formats = {"operators": names("**Operators**", supported), "keras-layers": "\n\n".join(keras)}
    return {README: readme, FORMATS: formats}


def names(title: str, of: Sequence[str]) -> str:
    """A title and the names under it, in lines of at most 120 characters."""
    text = f"{title} ({len(of)}): {', '.join(of)}."
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def with_lists(file: Path) -> str:
    """The text of a page with its lists written anew."""
    text = file.read_text(encoding="utf-8")
    for name, written in lists()[file].items():
        begin = f"<!-- {name}: make reference -->"
        before, marker, rest = text.partition(begin)
        _, end, after = rest.partition(END)
        if not marker or not end:
            raise ValueError(f"{file.name} has no list between {begin!r} and {END!r}.")
        text = f"{before}{begin}\n{written}\n{END}{after}"
    return text


def cell(text: str) -> str:
    """A text in a cell of a table."""
    return escaped(" ".join(text.split())).replace("|", r"\|")


def escaped(text: str) -> str:
    """A text outside code, with nothing in it that Markdown would take for emphasis, a link or HTML."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*_<\[\]])", r"\\\1", part) for part in parts)


def write(file: Path, text: str) -> None:
    """Write a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Write the pages and the lists."""
    for name, text in pages().items():
        write(FOLDER / name, text)
    write(storeys.FILE, storeys.svg())
    for file in lists():
        write(file, with_lists(file))


if __name__ == "__main__":
    main()
