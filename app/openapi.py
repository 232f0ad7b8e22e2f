"""The command that exports the OpenAPI schema.

python -m app.openapi --write      writes openapi/openapi.json
python -m app.openapi --check      fails if that file is out of date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.main import create_app

FILE = Path(__file__).parent.parent / "openapi" / "openapi.json"


def export_schema() -> str:
    """Return the content of openapi/openapi.json."""
    return json.dumps(create_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the file or compare it. Returns the exit status."""
    text = export_schema()
    if "--write" in arguments:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{FILE.name} is out of date: run `make openapi`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
