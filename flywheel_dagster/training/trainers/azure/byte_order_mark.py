"""A file as Azure wants it: UTF-8 with a byte-order mark, which is put before the bytes as they are read; the file on disk stays as it is."""

import codecs
import io
from typing import BinaryIO

_MARK = codecs.BOM_UTF8


def marked(file: BinaryIO) -> io.BufferedReader:
    """A binary file with the mark before it, read in pieces; its length is the file's and three bytes."""
    return io.BufferedReader(_Marked(file))


class _Marked(io.RawIOBase):
    """Places are counted with the mark. It can be sought in, as whoever sends it asks for its length that way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._place = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._place
        elif whence == io.SEEK_END:
            offset += len(_MARK) + self._file.seek(0, io.SEEK_END)
        self._place = offset
        return offset

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # of all buffers, BufferedReader gives this one
        piece = _MARK[self._place :][: len(buffer)]
        if not piece:
            self._file.seek(self._place - len(_MARK))
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)
