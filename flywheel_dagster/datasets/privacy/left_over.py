"""A second look, with a pattern of its own, at what redaction left: the last door before a line is written or trained on."""

import re

_ADDRESS = re.compile(rb"\w@[A-Za-z0-9][A-Za-z0-9-]*\.[A-Za-z]{2}")


def has_address(text: bytes) -> bool:
    """Whether an e-mail address stands in the text (UTF-8), with a name of ASCII letters before the sign and a domain behind it."""
    return b"@" in text and _ADDRESS.search(text) is not None
