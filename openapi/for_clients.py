"""Writes the schema as the generated clients see it: one format for every body and every answer, and no null.

Where a message may also be a file, the clients send and read JSON: a generator cannot know that both are the same, and
openapi-python-client writes code that does not run for a body of two formats. Bodies may have null in place of a field that
is left out; the clients leave it out.

Run by openapi/generate.sh: python for_clients.py openapi.json clients/openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

JSON = "application/json"
OCTETS = "application/octet-stream"
NULL = {"type": "null"}
CONDITIONS = ("if", "then")
ENCODED = "#/components/schemas/EncodedTensor"


def narrowed(node: Any) -> Any:
    """The schema without what stands beside JSON. A file is a file in any of its formats."""
    if isinstance(node, list):
        return [narrowed(value) for value in node]
    if not isinstance(node, dict):
        return node
    if {"$ref": ENCODED} in node.get(
        "anyOf", ()
    ):  # A tensor: one of rank 0 is a number, which has no axes to go through.
        node = {**node, "anyOf": [member for member in node["anyOf"] if member != {"type": "number"}]}
    if node.get("minItems", 0) == node.get("maxItems"):  # Not a type of lists of that length alone, but lists.
        node = {key: value for key, value in node.items() if key != "maxItems"}
    content = node.get("content")
    if isinstance(content, dict) and JSON in content:
        is_file = content[JSON]["schema"].get("format") == "binary"
        node = {**node, "content": {OCTETS if is_file else JSON: content[JSON]}}
    if NULL in node.get("anyOf", ()) and "description" in node:  # A field: null says no more than leaving it out.
        others = [member for member in node["anyOf"] if member != NULL]
        rest = {key: value for key, value in node.items() if key != "anyOf"}
        node = {**rest, **(others[0] if len(others) == 1 else {"anyOf": others})}
    # Keys go with every request where the client has one: openapi-python-client would ask for one everywhere.
    left_out = {"security", "securitySchemes", *(CONDITIONS if "properties" in node else ())}
    return {key: narrowed(value) for key, value in node.items() if key not in left_out}


if __name__ == "__main__":
    whole, narrow = map(Path, sys.argv[1:])
    narrow.write_text(json.dumps(narrowed(json.loads(whole.read_text(encoding="utf-8")))), encoding="utf-8")
