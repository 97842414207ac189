"""Which account of the operating system runs PostgreSQL, and where that account can keep data. Nothing here adds an account, or changes
the mode of a folder that it did not create."""

import errno
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flywheel_dagster.errors import SandboxError

OWN_DATABASE = "set DATABASE_URL to a PostgreSQL of your own"
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
# /var/tmp comes second: systemd-tmpfiles deletes there what has not changed for 30 days.
FOLDERS_OUTSIDE_HOME = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - whose it is gets checked
INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")


@dataclass(frozen=True)
class Account:
    """An account that PostgreSQL's processes switch to, because root started them."""

    name: str
    uid: int
    gid: int


def choose_account(data: Path) -> Account | None:
    """The account to switch to: none unless we are root; else the owner of existing data, `postgres` or `nobody`.

    Raises SandboxError when root has no account to switch to.
    """
    import pwd

    if os.geteuid() != 0:
        return None
    owner = (data if data.exists() else data.parent).stat().st_uid
    for key in (owner,) if owner else UNPRIVILEGED_ACCOUNTS:
        try:
            entry = pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
        except KeyError:
            continue
        account = Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        run(["/bin/sh", "-c", ":"], account)  # fails here rather than in the middle
        return account
    wanted = f"number {owner}, the owner of {data}" if owner else " or ".join(UNPRIVILEGED_ACCOUNTS)
    raise SandboxError(
        f"PostgreSQL doesn't run as root, and there is no account {wanted}: run as an ordinary user, or {OWN_DATABASE}"
    )


def launch(
    arguments: Sequence[str | Path], account: Account | None, *, log: int = subprocess.PIPE, kept_open: Sequence[int] = ()
) -> "subprocess.Popen[str]":
    """Starts a program as `account`, in a session of its own, with none of our pipes and none of our variables.

    Its output goes to the descriptor `log`. Raises SandboxError when this root can't switch to the account.
    """
    try:
        return subprocess.Popen(  # noqa: S603
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ} | {"LC_ALL": "C"},
            start_new_session=True,
            pass_fds=kept_open,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            text=True,
            errors="replace",
        )
    except OSError as error:
        # What a setuid that is not allowed raises, as in a user namespace of one; a file that may not be run is EACCES.
        if account is None or error.errno not in (errno.EPERM, errno.EINVAL):
            raise
        message = f"root can't become {account.name} here ({error.strerror}), and PostgreSQL doesn't run as root"
        raise SandboxError(f"{message}: run as an ordinary user, or {OWN_DATABASE}") from error


def run(arguments: Sequence[str | Path], account: Account | None, *, kept_open: Sequence[int] = ()) -> tuple[int, str]:
    """Runs a program to its end; returns its exit code (127 when it isn't there or may not be run) and its output."""
    try:
        with launch(arguments, account, kept_open=kept_open) as process:
            output, _ = process.communicate()
    except (FileNotFoundError, PermissionError) as error:
        return 127, str(error)
    return process.returncode, output


def give(path: Path | int, account: Account | None) -> None:
    """Makes `account` the owner of a file or folder that we have just created."""
    if account:
        os.chown(path, account.uid, account.gid)


def choose_folder(inside: Path, account: Account | None) -> Path:
    """The folder for the data: `inside`, or when `account` can't work there, one outside of home, which is then created.

    Raises SandboxError when there is none.
    """
    if account is None or _can_work_in(inside, account):
        return inside
    name = f"flywheel-{os.geteuid()}-{hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]}"
    for parent in FOLDERS_OUTSIDE_HOME:
        folder = parent / name
        try:
            folder.mkdir()
        except FileExistsError:
            pass
        except OSError:
            continue
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise SandboxError(
                f"{folder} is somebody else's: remove it, or set FLYWHEEL_HOME to a folder that {account.name} can reach"
            )
        folder.chmod(0o711)
        if _can_work_in(folder, account):
            return folder
    raise SandboxError(
        f"{account.name}, as whom root runs PostgreSQL, can't reach {inside}: set FLYWHEEL_HOME to a folder that it can reach"
    )


def _can_work_in(folder: Path, account: Account) -> bool:
    """Tries it out, because modes alone don't tell (access lists, mounts without owners, security modules)."""
    probe = folder / "probe.new-0"
    remove(probe)
    try:
        probe.mkdir(mode=0o700)
        give(probe, account)
        code, _ = run(["/bin/sh", "-c", 'cd "$1" && : > probe', "sh", probe], account)
        return code == 0
    except OSError:
        return False
    finally:
        remove(probe)


def remove(path: Path) -> None:
    """Removes a file or a tree, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
