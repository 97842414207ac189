"""What Azure's control plane does for a trained model: a token, then a deployment, without which the model answers nobody. By
learn.microsoft.com/rest/api/aifoundry/accountmanagement/deployments and /entra/identity-platform/v2-oauth2-client-creds-grant-flow.

Under /azure/login (tokens) and /azure/management (deployments). A deployment is Creating when first looked at, then Succeeded.
"""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flywheel_dagster.sandbox.model_server.models import KnownModel, find_model
from flywheel_dagster.sandbox.model_server.store import Store
from flywheel_dagster.sandbox.model_server.wire import ApiError, read_json

_SCOPE = "https://management.azure.com/.default"
_TOKEN = "local-azure-token-"  # noqa: S105  how tokens of this server begin
_WRONG_SECRET = "revoked"  # noqa: S105  the secret that stands for one that was withdrawn
_LOOKS_UNTIL_DEPLOYED = 1


def deployment_routes(store: Store) -> list[Route]:
    """Tokens by client credentials; PUT, GET and DELETE of deployments of any resource."""

    async def give_token(request: Request) -> Response:
        async with request.form() as form:
            if form.get("grant_type") != "client_credentials" or form.get("scope") != _SCOPE:
                return _refuse_token(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.")
            if not form.get("client_id") or form.get("client_secret") in (None, "", _WRONG_SECRET):
                return _refuse_token(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        return JSONResponse({"token_type": "Bearer", "expires_in": 3599, "access_token": _TOKEN + secrets.token_urlsafe(24)})

    async def put_deployment(request: Request) -> Response:
        _require_token(request)
        body, (resource, name) = await read_json(request), _place(request)
        model, sku = _read_deployment(body)
        if (known := find_model(store, model)) is None or known.job_id is None:
            raise _refused(
                400, "DeploymentModelNotSupported", f"The model 'Format: OpenAI, Name: {model}, Version: 1' is not supported."
            )
        stood = _find(store, resource)
        if stood is None or stood["model"] != model or stood["sku"] != sku:
            with store.transaction() as database:
                database.execute(
                    "INSERT OR REPLACE INTO azure_deployments (id, name, model, sku) VALUES (?, ?, ?, ?)",
                    (resource, name, model, sku),
                )
        return JSONResponse(_as_wire(_require(store, resource)), status_code=201 if stood is None else 200)

    async def get_deployment(request: Request) -> Response:
        _require_token(request)
        resource, _ = _place(request)
        shown = _as_wire(_require(store, resource))
        with store.transaction() as database:
            database.execute("UPDATE azure_deployments SET looks = looks + 1 WHERE id = ?", (resource,))
        return JSONResponse(shown)

    async def delete_deployment(request: Request) -> Response:
        _require_token(request)
        resource, _ = _place(request)
        with store.transaction() as database:
            database.execute("DELETE FROM azure_deployments WHERE id = ?", (resource,))
        return Response(status_code=204)

    deployment = "/azure/management/{account:path}/deployments/{name}"
    return [
        Route("/azure/login/{tenant}/oauth2/v2.0/token", give_token, methods=["POST"]),
        Route(deployment, put_deployment, methods=["PUT"]),
        Route(deployment, get_deployment, methods=["GET"]),
        Route(deployment, delete_deployment, methods=["DELETE"]),
    ]


def deployed_model(store: Store, name: str) -> KnownModel:
    """The model behind a deployment that stands; Azure's 404 for another name. Base models stand under their own names, as is usual."""
    row = store.database.execute(
        "SELECT model FROM azure_deployments WHERE name = ? AND looks > ?", (name, _LOOKS_UNTIL_DEPLOYED)
    ).fetchone()
    model = find_model(store, row["model"] if row else name)
    if model is None or (row is None and model.job_id is not None):
        raise ApiError(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")
    return model


def _read_deployment(body: dict[str, Any]) -> tuple[str, str]:
    """The model's name and the name of the SKU; 400 for a body that lacks something."""
    properties, sku = body.get("properties"), body.get("sku")
    model = properties.get("model") if isinstance(properties, dict) else None
    if not isinstance(sku, dict) or not isinstance(sku.get("name"), str) or not isinstance(sku.get("capacity"), int):
        raise _refused(400, "InvalidResourceProperties", "The sku needs a name and a capacity.")
    if (
        not isinstance(model, dict)
        or model.get("format") != "OpenAI"
        or not all(isinstance(model.get(key), str) for key in ("name", "version"))
    ):
        raise _refused(400, "InvalidResourceProperties", "The model needs the format OpenAI, a name and a version.")
    return model["name"], sku["name"]


def _place(request: Request) -> tuple[str, str]:
    """The id of the deployment, which differs in no case of its letters, and its name. 400 without an api-version."""
    if not request.query_params.get("api-version"):
        raise _refused(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."
        )
    name = request.path_params["name"]
    return f"/{request.path_params['account']}/deployments/{name}".lower(), name


def _require_token(request: Request) -> None:
    if not request.headers.get("authorization", "").startswith(f"Bearer {_TOKEN}"):
        raise _refused(401, "AuthenticationFailed", "Authentication failed.")


def _find(store: Store, resource: str) -> Any:
    return store.database.execute("SELECT * FROM azure_deployments WHERE id = ?", (resource,)).fetchone()


def _require(store: Store, resource: str) -> Any:
    row = _find(store, resource)
    if row is None:
        raise _refused(404, "ResourceNotFound", f"The Resource '{resource}' was not found.")
    return row


def _as_wire(row: Any) -> dict[str, Any]:
    state = "Succeeded" if row["looks"] >= _LOOKS_UNTIL_DEPLOYED else "Creating"
    return {
        "id": row["id"],
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "name": row["name"],
        "sku": {"name": row["sku"], "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": row["model"], "version": "1"}, "provisioningState": state},
    }


def _refused(status: int, code: str, message: str) -> ApiError:
    return ApiError(status, message, code=code)


def _refuse_token(status: int, error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": f"{description}\r\nTrace ID: local"}, status_code=status)
