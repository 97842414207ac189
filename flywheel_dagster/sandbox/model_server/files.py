"""The Files API: uploads, lists, contents and deletion. What a training file must hold is `validation`'s."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.store import Store, write_whole
from flywheel_dagster.sandbox.model_server.validation import find_upload_problem
from flywheel_dagster.sandbox.model_server.wire import ApiError, Page, new_id, now, read_limit

_PURPOSES = ("assistants", "batch", "fine-tune", "fine-tune-results", "vision", "user_data", "evals")
_LARGEST = 512 * 1024 * 1024
LARGEST_BATCH = 200 * 1024 * 1024
_PIECE = 1 << 18
_EXPIRY_SECONDS = range(3600, 2592000 + 1)
_SELECT = "SELECT * FROM files WHERE NOT deleted AND (expires_at IS NULL OR expires_at > :now)"


def content_path(store: Store, file_id: str) -> Path:
    """Where a file's bytes are."""
    return store.contents / file_id


def require_file(store: Store, file_id: str, *, param: str = "id") -> dict[str, Any]:
    """The row of a file, or OpenAI's 404."""
    row = store.database.execute(_SELECT + " AND id = :id", {"id": file_id, "now": now()}).fetchone()
    if row is None:
        raise ApiError(404, f"No such File object: {file_id}", param=param)
    return dict(row)


def insert_file(
    database: sqlite3.Connection, file_id: str, *, size: int, filename: str, purpose: str, expires_at: int | None = None
) -> None:
    """Record a file whose bytes are already in place; part of the caller's transaction."""
    database.execute(
        "INSERT INTO files (id, created_at, expires_at, bytes, filename, purpose) VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, now(), expires_at, size, filename, purpose),
    )


async def keep_upload(store: Store, part: UploadFile, *, purpose: str, expires_at: int | None = None) -> str:
    """Keep an uploaded file, unexamined, under a fresh id, which is returned."""
    file_id = new_id("file-")
    await asyncio.to_thread(write_whole, content_path(store, file_id), iter(lambda: part.file.read(_PIECE), b""))
    with store.transaction() as database:
        insert_file(
            database, file_id, size=part.size or 0, filename=part.filename or "upload", purpose=purpose, expires_at=expires_at
        )
    return file_id


def check_size(size: int, filename: str, purpose: str) -> None:
    """400 or 413 for a file that is too large for its purpose, or for a batch that isn't called .jsonl (texts assumed)."""
    largest = LARGEST_BATCH if purpose == "batch" else _LARGEST
    if size > largest:
        raise ApiError(413, f"File is too large: at most {largest >> 20} MB for purpose {purpose!r}.", param="file")
    if purpose == "batch" and not filename.endswith(".jsonl"):
        raise ApiError(400, "Invalid file format for Batch API. Must be .jsonl", param="file")


def sweep_contents(store: Store) -> None:
    """Remove the halves and orphans that a killed process left: bytes with no row, and deleted ones that no open job or batch reads."""
    kept = {row["id"] for row in store.database.execute("SELECT id FROM files WHERE NOT deleted")} | _in_use(store)
    for path in store.contents.iterdir():
        if path.name not in kept:
            path.unlink()
    for path in store.models.glob(".half-*"):
        path.unlink()
    ended = "SELECT id FROM batches WHERE status IN ('completed', 'failed', 'expired', 'cancelled')"
    over = {row["id"] for row in store.database.execute(ended)}
    for path in store.batches.iterdir():
        if path.stem in over:
            path.unlink()


def file_routes(store: Store) -> list[Route]:
    """The routes under /v1/files."""

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            part, purpose = form.get("file"), form.get("purpose")
            if not isinstance(part, UploadFile):
                raise ApiError(400, "'file' is a required property", param="file")
            if not isinstance(purpose, str) or purpose not in _PURPOSES:
                raise ApiError(400, f"{purpose!r} is not one of {list(_PURPOSES)} - 'purpose'", param="purpose")
            expires_at = _read_expiry(form.get("expires_after[anchor]"), form.get("expires_after[seconds]"))
            check_size(part.size or 0, part.filename or "upload", purpose)
            if purpose == "fine-tune":
                problem = await asyncio.to_thread(find_upload_problem, await part.read())
                if problem:
                    raise ApiError(400, problem)
                await part.seek(0)
            file_id = await keep_upload(store, part, purpose=purpose, expires_at=expires_at)
        return JSONResponse(file_as_wire(require_file(store, file_id)))

    async def list_files(request: Request) -> Response:
        limit = read_limit(request, default=10_000, largest=10_000)
        values: dict[str, Any] = {"now": now(), "purpose": request.query_params.get("purpose"), "limit": limit + 1, "after": None}
        order = request.query_params.get("order", "desc")
        if order not in ("asc", "desc"):
            raise ApiError(400, "Invalid 'order': expected 'asc' or 'desc'.", param="order")
        after = request.query_params.get("after")
        if after is not None:
            values["after"] = require_file(store, after, param="after")["number"]
        beyond = "number > :after" if order == "asc" else "number < :after"
        select = f"{_SELECT} AND (:purpose IS NULL OR purpose = :purpose) AND (:after IS NULL OR {beyond})"
        rows = store.database.execute(f"{select} ORDER BY number {order} LIMIT :limit", values).fetchall()
        return Page([file_as_wire(row) for row in rows[:limit]], len(rows) > limit).response()

    async def get_file(request: Request) -> Response:
        return JSONResponse(file_as_wire(require_file(store, request.path_params["file"])))

    async def get_content(request: Request) -> Response:
        row = require_file(store, request.path_params["file"])
        return FileResponse(content_path(store, row["id"]), media_type="application/octet-stream")

    async def delete_file(request: Request) -> Response:
        row = require_file(store, request.path_params["file"])
        with store.transaction() as database:
            database.execute("UPDATE files SET deleted = 1 WHERE id = ?", (row["id"],))
        if row["id"] not in _in_use(store):
            content_path(store, row["id"]).unlink(missing_ok=True)
        return JSONResponse({"id": row["id"], "object": "file", "deleted": True})

    return [
        Route("/v1/files", upload, methods=["POST"]),
        Route("/v1/files", list_files, methods=["GET"]),
        Route("/v1/files/{file}", get_file, methods=["GET"]),
        Route("/v1/files/{file}", delete_file, methods=["DELETE"]),
        Route("/v1/files/{file}/content", get_content, methods=["GET"]),
    ]


def _in_use(store: Store) -> set[str]:
    """The files that open jobs and batches still read, deleted or not."""
    rows = store.database.execute(
        "SELECT training_file, validation_file FROM jobs WHERE status NOT IN ('succeeded', 'failed', 'cancelled') "
        "UNION SELECT input_file, NULL FROM batches WHERE status NOT IN ('completed', 'failed', 'expired', 'cancelled')"
    )
    return {file_id for row in rows for file_id in row if file_id}


def _read_expiry(anchor: object, seconds: object) -> int | None:
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at" or not isinstance(seconds, str) or not seconds.isdigit() or int(seconds) not in _EXPIRY_SECONDS:
        raise ApiError(400, "'expires_after' needs anchor 'created_at' and seconds from 3600 to 2592000.", param="expires_after")
    return now() + int(seconds)


def file_as_wire(row: Any) -> dict[str, Any]:
    """The file object of the API."""
    return {
        "id": row["id"],
        "object": "file",
        "bytes": row["bytes"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "filename": row["filename"],
        "purpose": row["purpose"],
        "status": "processed",
        "status_details": None,
    }
