"""Azure OpenAI's fine-tuning: OpenAI's client at a resource's own address, files that are imported later, jobs without metadata, and a
deployment for what was trained. By MicrosoftDocs/azure-ai-docs and azure-rest-api-specs (AzureOpenAI/authoring)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from openai.types.fine_tuning import FineTuningJob

from flywheel_dagster.datasets.tokens import MOST_TOKENS
from flywheel_dagster.errors import PermanentTrainingError, SettingsError, TransientTrainingError, UnansweredError
from flywheel_dagster.http_errors import Failures
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.openai_errors import checked_key
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.estimate import estimate
from flywheel_dagster.training.job_suffix import suffix_for, was_bought_for
from flywheel_dagster.training.prices import PriceList, price_list
from flywheel_dagster.training.recipe import recipe_of
from flywheel_dagster.training.trainer import JobState, JobStatus, Offer, Recipe
from flywheel_dagster.training.trainers.azure.byte_order_mark import marked
from flywheel_dagster.training.trainers.azure.deployments import Deployment, Deployments, DeploymentState, DeploymentType, Resource
from flywheel_dagster.training.trainers.openai import OpenAITrainer

DEFAULT_BASE = "gpt-4.1-mini-2025-04-14"
LOCAL_KEY = "local-development"

_KEY_SETTING = "AZURE_OPENAI_API_KEY"
_RESOURCE_ID = re.compile(r"(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices/accounts/[^/]+")
_REFUSED_KEY = f"the key was refused; set {_KEY_SETTING} to a key of the resource at AZURE_OPENAI_ENDPOINT"
_REMEDIES = {
    "401": _REFUSED_KEY,
    "403": "the resource lets nobody in who comes this way; look at its networking, and at the rights of the key",
    "insufficient_quota": "the resource has no quota left for this; raise it, then materialize fine_tuned_model again",
}


class AzureTrainer(OpenAITrainer):
    """OpenAI's trainer with Azure's differences. A job bears its key in the suffix (`job_suffix`), and succeeds once its model stands deployed.

    A deployment that fails ends no job: the error is raised, the trained model stays, and the next training run deploys anew.
    """

    name = "azure"
    failures = Failures(PermanentTrainingError, TransientTrainingError, UnansweredError, _REMEDIES, provider="Azure")
    key_setting = _KEY_SETTING
    offer = Offer(
        methods=("supervised", "dpo"),
        least_examples=10,
        most_file_bytes=512 * 1024 * 1024 - 4,  # less than 512 MB with the byte-order mark
        most_example_tokens=MOST_TOKENS,
        weights=False,
        model_id=(
            "the name of the deployment that was made for the model, asked at the resource's address with its key; it costs an hourly fee "
            "while it stands (of type Developer none, but it is gone after a day)"
        ),
    )

    def __init__(
        self,
        recipe: Recipe,
        *,
        api_key: str,
        endpoint: str,
        resource: Resource,
        training_type: str = "Standard",
        deployment_type: DeploymentType = "Standard",
        local: bool = False,
        prices: PriceList | None = None,
    ) -> None:
        super().__init__(recipe, api_key=api_key, base_url=_base_url(endpoint), local=local, prices=prices)
        self._training_type = training_type
        self._deployments = Deployments(resource, deployment_type)
        self._deployed: set[str] = set()  # models whose deployment this trainer has asked for

    def upload(self, path: Path, *, name: str) -> str:
        """POST /files, with a byte-order mark before the file's own bytes."""
        with self._errors("the upload"), path.open("rb") as file:
            return self._client.files.create(file=(name, marked(file)), purpose="fine-tune").id

    def imported(self, file_id: str) -> bool:
        """GET /files/{id}: pending until it is processed, which may fail."""
        with self._errors(f"looking at file {file_id}"):
            file = self._client.files.retrieve(file_id)
        if file.status == "error":
            raise PermanentTrainingError(
                f"Azure can't import file {file_id}: {file.status_details or 'it gives no reason'}; mend the file"
            )
        return file.status == "processed"

    def status(self, job_id: str) -> JobStatus:
        """As OpenAI's; a job that succeeded is `deploying`, and runs, until its model stands deployed.

        Raises PermanentTrainingError for a deployment that Azure refuses or that fails.
        """
        seen = super().status(job_id)
        if seen.state is not JobState.SUCCEEDED or not seen.model_id:
            return seen
        deployment = self._deployment(seen.model_id)
        if deployment.state is DeploymentState.STANDING:
            return replace(seen, model_id=deployment.name)
        told = f"{seen.model_id} is trained; its deployment {deployment.name} is {deployment.provisioning_state}"
        if deployment.state is DeploymentState.DEPLOYING:
            return replace(seen, state=JobState.RUNNING, provider_status="deploying", model_id=None, last_event=told)
        raise PermanentTrainingError(
            f"{told}; look at the resource's deployments for the reason, mend it, then materialize fine_tuned_model again (without resubmit, "
            "which would buy a new training)"
        )

    def cost_usd(self, trained_tokens: int) -> float | None:
        """By the dated price list, which has Azure's prices only if a file of yours (FLYWHEEL_PRICES) does; the local server is free."""
        if self._local:
            return 0.0
        usd = estimate(self.name, self.recipe.base_model, trained_tokens, 1, method=self.recipe.method, prices=self._prices).usd
        return None if usd is None else float(usd)

    def _deployment(self, model: str) -> Deployment:
        """The model's deployment, asked for where there is none, and once again where an earlier attempt failed."""
        found = self._deployments.look(model)
        if found is not None and (found.state is not DeploymentState.FAILED or model in self._deployed):
            return found
        self._deployed.add(model)
        return self._deployments.put(model)

    def _marks(self, key: str, suffix: str) -> dict[str, Any]:
        return {"suffix": suffix_for(key, suffix), "extra_body": {"trainingType": self._training_type}}

    def _bought_for(self, key: str) -> Iterator[FineTuningJob]:
        for job in self._client.fine_tuning.jobs.list(limit=100):
            if any(was_bought_for(key, (job.model_extra or {}).get(name)) for name in ("suffix", "user_provided_suffix")):
                yield job


