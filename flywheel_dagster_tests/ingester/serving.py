"""The real service on a socket, in a thread, with a clock of the test's choosing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import uvicorn

from flywheel_dagster.http_server import BoundedHeaders, listen
from flywheel_dagster.ingester.app import build_app
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.conftest import Database


class Clock:
    """Tells the time it was set to; until then the real one."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    def __call__(self) -> datetime:
        return self.at or datetime.now(UTC)


class Serving:
    """One running service."""

    def __init__(self, url: str, settings: Settings, *, group: int = 1_000) -> None:
        self.clock = Clock()
        self._listening = listen("127.0.0.1", 0)
        self.port: int = self._listening.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(
                build_app(url, settings, clock=self.clock, group=group), http=BoundedHeaders, log_config=None, access_log=False
            )
        )
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._listening]}, daemon=True)
        self._thread.start()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def stop(self) -> None:
        """End it politely."""
        self.http.close()
        self.server.should_exit = True
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()


@contextmanager
def serving(database: Database, *, group: int = 1_000, **environment: object) -> Iterator[Serving]:
    """The service on this database; `environment` are variables as in .env."""
    settings = Settings(**{"DATABASE_URL": database.settings.database_url, **environment})  # type: ignore[arg-type]
    served = Serving(database.addresses.service, settings, group=group)
    try:
        yield served
    finally:
        served.stop()
