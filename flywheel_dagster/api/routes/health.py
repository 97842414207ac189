"""`/health` and `/metrics`: for whoever watches over the service. No key is needed, and nothing is told of anybody."""

from time import perf_counter

import psycopg
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from flywheel_dagster.api.services import ServicesHere

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Live whenever it answers, ready when the database answers too."""

    status: str = Field(examples=["ok"])
    live: bool
    ready: bool
    database_milliseconds: float | None
    dagster: bool = Field(
        description="Whether Dagster answers. Without it no training is launched or looked at by its run; the rest works."
    )


@router.get("/health", responses={503: {"model": Health, "description": "The database is away."}})
async def health(services: ServicesHere, response: Response) -> Health:
    """Say whether the service can do its work."""
    begun, milliseconds = perf_counter(), None
    try:
        async with services.pool.connection(timeout=2) as connection:
            await connection.execute("select 1")
        milliseconds = round((perf_counter() - begun) * 1000, 1)
    except psycopg.OperationalError:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    ready = milliseconds is not None
    return Health(
        status="ok" if ready else "database away",
        live=True,
        ready=ready,
        database_milliseconds=milliseconds,
        dagster=await services.dagster.answers(),
    )


@router.get("/health/live")
async def live() -> dict[str, bool | str]:
    """Say that the process answers."""
    return {"status": "ok", "live": True}


@router.get("/metrics", include_in_schema=False)
async def metrics(services: ServicesHere) -> Response:
    """The figures in Prometheus' text format."""
    return Response(services.metrics.show(), media_type=services.metrics.content_type)
