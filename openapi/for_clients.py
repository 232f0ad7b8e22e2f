"""Writes the schema as the generated clients see it: one format for every body and every answer.

Where a message may also be a file, the clients send and read JSON: a generator cannot know that both are the same, and
openapi-python-client writes code that does not run for a body of two formats.

Run by openapi/generate.sh: python for_clients.py openapi.json clients/openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

JSON = "application/json"
OCTETS = "application/octet-stream"


def narrowed(node: Any) -> Any:
    """The schema without what stands beside JSON. A file is a file in any of its formats."""
    if isinstance(node, list):
        return [narrowed(value) for value in node]
    if not isinstance(node, dict):
        return node
    content = node.get("content")
    if isinstance(content, dict) and JSON in content:
        is_file = content[JSON]["schema"].get("format") == "binary"
        node = {**node, "content": {OCTETS if is_file else JSON: content[JSON]}}
    # Keys go with every request where the client has one: openapi-python-client would ask for one everywhere.
    return {key: narrowed(value) for key, value in node.items() if key not in ("security", "securitySchemes")}


if __name__ == "__main__":
    whole, narrow = map(Path, sys.argv[1:])
    narrow.write_text(json.dumps(narrowed(json.loads(whole.read_text(encoding="utf-8")))), encoding="utf-8")
