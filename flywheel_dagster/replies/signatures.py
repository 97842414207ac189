"""Separates what somebody wrote from what their mail program or habit puts beneath it: sign-off, name, telephone, disclaimer."""

from typing import NamedTuple


class Signed(NamedTuple):
    """A text and the signature that stood beneath it, "" where there is none."""

    text: str
    signature: str


def cut_signature(text: str) -> Signed:
    """The text without its signature. The text is "" where there is nothing but a signature."""
    above, delimiter, below = text.partition("\n-- \n")
    return Signed(above.strip(), below.strip()) if delimiter else Signed(text.strip(), "")
