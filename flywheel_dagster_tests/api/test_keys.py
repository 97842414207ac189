"""What a key looks like, what stands of it at rest, and which are in force."""

import pytest

from flywheel_dagster.api.keys import EnvironmentKey, Permission, Role, hash_of, keys_from, new_key
from flywheel_dagster.api.server import serve
from flywheel_dagster.errors import SettingsError
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.conftest import Database

HASH = hash_of("key")


def test_a_key_has_256_random_bits_and_a_prefix_that_scanners_know() -> None:
    keys = {new_key() for _ in range(1_000)}
    assert len(keys) == 1_000
    assert all(key.startswith("flywheel_") and len(key) == len("flywheel_") + 43 for key in keys)


def test_the_hash_is_plain_sha256_as_a_shell_makes_it() -> None:
    assert hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_each_role_may_do_what_the_one_before_it_may() -> None:
    assert Role.VIEWER.permissions < Role.OPERATOR.permissions < Role.ADMIN.permissions
    assert Role.ADMIN.permissions == frozenset(Permission)
    assert Role.VIEWER.permissions == {Permission.READ}


def test_the_variable_names_organizations_roles_and_hashes() -> None:
    assert keys_from(None) == keys_from("") == ()
    assert keys_from(f" acme:viewer:{HASH} , *:admin:{HASH.upper()},urn:org:7:operator:{HASH},") == (
        EnvironmentKey("acme", Role.VIEWER, HASH),
        EnvironmentKey(None, Role.ADMIN, HASH),
        EnvironmentKey("urn:org:7", Role.OPERATOR, HASH),
    )


@pytest.mark.parametrize(
    ("variable", "why"),
    [
        ("flywheel_secret", "entry 1 .* not organisation:role:sha256"),
        (f"acme:viewer:{HASH},acme:root:{HASH}", "entry 2 .* none of viewer, operator, admin"),
        ("acme:viewer:flywheel_secret", "entry 1 .* SHA-256"),
        (f":viewer:{HASH}", "entry 1 .* 1 to 200 characters"),
        (f"global:viewer:{HASH}", "entry 1 .* \\* stands for all"),
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_never_shown(database: Database, variable: str, why: str) -> None:
    settings = Settings(DATABASE_URL=database.settings.database_url, FLYWHEEL_API_KEYS=variable)
    with pytest.raises(SettingsError, match=f"FLYWHEEL_API_KEYS: {why}") as caught:
        serve(database.addresses.service, settings, host="127.0.0.1", port=0)
    assert "secret" not in str(caught.value)
