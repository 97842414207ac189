"""Runs the API as a process."""

import logging

from flywheel_dagster import http_server
from flywheel_dagster.api.app import build_app
from flywheel_dagster.api.keys import keys_from
from flywheel_dagster.settings import Settings


def serve(url: str, settings: Settings, *, host: str, port: int) -> None:
    """Serve until a signal says to end. Raises InputError for an address that can't be had, SettingsError for FLYWHEEL_API_KEYS that can't be read."""
    keys_from(settings.api_keys)  # now, in a line; once it serves, it would be a traceback
    logging.getLogger("httpx2").setLevel(
        logging.WARNING
    )  # its line a call shows Dagster's address, with what credentials it may hold
    http_server.serve(build_app(url, settings), host=host, port=port)
