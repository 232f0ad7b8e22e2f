"""multipart/form-data with one file, as `curl -F file=@name` sends it."""

from __future__ import annotations

import mmap
from email.message import Message
from email.parser import BytesHeaderParser
from typing import IO

from core.errors import Refusal

MEDIA_TYPE = "multipart/form-data"
HEAD_LIMIT = 16 * 2**10
"""Maximum number of bytes of the headers of a part."""

MOST_PARTS = 100
BLOCK = 2**20


def is_form(content_type: str | None) -> bool:
    """Return whether a body is a form with files."""
    return (content_type or "").partition(";")[0].strip().lower() == MEDIA_TYPE


def keep_file(form: IO[bytes], content_type: str) -> IO[bytes]:
    """Leave nothing of a form but the content of its only file, and return it at its start.

    The form has been received into a file, which is mapped, so that it takes no memory of its own.

    Raises:
        Refusal: `invalid-request`, if the form is malformed, has no file or several, or has other fields.
    """
    start, end = _only_file(form, content_type)
    at = 0
    while start + at < end:
        form.seek(start + at)
        block = form.read(min(BLOCK, end - start - at))
        form.seek(at)
        form.write(block)
        at += len(block)
    form.truncate(at)
    form.seek(0)
    return form


def _only_file(form: IO[bytes], content_type: str) -> tuple[int, int]:
    """Return where the content of the only file begins and ends."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary or len(boundary) > 200 or not boundary.isascii():
        raise Refusal.of(
            "invalid-request", "The Content-Type multipart/form-data does not name the boundary of its parts."
        )
    delimiter = b"--" + boundary.encode()
    form.seek(0, 2)
    if form.tell() < len(delimiter):
        raise _malformed()
    with mmap.mmap(form.fileno(), 0, access=mmap.ACCESS_READ) as body:
        begin = 0 if body[: len(delimiter)] == delimiter else body.find(b"\r\n" + delimiter) + 2
        found = []
        for _ in range(MOST_PARTS):
            begin += len(delimiter)
            if body[begin : begin + 2] == b"--":
                break
            head = body.find(b"\r\n\r\n", begin, begin + HEAD_LIMIT)
            end = body.find(b"\r\n" + delimiter, max(head + 2, 0))
            if head < 0 or end < 0:
                raise _malformed()
            _refuse_field(BytesHeaderParser().parsebytes(body[begin:head].lstrip()))
            found.append((head + 4, max(end, head + 4)))
            begin = end + 2
        if len(found) != 1:
            detail = f"The form has {len(found)} files; send one, as curl -F file=@NAME does."
            raise Refusal.of("invalid-request", detail, got=len(found), expected=1)
        return found[0]


def _refuse_field(head: Message) -> None:
    """Refuse a part that is no file."""
    name = str(head.get_param("name", "", header="content-disposition"))
    if head.get_filename() is None and name != "file":
        detail = f"The form has the field {name[:60]!r}, which is no file."
        hint = f"Options belong in the query: ?{name[:60]}=VALUE."
        raise Refusal.of("invalid-request", detail, name[:200], hint=hint)


def _malformed() -> Refusal:
    detail = "The form is cut off or malformed: its parts are not separated as its Content-Type says."
    return Refusal.of("invalid-request", detail)
