"""What the benchmark of lead scoring runs beside itself: the API, the no-op endpoint on the same server with the same options, or a training without end."""

import argparse

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.lead_speed import told_leads
from flywheel_dagster.api.app import build_app
from flywheel_dagster.http_server import BoundedHeaders, listen
from flywheel_dagster.leads.learning.learn import learn
from flywheel_dagster.settings import Settings


async def _answer(request: Request) -> Response:
    await request.body()
    return JSONResponse(
        {"lead_id": "lead", "conversion_score": 0.5, "risk_category": "medium", "model_version": "1.0", "reasons": []}
    )


def _train() -> None:
    table = told_leads(5_000, np.random.default_rng(2))
    print(0, flush=True)
    while True:
        learn(table)


def main() -> None:
    """Serve, or train, until a signal; prints its port first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["api", "no-op", "training"])
    what = parser.parse_args().what
    if what == "training":
        _train()
    settings = Settings()
    assert settings.database_url is not None
    app = (
        build_app(settings.database_url.get_secret_value(), settings)
        if what == "api"
        else Starlette(routes=[Route("/score", _answer, methods=["POST"])])
    )
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, http=BoundedHeaders, log_config=None, access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
