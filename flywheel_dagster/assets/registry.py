"""`model_registry_entry`: the trained model as a version of its scope."""

import dagster as dg
from pydantic import Field

from flywheel_dagster.actors import actor_of
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.models.first_traffic import FirstTraffic, give_first_traffic, wants_first_traffic
from flywheel_dagster.names import FINE_TUNED_MODEL, GROUP_MODELS, MODEL_EVALUATION, MODEL_REGISTRY_ENTRY, OWNER_MODELS
from flywheel_dagster.partitions import scopes
from flywheel_dagster.presentation import table
from flywheel_dagster.resources import Flywheel
from flywheel_dagster.training.registration import register_candidate


class RegistryConfig(dg.Config):
    """`model_version` (v2.1.0): the scope's next one by default. `deploy_immediately`: whether a version that is ready gets its first traffic,
    `ab_test_percentage` of it (above 0, below 100); by default as the scope's settings say (flywheel org add ID --deploy, FLYWHEEL_DEPLOY_…)."""

    model_version: str | None = None
    deploy_immediately: bool | None = None
    ab_test_percentage: float | None = Field(None, gt=0, lt=100)


@dg.asset(
    name=MODEL_REGISTRY_ENTRY,
    deps=[FINE_TUNED_MODEL, MODEL_EVALUATION],
    partitions_def=scopes,
    group_name=GROUP_MODELS,
    owners=[OWNER_MODELS],
    kinds={"postgres"},
    code_version="1",
)
def model_registry_entry(
    context: dg.AssetExecutionContext, config: RegistryConfig, flywheel: Flywheel
) -> dg.MaterializeResult[None]:
    """The scope's trained model in `model_registry`, ready to be deployed: v1.0.0, v1.1.0 …, a new major version for a new example format.

    Where the scope wants it, the version gets its first traffic beside the control.
    """
    settings, scope = flywheel.settings(), context.partition_key
    with plain_failures(), flywheel.connection() as connection:
        entry = register_candidate(connection, settings, scope, model_version=config.model_version)
        wanted = config.deploy_immediately
        first = FirstTraffic(None, "nobody asked for it")
        if wants_first_traffic(connection, settings, scope) if wanted is None else wanted:
            percent = config.ab_test_percentage or settings.deploy_percent
            first = give_first_traffic(connection, entry, percent, actor=actor_of(context.run), reason="newly trained")
            context.log.info(f"first traffic: {first.reason}")
    context.log.info(f"{scope} {entry.model_version}: {entry.model_id} ({'new' if entry.created else 'registered before'})")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(str(entry.id)),
        metadata={
            "model_version": entry.model_version,
            "model_id": entry.model_id,
            "registry_id": str(entry.id),
            "status": entry.status if first.deployed is None else first.deployed.status,
            "new": entry.created,
            "deployed": first.deployed is not None,
            "first_traffic": first.reason,
            "dataset_hash": entry.dataset_hash,
            "training_examples_count": entry.training_examples_count,
            "positive_examples": entry.positive_examples,
            "deals_in_training": entry.deals_in_training,
            "trained_tokens": entry.trained_tokens or 0,
            "cost_usd": float(entry.training_cost_usd) if entry.training_cost_usd is not None else "no price known",
            "entry": table(
                [
                    {
                        "version": entry.model_version,
                        "model": entry.model_id,
                        "base": entry.base_model,
                        "job": entry.fine_tuning_job_id,
                    }
                ]
            ),
        },
    )
