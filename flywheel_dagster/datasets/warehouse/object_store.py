"""Exports to S3, Google Cloud Storage and Azure through fsspec. An object appears there whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from flywheel_dagster.datasets.warehouse.destination import needed, refusals
from flywheel_dagster.datasets.warehouse.schema import Schema, partition_path, version_path

_T = TypeVar("_T")


@dataclass(frozen=True)
class Store:
    """A vendor: the extra with its library, the errors that library raises beyond OSError, and where its credentials come from."""

    library: str
    extra: str
    errors: tuple[tuple[str, str], ...]
    remedy: str


_S3 = Store(
    "s3fs",
    "warehouse-s3",
    (("botocore.exceptions", "BotoCoreError"), ("botocore.exceptions", "ClientError")),
    "check the bucket, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE or the machine's role; it may put, get and delete objects",
)
_GCS = Store(
    "gcsfs",
    "warehouse-gcs",
    (("gcsfs.retry", "HttpError"), ("google.auth.exceptions", "GoogleAuthError"), ("aiohttp", "ClientError")),
    "check the bucket, and GOOGLE_APPLICATION_CREDENTIALS or the machine's service account; it may create, get and delete objects",
)
_AZURE = Store(
    "adlfs",
    "warehouse-azure",
    (("azure.core.exceptions", "AzureError"),),
    "check the container, and AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY or another credential of Azure's; "
    "it may write and delete blobs",
)
STORES = {
    "s3": _S3,
    "s3a": _S3,
    "gs": _GCS,
    "gcs": _GCS,
    "abfs": _AZURE,
    "abfss": _AZURE,
    "az": _AZURE,
    "memory": Store("fsspec", "", (), "this one is for tests"),
}


class ObjectStore:
    """A bucket or container, below a prefix."""

    week_in_file = False
    versions_apart = True

    def __init__(self, name: str) -> None:
        """`name` is PROTOCOL://BUCKET/PREFIX without a slash at its end."""
        self.name = name
        self.store = STORES[name.partition("://")[0]]
        self._filesystem: Any = None

    def location(self, schema: Schema, week: date) -> str:
        """The address of the week's object."""
        return f"{self.name}/{partition_path(schema, week)}"

    def put(self, schema: Schema, week: date, file: Path) -> None:
        """Upload; the object is replaced when its last byte is there."""
        description = self._description(schema)

        def upload(filesystem: Any) -> None:
            try:
                described = filesystem.cat_file(description)
            except FileNotFoundError:
                described = None
            if described != schema.description().encode():
                filesystem.pipe_file(description, schema.description().encode())
            filesystem.put_file(str(file), self.location(schema, week))

        self._work(upload)

    def remove(self, schema: Schema, week: date) -> None:
        """Delete the object, if it is there."""

        def delete(filesystem: Any) -> None:
            if filesystem.exists(self.location(schema, week)):
                filesystem.rm_file(self.location(schema, week))

        self._work(delete)

    def is_there(self, schema: Schema) -> bool:
        """Whether the bucket holds the table's description."""
        return self._work(lambda filesystem: bool(filesystem.exists(self._description(schema))))

    def close(self) -> None:
        """fsspec keeps its connections for the whole process."""

    def _description(self, schema: Schema) -> str:
        return f"{self.name}/{version_path(schema)}/_schema.json"

    def _work(self, step: Callable[[Any], _T]) -> _T:
        if self._filesystem is None:
            needed(self.store.library, extra=self.store.extra, address=self.name)
        kinds = tuple(
            getattr(needed(module, extra=self.store.extra, address=self.name), error) for module, error in self.store.errors
        )
        # ValueError: fsspec's libraries raise it for a missing credential.
        with refusals(self.name, self.store.remedy, OSError, ValueError, *kinds):
            if self._filesystem is None:
                core = needed("fsspec.core", extra=self.store.extra, address=self.name)
                # Azure's account stands in the address. No listing is kept: another process may have written since.
                self._filesystem, _ = core.url_to_fs(self.name, use_listings_cache=False)
            self._filesystem.invalidate_cache()
            return step(self._filesystem)
