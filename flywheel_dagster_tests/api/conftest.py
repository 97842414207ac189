"""What the tests of the API share."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster_tests.api.dagster_there import DagsterThere, dagster_there
from flywheel_dagster_tests.api.serving import Serving, serving
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import event, message

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Connection = psycopg.Connection[TupleRow]


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A browser of the machine's own, without a window."""
    from playwright.sync_api import sync_playwright

    from flywheel_dagster_tests.acceptance.test_ui import CHROMIUM, QUIET

    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def served(database: Database) -> Iterator[Serving]:
    """The API without Dagster."""
    with serving(database) as api:
        yield api


@pytest.fixture
def two_tenants(connection: Connection) -> dict[str, str]:
    """acme and rival with two messages and a model each, and a global model that wrote half of the messages; scope → registry id."""
    models: dict[str, str] = {}
    for organization in ("acme", "rival"):
        connection.execute("insert into organizations (id) values (%s) on conflict do nothing", (organization,))
    for scope in ("global", "acme", "rival"):
        row = connection.execute(
            "insert into model_registry (organization_id, model_id, model_version, base_model, trainer) values (%s, %s, 'v1.0.0', 'base', 'openai')"
            " returning id::text",
            (None if scope == "global" else scope, f"ft:base:{scope}"),
        ).fetchone()
        assert row is not None
        models[scope] = row[0]
    for organization in ("acme", "rival"):
        for number, writer in enumerate((organization, "global")):
            sent = message(organization_id=organization, lead_id=f"{organization} {number}")
            send(connection, [sent])
            record(connection, [event(sent.id, "opened"), event(sent.id, "deal_closed", 3, value="100")])
            connection.execute("update outcome_labels set model_registry_id = %s where id = %s", (models[writer], sent.id))
    connection.commit()
    return models


@dataclass(frozen=True)
class WithDagster:
    """The API beside a Dagster."""

    api: Serving
    dagster: DagsterThere


@pytest.fixture
def beside(database: Database) -> Iterator[WithDagster]:
    """The API, and a web server that answers as Dagster's does."""
    with dagster_there() as (url, there), serving(database, FLYWHEEL_DAGSTER_URL=url) as api:
        yield WithDagster(api, there)
