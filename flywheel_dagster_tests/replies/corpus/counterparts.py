"""Which replies of the corpus say nearly the same in four languages, though their writer worded each anew."""

from typing import NamedTuple


class _Blocks(NamedTuple):
    """Four blocks of replies, one after the other: Spanish, French, German, Portuguese, each in the same order."""

    writer: str
    first: int  # number of the first Spanish reply
    size: int  # of a block

    def place(self, identifier: str) -> int | None:
        """The place within its block; None for a reply outside."""
        at = int(identifier[1:]) - self.first
        return at % self.size if identifier.startswith(self.writer) and 0 <= at < 4 * self.size else None


_BLOCKS = (_Blocks("a", 215, 54), _Blocks("c", 585, 20), _Blocks("c", 734, 20), _Blocks("c", 881, 38))


def group_of(identifier: str) -> str:
    """The same name for counterparts of one another; a reply without any is a group of its own."""
    for blocks in _BLOCKS:
        place = blocks.place(identifier)
        if place is not None:
            return f"{blocks.writer}{blocks.first + place} and its counterparts"
    return identifier
