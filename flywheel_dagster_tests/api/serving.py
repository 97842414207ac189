"""The real API on a socket, in a thread, with keys for two organizations and for all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from flywheel_dagster.api.app import build_app
from flywheel_dagster.api.keys import Role, hash_of
from flywheel_dagster.http_server import BoundedHeaders, listen
from flywheel_dagster.settings import Settings
from flywheel_dagster_tests.conftest import Database

NOWHERE = "http://127.0.0.1:9"  # the port discard: nobody listens


def key(organization: str, role: Role) -> str:
    """The key that an organization has for a role (`*`: all organizations)."""
    return f"test-{organization}-{role}"


KEYS = ",".join(f"{owner}:{role}:{hash_of(key(owner, role))}" for owner in ("acme", "rival", "*") for role in Role)


class Serving:
    """One running service, and clients that ask with a key."""

    def __init__(self, url: str, settings: Settings) -> None:
        listening = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.server = uvicorn.Server(
            uvicorn.Config(build_app(url, settings), http=BoundedHeaders, log_config=None, access_log=False)
        )
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self._clients: dict[str, httpx.Client] = {}

    def asking(self, organization: str, role: Role = Role.ADMIN) -> httpx.Client:
        """A client with the organization's key."""
        return self.with_key(key(organization, role))

    def with_key(self, secret: str) -> httpx.Client:
        """A client with any key."""
        if secret not in self._clients:
            headers = {"Authorization": f"Bearer {secret}"}
            self._clients[secret] = httpx.Client(base_url=self.url, timeout=30, headers=headers)
        return self._clients[secret]

    def stop(self) -> None:
        """End it politely."""
        for client in (self.http, *self._clients.values()):
            client.close()
        self.server.should_exit = True
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()


@contextmanager
def serving(database: Database, **environment: object) -> Iterator[Serving]:
    """The API on this database; `environment` are variables as in .env."""
    settings = Settings(
        **{
            "DATABASE_URL": database.settings.database_url, "FLYWHEEL_API_KEYS": KEYS, "FLYWHEEL_DAGSTER_URL": NOWHERE,
            "FLYWHEEL_API_REQUESTS_PER_MINUTE": 10_000, **environment,
        }  # type: ignore[arg-type]
    )  # fmt: skip
    served = Serving(database.addresses.service, settings)
    try:
        yield served
    finally:
        served.stop()
