"""The ingester as the benchmark runs it, or the no-op endpoint beside it, on the same server with the same options. Prints its port."""

import argparse

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.http_server import BoundedHeaders, listen
from flywheel_dagster.ingester.app import build_app
from flywheel_dagster.settings import Settings


async def _answer(request: Request) -> Response:
    await request.body()
    return JSONResponse({"status": "processed", "events": 0})


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-op", action="store_true", help="only read and answer")
    parser.add_argument("--group", type=int, default=1_000, help="most events of a transaction; 1: no shared commits")
    given = parser.parse_args()
    settings = Settings()
    assert settings.database_url is not None
    if given.no_op:
        app = Starlette(routes=[Route("/webhooks/sendgrid", _answer, methods=["POST"])])
    else:
        app = build_app(settings.database_url.get_secret_value(), settings, group=given.group)
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, http=BoundedHeaders, log_config=None, access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
