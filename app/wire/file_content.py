"""The content of a file in memory, or mapped there without taking any of its own."""

from __future__ import annotations

import io
import mmap
from typing import IO, Any, cast

FileContent = bytes | mmap.mmap
"""What is read of a file: its bytes, or a map of it, of which slices and views are read."""


def mapped(file: IO[bytes]) -> FileContent:
    """Return a map of a file, which lasts as long as something refers to it. An empty file cannot be mapped."""
    file.flush()
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""


def opened(content: FileContent) -> IO[bytes]:
    """Return the content as a file that is read from its start, without a copy."""
    if isinstance(content, bytes):
        return io.BytesIO(content)
    return cast("IO[bytes]", io.BufferedReader(_Mapped(content)))


class _Mapped(io.RawIOBase):
    """A map as a file with a position of its own: Python's own maps cannot be opened as archives before 3.13."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        found = self._content[self._at : self._at + len(room)]
        room[: len(found)] = found
        self._at += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        if base + offset < 0:
            raise OSError("a position before the start")  # As other files do, which the reader of archives expects.
        self._at = base + offset
        return self._at
