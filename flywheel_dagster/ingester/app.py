"""The service: from a request to its answer. The answer is given after the commit, and its status is what the sender's retries go by."""

import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter

import psycopg
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.ingester import limits, training_notices
from flywheel_dagster.ingester.committer import AwayError, Committer
from flywheel_dagster.ingester.connections import REMEDY, without_proof
from flywheel_dagster.ingester.detection import detect
from flywheel_dagster.ingester.directory import Directory
from flywheel_dagster.ingester.doors import DOORS
from flywheel_dagster.ingester.metrics import Metrics
from flywheel_dagster.ingester.received import Connection, Provider, Received, UnreadableError
from flywheel_dagster.outcomes.events import EventType, OutcomeEvent
from flywheel_dagster.settings import Settings

_LOG = logging.getLogger(__name__)
_OPENAI = "openai"  # in metrics, logs and rates
Clock = Callable[[], datetime]


class RefusedError(Exception):
    """The request is not taken: a status, a line that says why, and seconds after which to come again."""

    def __init__(self, status: int, why: str, *, retry_after: int | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.retry_after = status, why, retry_after


class Ingester:
    """Reads, checks and commits one request after the other. Made inside a running event loop."""

    def __init__(self, url: str, settings: Settings, *, clock: Clock, group: int, lanes: int) -> None:
        self._settings, self._clock, self._url = settings, clock, url
        self._directory = Directory(url, settings)
        self.committer = Committer(url, lanes=lanes, group=group)
        self.metrics = Metrics()
        self.metrics.watch(self.committer)
        self._rate = limits.RateLimit(settings.webhook_rate, max(1, 5 * settings.webhook_rate))
        self._failures = limits.RateLimit(20, 200)

    async def receive(self, request: Request, provider: Provider | None) -> Response:
        """The answer to a webhook of this provider; None: of the one that its shape shows."""
        begun = perf_counter()
        known: Provider | None = provider
        try:
            received = await self._read(request, DOORS[provider].body_limit if provider else limits.BODY_LIMIT)
            known = provider or detect(received)
            connection = await self._authenticate(request, received, known)
            self._bound(connection.id)
            events = self._events(received, connection)
            await self.committer.commit(events)
            response = DOORS[known].answer(received, len(events))
            told: Mapping[str, object] = {"connection": connection.id, "events": len(events)}
            self.metrics.received.labels(known).inc(len(events))
        except (RefusedError, AwayError, psycopg.Error) as error:
            response, told = _refusal(error)
        self._note(known, response, begun, told)
        return response

    async def receive_notice(self, request: Request) -> Response:
        """The answer to OpenAI's webhook: processed for a job's notice, ignored for any other event; 401 unless OPENAI_WEBHOOK_SECRET signed it."""
        begun, told = perf_counter(), dict[str, object]()
        secret = self._settings.openai_webhook_secret
        try:
            if secret is None:
                raise RefusedError(503, "set OPENAI_WEBHOOK_SECRET to the signing secret of the webhook", retry_after=300)
            received = await self._read(request, training_notices.BODY_LIMIT)
            if not training_notices.is_genuine(received, secret.get_secret_value()):
                raise self._unproven(request, "not signed by OPENAI_WEBHOOK_SECRET")
            self._bound(_OPENAI)
            try:
                notice = training_notices.read(received)
            except UnreadableError as error:
                raise RefusedError(400, str(error)) from None
            if notice is not None:
                await training_notices.keep(self._url, notice)
                told = {"job": notice.job_id}
            response: Response = JSONResponse({"status": "processed" if notice else "ignored"})
        except (RefusedError, AwayError, psycopg.Error) as error:
            response, told = _refusal(error)
        self._note(_OPENAI, response, begun, told)
        return response

    async def health(self) -> Response:
        """Live whenever it answers; ready when the database answers too."""
        begun = perf_counter()
        try:
            async with await psycopg.AsyncConnection.connect(self._url, connect_timeout=2) as database:
                await database.execute("select 1")
            ready = True
        except psycopg.Error:
            ready = False
        return JSONResponse(
            {
                "status": "ok" if ready else "database away",
                "live": True,
                "ready": ready,
                "database_milliseconds": round((perf_counter() - begun) * 1000, 1) if ready else None,
                "oldest_waiting_milliseconds": round(self.committer.waiting_seconds * 1000, 1),
                "events_recorded": self.committer.counts.recorded,
            },
            200 if ready else 503,
            None if ready else {"Retry-After": "5"},
        )

    async def _read(self, request: Request, limit: int) -> Received:
        try:
            body = await limits.read_body(request, limit)
        except limits.TooLargeError:
            raise RefusedError(
                413, f"the body exceeds {limit // 2**20} MB" if limit >= 2**20 else f"the body exceeds {limit // 2**10} kB"
            ) from None
        except ClientDisconnect:
            raise RefusedError(400, "the sender went away before the body was complete") from None
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")  # as sent: signatures cover it
        return Received(method=request.method, target=target, headers=_headers(request), body=body, at=self._clock())

    async def _authenticate(self, request: Request, received: Received, provider: Provider) -> Connection:
        candidates = await self._directory.find(provider, request.query_params.get("connection"))
        if not candidates:
            if self._settings.insecure_webhooks:
                return without_proof(provider, self._settings)
            raise RefusedError(
                503,
                f"no connection for {provider} is configured: set {REMEDY[provider]}, or run flywheel connection add",
                retry_after=300,
            )
        is_genuine = DOORS[provider].is_genuine
        for connection in candidates:
            if is_genuine(received, connection):
                return connection
        raise self._unproven(request, f"not signed by any connection of {provider}")

    def _unproven(self, request: Request, why: str) -> RefusedError:
        """What to say to a sender who proves nothing: 401, and 429 where that happens too often."""
        if wait := self._failures.take(request.client.host if request.client else ""):
            return RefusedError(429, "too many requests that no connection signed", retry_after=max(1, round(wait)))
        return RefusedError(401, why)

    def _bound(self, connection_id: str) -> None:
        if wait := self._rate.take(connection_id):
            raise RefusedError(429, "too many requests from this connection", retry_after=max(1, round(wait)))

    def _note(self, provider: str | None, response: Response, begun: float, told: Mapping[str, object]) -> None:
        """Count the request, and log it."""
        seconds = perf_counter() - begun
        self.metrics.requests.labels(provider or "unknown", response.status_code).inc()
        self.metrics.seconds.labels(provider or "unknown").observe(seconds)
        level = logging.DEBUG if response.status_code < 300 else logging.WARNING
        if _LOG.isEnabledFor(level):
            facts = {"provider": provider, "status": response.status_code, "milliseconds": round(seconds * 1000, 1), **told}
            _LOG.log(level, "webhook", extra={"facts": facts})

    def _events(self, received: Received, connection: Connection) -> list[OutcomeEvent]:
        try:
            return DOORS[connection.provider].read(received, connection)
        except UnreadableError as error:
            raise RefusedError(400, str(error)) from None
        except Exception as error:  # a defect of ours must not cost the sender's report: it is kept, to be replayed
            _LOG.exception("a payload of %s was not understood: %s", connection.provider, type(error).__name__)
            return [_not_understood(received, connection)]


def build_app(
    url: str, settings: Settings, *, clock: Clock = lambda: datetime.now(UTC), group: int = 1_000, lanes: int = 2
) -> Starlette:
    """The ASGI application on the database at `url` (the service role's). `group` 1 turns shared commits off."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.ingester = Ingester(url, settings, clock=clock, group=group, lanes=lanes)
        yield
        await app.state.ingester.committer.close()

    def door(provider: Provider | None) -> Callable[[Request], object]:
        async def receive(request: Request) -> Response:
            response: Response = await request.app.state.ingester.receive(request, provider)
            return response

        return receive

    async def health(request: Request) -> Response:
        response: Response = await request.app.state.ingester.health()
        return response

    async def notice(request: Request) -> Response:
        response: Response = await request.app.state.ingester.receive_notice(request)
        return response

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "ok", "live": True})

    async def metrics(request: Request) -> Response:
        shown = request.app.state.ingester.metrics
        return Response(shown.show(), media_type=shown.content_type)

    crm = (Provider.HUBSPOT, Provider.SALESFORCE, Provider.PIPEDRIVE, Provider.CALENDLY, Provider.GENERIC)
    doors: list[tuple[str, Provider | None]] = [
        ("/webhooks/sendgrid", Provider.SENDGRID),
        ("/webhooks/sendgrid/inbound", Provider.SENDGRID_INBOUND),
        ("/webhooks/sendgrid/inbound/{token}", Provider.SENDGRID_INBOUND),
        ("/webhooks/calendly", Provider.CALENDLY),
        *((f"/webhooks/crm/{name}", None) for name in ("deals", "meetings")),
        ("/webhooks/crm", None),
        *((f"/webhooks/crm/{provider}", provider) for provider in crm),
        ("/webhooks/crm/salesforce/{token}", Provider.SALESFORCE),
    ]
    return Starlette(
        routes=[
            *(Route(path, door(provider), methods=["POST"]) for path, provider in doors),
            Route("/webhooks/openai", notice, methods=["POST"]),
            Route("/health", health),
            Route("/health/live", live),
            Route("/metrics", metrics),
        ],
        lifespan=lifespan,
    )


def _refusal(error: RefusedError | AwayError | psycopg.Error) -> tuple[Response, dict[str, object]]:
    """The answer to what is not taken, and what the log says of it."""
    match error:
        case RefusedError():
            status, why, wait = error.status, error.why, error.retry_after
        case AwayError():
            status, why, wait = 503, str(error), 5
        case _:  # not even the bare bytes could be written: the fault is ours
            status, why, wait = 503, "the events could not be stored", 60
    headers = {"Retry-After": str(wait)} if wait else None
    told = type(error).__name__ if isinstance(error, psycopg.Error) else why
    return JSONResponse({"status": "refused", "error": why}, status, headers), {"refused": told}


def _not_understood(received: Received, connection: Connection) -> OutcomeEvent:
    return OutcomeEvent(
        event_type=EventType.NOTED,
        occurred_at=received.at,
        source=connection.provider.value,
        organization_id=connection.organization_id,
        facts={"kind": "not understood"},
        raw=received.body,
        identity=hashlib.sha256(received.body).hexdigest(),
    )


def _headers(request: Request) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]}
