"""`ModelRouter` for the models that were trained here: how each is asked, what that costs, and a reward model to rank answers by."""

from collections.abc import Sequence
from dataclasses import dataclass

from flywheel_dagster.database import addresses, connect
from flywheel_dagster.datasets.published import kind_for, required_dataset
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.chat import Messages
from flywheel_dagster.models.routing.asking import Limits
from flywheel_dagster.models.routing.assigned import Assignments
from flywheel_dagster.models.routing.complexity import ComplexitySplit
from flywheel_dagster.models.routing.ensemble import Ensemble
from flywheel_dagster.models.routing.prices import InferencePrices
from flywheel_dagster.models.routing.router import ModelRouter
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with, trains_here
from flywheel_dagster.training.examination.examples import fields_of
from flywheel_dagster.training.examination.reward import RewardModel, train_reward
from flywheel_dagster.training.examination.reward_data import Message, read_outcomes

_PROVIDERS = ("openai", "azure", "together")


def router_of(
    settings: Settings,
    *,
    assignments: Assignments | None = None,
    policy: ComplexitySplit | Ensemble | None = None,
    limits: Limits | None = None,
) -> ModelRouter:
    """A router for whatever `model_registry` has, each model asked where the settings say. The local model server's answers cost nothing; a
    file named by FLYWHEEL_INFERENCE_PRICES has the prices that you pay. Raises SettingsError for a file that can't be used.

    `assignments` and `policy` are those of ModelRouter, `limits` how long and how often a model is asked: its client repeats nothing by itself.
    """
    return ModelRouter(
        lambda trainer, model_id: chat_with(settings, trainer, model_id, retries=0),
        assignments=assignments,
        policy=policy,
        database_url=addresses(settings).service,
        limits=limits,
        prices=InferencePrices(settings.inference_prices, free=_free(settings)),
    )


@dataclass(frozen=True)
class RewardRanking:
    """Ranks messages by their probability of success (0..1); an ensemble's `ranking`."""

    model: RewardModel

    def __call__(self, asked: Messages, texts: Sequence[str]) -> list[float]:
        """The probability for each text, in order."""
        fields = fields_of([dict(message) for message in asked])
        return self.model.score([Message(fields, text) for text in texts])


def ranking_of(settings: Settings, scope: str = "global") -> RewardRanking:
    """A ranking that learns, in some seconds, from the outcomes of the scope's current dataset.

    Raises InputError where there is none, or where outcomes don't tell a good message from a bad one.
    """
    with connect(addresses(settings).service) as connection:
        dataset = required_dataset(connection, scope, settings.training_data_dir, kind=kind_for(settings.training_method))
        model, report = train_reward(read_outcomes(connection, scope, dataset))
    if model is None:
        raise InputError(f"scope {scope!r} has no reward model to rank by: {report.why_not}; wait for more outcomes")
    return RewardRanking(model)


def _free(settings: Settings) -> list[str]:
    """The trainers whose models the local model server serves; exemplars asks OpenAI's."""
    here = [trainer for trainer in _PROVIDERS if trains_here(settings.model_copy(update={"trainer": trainer}))]
    return [*here, "exemplars"] if "openai" in here else here
