"""A provider's address as the ledger keeps it, where everybody may read it and jobs are told apart by it."""

from urllib.parse import urlsplit


def written_address(address: str) -> str:
    """The address without the user and the password in it, and without slashes at its end, which change nothing."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")