def trainer_of(settings: Settings) -> AzureTrainer:
    """The resource at AZURE_OPENAI_ENDPOINT, with an application that may deploy; without key and address the local model server.

    Raises SettingsError naming what is missing: a model that nobody may deploy can't be asked, so that it isn't trained.
    """
    key, endpoint, root = _access(settings)
    return AzureTrainer(
        recipe_of(settings, DEFAULT_BASE),
        api_key=key,
        endpoint=endpoint,
        resource=_resource(settings) if root is None else local_resource(root),
        training_type=settings.azure_training_type,
        deployment_type=settings.azure_deployment_type,
        local=root is not None,
        prices=price_list(settings.prices),
    )


def chat_of(settings: Settings, model_id: str, *, retries: int = RETRIES) -> Chat:
    """A deployment of the resource."""
    key, endpoint, _ = _access(settings)
    return OpenAIChat(model_id, api_key=key, base_url=_base_url(endpoint), provider="Azure", retries=retries)


def undeploy(settings: Settings, model_id: str) -> list[str]:
    """Delete a deployment of the resource; its name, where it stood."""
    _, _, root = _access(settings)
    resource = _resource(settings) if root is None else local_resource(root)
    ended = Deployments(resource, settings.azure_deployment_type).end(model_id)
    return [] if ended is None else [ended]


def local_resource(root: str) -> Resource:
    """The resource that a local model server at this address (without path) stands for."""
    return Resource(
        id="/subscriptions/local/resourceGroups/local/providers/Microsoft.CognitiveServices/accounts/local",
        tenant_id="local",
        client_id="local",
        client_secret="local-development",  # noqa: S106  no secret
        management=f"{root}/azure/management",
        login=f"{root}/azure/login",
    )


def _access(settings: Settings) -> tuple[str, str, str | None]:
    """The key, the endpoint, and the address of the local server where that is it."""
    key, endpoint = settings.azure_openai_api_key, settings.azure_openai_endpoint
    if settings.local or (key is None and endpoint is None):
        from flywheel_dagster.sandbox.services import model_server_url

        root = model_server_url(settings.home).removesuffix("/v1")
        return LOCAL_KEY, f"{root}/azure", root
    if key is None or endpoint is None:
        raise SettingsError(
            f"AZURE_OPENAI_ENDPOINT and {_KEY_SETTING} belong together; set both, or neither for the local model server"
        )
    return checked_key(key.get_secret_value(), setting=_KEY_SETTING), endpoint, None


def _resource(settings: Settings) -> Resource:
    secret = settings.azure_client_secret
    given: Mapping[str, str | None] = {
        "FLYWHEEL_AZURE_RESOURCE_ID": settings.azure_resource_id,
        "AZURE_TENANT_ID": settings.azure_tenant_id,
        "AZURE_CLIENT_ID": settings.azure_client_id,
        "AZURE_CLIENT_SECRET": secret.get_secret_value() if secret else None,
    }
    if missing := [name for name, value in given.items() if not value]:
        raise SettingsError(
            f"what Azure trains must be deployed before it can be asked; set {', '.join(missing)} (see .env.example)"
        )
    resource_id, tenant, client, password = (str(value).strip() for value in given.values())
    if not _RESOURCE_ID.fullmatch(resource_id):
        raise SettingsError(
            "FLYWHEEL_AZURE_RESOURCE_ID is no resource's id; copy it from the resource's properties: "
            "/subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…"
        )
    return Resource(resource_id, tenant, client, password)


def _base_url(endpoint: str) -> str:
    """The API of a resource, given its address with or without the API's path."""
    return f"{endpoint.rstrip('/').removesuffix('/openai/v1')}/openai/v1/"
