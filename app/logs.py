"""The log of every process of the service: text for people or JSON for machines, on the standard error."""

from __future__ import annotations

import logging
import sys
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["json", "text"]
Context = Callable[[], Mapping[str, str]]
"""Returns what a record says besides its own fields, such as the id of the present request."""


def configure_logs(log_format: LogFormat | None, level: str, context: Context = dict) -> None:
    """Send the records of all loggers to the standard error.

    Args:
        log_format: text, json, or None for text on a terminal and json otherwise.
        level: the name of the least serious level that is logged.
        context: returns further fields of each record.
    """
    log_format = log_format or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if log_format == "text" else _json_formatter())

    def complete(record: logging.LogRecord) -> bool:
        for name, value in context().items():
            record.__dict__.setdefault(name, value)
        return True

    handler.addFilter(complete)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Their informative records say what ours say.
    for name in ("alembic", "httpx", "uvicorn.error"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


class _JsonFormatter(JsonFormatter):
    """A JSON object on a line, with the time first."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return _time(record)


def _json_formatter() -> JsonFormatter:
    names = {"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "exception", "process": "pid"}
    return _JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s %(process)d", rename_fields=names)


class TextFormatter(logging.Formatter):
    """A line for each record, which nothing in the record can break.

    Control characters are escaped, and the lines of a traceback are indented, so that a name in a request can neither
    begin a record of its own nor reach the terminal's settings.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = escape(f"{_time(record)} {record.levelname.lower()} {record.name}: {record.getMessage()}")
        identity = getattr(record, "request_id", None)
        if identity:
            line += f" [{escape(str(identity))}]"
        if record.exc_info:
            trace = self.formatException(record.exc_info)
            line += "".join(f"\n    {escape(part)}" for part in trace.split("\n"))
        return line


def escape(text: str) -> str:
    """Return a text with its control characters, line separators and lone surrogates written as escapes."""
    if text.isprintable():
        return text
    return "".join(_escaped(character) if _is_control(character) else character for character in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
