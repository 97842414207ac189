"""Runs the ingester as a process."""

import logging

from flywheel_dagster import http_server
from flywheel_dagster.ingester.app import build_app
from flywheel_dagster.settings import Settings

_LOG = logging.getLogger(__name__)


def serve(url: str, settings: Settings, *, host: str, port: int) -> None:
    """Serve until a signal says to end. Raises InputError for an address that can't be had."""
    http_server.log_as_json()
    if settings.insecure_webhooks:
        _LOG.warning("FLYWHEEL_INSECURE_WEBHOOKS=1: providers without credentials are believed unsigned; never in production")
    http_server.serve(build_app(url, settings), host=host, port=port)
