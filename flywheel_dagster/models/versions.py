"""Version numbers of a scope's models: v1.0.0, v1.1.0 …; the major number rises when the example format changes."""

import re
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version, ordered as numbers."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "v2.10.0"; raises ValueError for anything else."""
        match = re.fullmatch(r"v([0-9]+)\.([0-9]+)\.([0-9]+)", text)
        if match is None:
            raise ValueError(f"{text!r} is not a version; it looks like v2.1.0")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"


def next_version(latest: Version | None, *, same_format: bool) -> Version:
    """The version after `latest` of a scope: new data is a new minor version, a new example format a new major one."""
    if latest is None:
        return Version(1, 0, 0)
    return Version(latest.major, latest.minor + 1, 0) if same_format else Version(latest.major + 1, 0, 0)
