"""Homes and programs that can't be used, or not by the account that runs the server."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flywheel_dagster.errors import SandboxError
from flywheel_dagster.sandbox import postgres
from flywheel_dagster.sandbox.postgres import accounts, binaries, state
from flywheel_dagster_tests.sandbox.postgres.conftest import SETTINGS, cared_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to switch to another account")


@pytest.fixture
def private_folder(open_folder: Path) -> Path:
    folder = open_folder / "private"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def private_home(private_folder: Path) -> Iterator[Path]:
    with cared_for(private_folder / "home") as path:
        yield path


@as_root
def test_data_goes_where_the_account_can_reach_it_and_parents_stay_closed(private_home: Path) -> None:
    said: list[str] = []
    server = postgres.start(private_home, settings=SETTINGS, announce=said.append)
    place = server.data_directory.parent
    assert place.parent in accounts.FOLDERS_OUTSIDE_HOME
    assert [str(place) in line and str(private_home) in line for line in said] == [True]
    assert stat.S_IMODE(private_home.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o711
    assert stat.S_IMODE(server.data_directory.stat().st_mode) == 0o700
    assert server.data_directory.stat().st_uid != 0
    assert json.loads((private_home / "postgres" / "server.json").read_text())["data_directory"] == str(server.data_directory)

    assert postgres.stop(private_home) is True
    assert postgres.start(private_home, settings=SETTINGS, announce=said.append) == server
    assert len(said) == 1


@as_root
def test_data_of_a_removed_home_is_set_aside_and_its_server_ended(private_home: Path) -> None:
    said: list[str] = []
    old = postgres.start(private_home, settings=SETTINGS, announce=said.append)
    number = int((old.data_directory / "postmaster.pid").read_text().split()[0])
    shutil.rmtree(private_home)

    new = postgres.start(private_home, settings=SETTINGS, announce=said.append)
    assert new.data_directory == old.data_directory
    assert new.passwords != old.passwords
    assert int((new.data_directory / "postmaster.pid").read_text().split()[0]) != number
    assert (old.data_directory.with_name("data.removed") / "PG_VERSION").exists()
    assert any("data.removed" in line for line in said)


@as_root
def test_a_folder_that_somebody_else_made_is_not_used(
    private_folder: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "FOLDERS_OUTSIDE_HOME", (open_folder,))
    account = accounts.choose_account(private_folder)
    place = accounts.choose_folder(private_folder, account)
    assert place.parent == open_folder
    assert accounts.choose_folder(private_folder, account) == place
    assert list(place.iterdir()) == []

    os.chown(place, 65534, 65534)
    with pytest.raises(SandboxError, match="somebody else's: remove it, or set FLYWHEEL_HOME"):
        accounts.choose_folder(private_folder, account)
    place.rmdir()
    place.symlink_to(open_folder)
    with pytest.raises(SandboxError, match="somebody else's"):
        accounts.choose_folder(private_folder, account)


@as_root
def test_programs_that_the_account_can_not_reach_are_copied_once(
    made_home: Path, private_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = binaries.Binaries(private_folder / "wheel")
    binaries._copy(binaries.find_binaries(), unreachable)
    monkeypatch.setattr(postgres, "find_binaries", lambda: unreachable)
    said: list[str] = []
    server = postgres.start(made_home, settings=SETTINGS, announce=said.append)
    number = (server.data_directory / "postmaster.pid").read_text().split()[0]
    assert Path(f"/proc/{number}/exe").readlink().is_relative_to(made_home.resolve() / "postgres")
    assert [str(private_folder) in line for line in said] == [True]

    postgres.stop(made_home)
    postgres.start(made_home, settings=SETTINGS, announce=said.append)
    assert len(said) == 1


def test_a_home_that_can_not_be_made_is_named_with_the_remedy(open_folder: Path) -> None:
    (open_folder / "file").touch()
    with pytest.raises(SandboxError, match=r"can't keep a database in .*/file/home/postgres .*set FLYWHEEL_HOME"):
        postgres.start(open_folder / "file" / "home")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_without_leave_to_write_is_named_with_the_remedy(open_folder: Path) -> None:
    open_folder.chmod(0o500)
    with pytest.raises(SandboxError, match=r"Permission denied.*set FLYWHEEL_HOME"):
        postgres.start(open_folder / "home")


def test_a_missing_wheel_and_missing_programs_are_told_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "INSTALLATION", "pginstall99")
    with pytest.raises(SandboxError, match=r"doesn't run here .*No such file.*set DATABASE_URL"):
        postgres.start(home)
    monkeypatch.setattr(binaries, "PACKAGE", "no_such_wheel")
    with pytest.raises(SandboxError, match=r"isn't installed: run .*set DATABASE_URL"):
        postgres.start(home)


def test_a_server_that_fails_is_quoted(made_home: Path) -> None:
    with pytest.raises(SandboxError, match='invalid value for parameter "shared_buffers": "much"') as caught:
        postgres.start(made_home, settings={**SETTINGS, "shared_buffers": "much"})
    assert "\n" not in str(caught.value)
    assert postgres.start(made_home, settings=SETTINGS)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "server.json").write_text("{"), "server.json is damaged .*: restore it, or remove"),
        (lambda folder: (folder / "server.json").unlink(), "server.json, with the passwords, is gone: restore it, or remove"),
        (lambda folder: shutil.rmtree(folder / "data"), "data is gone from .*: restore it, or remove"),
    ],
    ids=["damaged state", "lost state", "lost data"],
)
def test_a_state_that_does_not_fit_its_data_is_never_replaced_by_an_empty_database(
    home: Path, damage: Callable[[Path], object], message: str
) -> None:
    folder = home / "postgres"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("18\n")
    stored = {
        "port": 1,
        "data_directory": "data",
        "ready": True,
        "passwords": dict.fromkeys(("postgres", "flywheel_owner", "flywheel_service"), "x"),
    }
    (folder / "server.json").write_text(json.dumps(stored))
    damage(folder)
    with pytest.raises(SandboxError, match=message):
        postgres.start(home)
    shutil.rmtree(folder)


def test_only_one_process_may_start_or_stop(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "LOCK_TIMEOUT", 0.0)
    (home / "postgres").mkdir(parents=True)
    with state.changing(home / "postgres"), pytest.raises(SandboxError, match="another process has been starting or stopping"):
        postgres.start(home)
