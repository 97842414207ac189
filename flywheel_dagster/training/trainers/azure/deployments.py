"""Deploying a trained model at Azure: without a deployment a fine-tuned model can't be asked. By the control plane (ARM) and its tokens.

learn.microsoft.com/rest/api/aifoundry/accountmanagement/deployments; /entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import hashlib
import re
import weakref
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import httpx2

from flywheel_dagster.errors import PermanentTrainingError, TransientTrainingError, UnansweredError
from flywheel_dagster.http_errors import Failures, classified, json_object

MANAGEMENT = "https://management.azure.com"
LOGIN = "https://login.microsoftonline.com"
DeploymentType = Literal["Standard", "GlobalStandard", "Developer"]

_VERSION = "2025-06-01"
_SCOPE = "https://management.azure.com/.default"
_CAPACITY = 50  # thousand tokens a minute that the deployment may be asked for; it isn't paid by them
_SKUS: dict[DeploymentType, str] = {"Standard": "Standard", "GlobalStandard": "GlobalStandard", "Developer": "DeveloperTier"}
_LONGEST_NAME = 64
_HASH = 12
_APPLICATION = (
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET to an application of this tenant and a secret that is valid"
)
_ROLE = "give the application the role Cognitive Services Contributor on FLYWHEEL_AZURE_RESOURCE_ID"
_RESOURCE = "set FLYWHEEL_AZURE_RESOURCE_ID to the id of the resource that AZURE_OPENAI_ENDPOINT belongs to"
_REMEDIES = {
    "invalid_client": _APPLICATION,
    "unauthorized_client": _APPLICATION,
    "invalid_request": _APPLICATION,
    "AuthorizationFailed": _ROLE,
    "LinkedAuthorizationFailed": _ROLE,
    "InsufficientQuota": "the resource has no quota left: raise it, or delete a deployment, then materialize fine_tuned_model again",
    "ResourceNotFound": _RESOURCE,
    "ResourceGroupNotFound": _RESOURCE,
    "SubscriptionNotFound": _RESOURCE,
    "401": _APPLICATION,
    "403": _ROLE,
}
_FAILURES = Failures(PermanentTrainingError, TransientTrainingError, UnansweredError, _REMEDIES, provider="Azure")


@dataclass(frozen=True)
class Resource:
    """The Azure OpenAI resource, by its full id, and the application that may deploy to it."""

    id: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    management: str = MANAGEMENT
    login: str = LOGIN


class DeploymentState(StrEnum):
    """Where a deployment stands. Whatever Azure says that is not an end is `deploying`."""

    DEPLOYING = "deploying"
    STANDING = "standing"
    FAILED = "failed"


_ENDS = {
    "Succeeded": DeploymentState.STANDING,
    "Failed": DeploymentState.FAILED,
    "Canceled": DeploymentState.FAILED,
    "Disabled": DeploymentState.FAILED,
}


@dataclass(frozen=True)
class Deployment:
    """One look at a deployment: its name, by which its model is asked, and Azure's own word for its state."""

    name: str
    state: DeploymentState
    provisioning_state: str


class Deployments:
    """The deployments of a resource. Each call takes a token of its own, so that none is kept and none can be too old."""

    def __init__(self, resource: Resource, deployment_type: DeploymentType) -> None:
        self._resource, self._sku = resource, _SKUS[deployment_type]
        self._client = httpx2.Client(timeout=60)
        weakref.finalize(self, self._client.close)

    def look(self, model: str) -> Deployment | None:
        """The deployment of a model, if there is one. Raises PermanentTrainingError or TransientTrainingError."""
        name = deployment_name(model)
        answer = self._call(f"looking at deployment {name}", "GET", name)
        return None if answer is None else _read(name, answer)

    def put(self, model: str) -> Deployment:
        """Ask for the deployment of a model; asked again for the same, Azure makes no second one."""
        name = deployment_name(model)
        wanted = {
            "sku": {"name": self._sku, "capacity": _CAPACITY},
            "properties": {"model": {"format": "OpenAI", "name": model, "version": "1"}},
        }
        return _read(name, self._call(f"deploying {model}", "PUT", name, json=wanted) or {})

    def end(self, model: str) -> str | None:
        """Delete the deployment of a model, or of this name, which may go on for a while; its name, or None where none stands."""
        name = deployment_name(model)
        if self._call(f"looking at deployment {name}", "GET", name) is None:
            return None
        self._call(f"deleting deployment {name}", "DELETE", name)
        return name

    def _call(self, doing: str, method: str, name: str, **options: Any) -> dict[str, Any] | None:
        """The answer, or None where a GET or DELETE finds nothing; a DELETE answers nothing."""
        token = self._token()
        address = f"{self._resource.management}{self._resource.id}/deployments/{name}"
        with classified(doing, secrets=[token], failures=_FAILURES):
            answer = self._client.request(
                method, address, params={"api-version": _VERSION}, headers={"Authorization": f"Bearer {token}"}, **options
            )
            if method != "PUT" and answer.status_code == httpx2.codes.NOT_FOUND:
                return None
            if method == "DELETE":
                answer.raise_for_status()
                return None
            return json_object(answer)

    def _token(self) -> str:
        resource = self._resource
        form = {
            "grant_type": "client_credentials",
            "client_id": resource.client_id,
            "client_secret": resource.client_secret,
            "scope": _SCOPE,
        }
        with classified("signing in to deploy", secrets=[resource.client_secret], failures=_FAILURES):
            answer = json_object(self._client.post(f"{resource.login}/{resource.tenant_id}/oauth2/v2.0/token", data=form))
        if not isinstance(answer.get("access_token"), str):
            raise _FAILURES.of_lost_answer("signing in to deploy", "the answer has no token")
        return str(answer["access_token"])


def deployment_name(model: str) -> str:
    """The name of a model's deployment, always the same: the model's own, or where that is too long its beginning and a hash of it."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", model)
    if name == model and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - _HASH - 1].rstrip('-.')}-{hashlib.sha256(model.encode()).hexdigest()[:_HASH]}"


def _read(name: str, answer: dict[str, Any]) -> Deployment:
    properties = answer.get("properties")
    said = str((properties if isinstance(properties, dict) else {}).get("provisioningState", "Accepted"))
    return Deployment(name, _ENDS.get(said, DeploymentState.DEPLOYING), said)
