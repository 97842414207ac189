"""How the refusal to store anything about an erased lead reaches callers. What is refused is decided in `sql/0015_erasure.sql`."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from flywheel_dagster.errors import InputError


@contextmanager
def erased_refused() -> Iterator[None]:
    """The database's refusal becomes an InputError; it names nobody."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name != "erased_leads":
            raise
        raise InputError(error.diag.message_primary or "the lead was erased") from error
