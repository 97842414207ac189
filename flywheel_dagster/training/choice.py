"""Which trainer the settings choose, and how to ask what a trainer made."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from flywheel_dagster.errors import InputError, SettingsError
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.trainer import Trainer


def chosen_trainer(settings: Settings) -> Trainer:
    """The trainer named by FLYWHEEL_TRAINER. Raises SettingsError when it lacks something, or can't train by FLYWHEEL_TRAINING_METHOD."""
    trainer = cast(Trainer, _module(settings.trainer).trainer_of(settings))
    if trainer.recipe.method not in trainer.offer.methods:
        raise SettingsError(
            f"FLYWHEEL_TRAINING_METHOD is {trainer.recipe.method}, but the trainer {trainer.name} can only do "
            f"{' or '.join(trainer.offer.methods)}; change one of them"
        )
    return trainer


def trainer_of_job(settings: Settings, trainer: str, chosen: Mapping[str, Any]) -> Trainer:
    """The trainer that a job was bought at: `chosen` are its settings in the ledger, keys and addresses those of the environment."""
    names = {"base_model": "base_model", "method": "training_method", "epochs": "epochs", "seed": "training_seed"}
    recipe = {theirs: chosen[ours] for ours, theirs in names.items() if ours in chosen}
    recipe |= {name: chosen.get(name) for name in ("batch_size", "learning_rate")}
    return chosen_trainer(settings.model_copy(update={"trainer": trainer} | recipe))


def trains_here(settings: Settings) -> bool:
    """Whether what the settings choose runs on this machine: its end comes soon, and looking costs nothing."""
    match settings.trainer:
        case "lora" | "exemplars":
            return True
        case "together":
            return settings.local or (settings.together_api_key is None and settings.together_base_url is None)
        case "azure":
            return settings.local or (settings.azure_openai_api_key is None and settings.azure_openai_endpoint is None)
    return settings.uses_local_model_server


def chat_with(settings: Settings, trainer: str, model_id: str, *, retries: int = RETRIES) -> Chat:
    """A model to ask, by the trainer that made it (as `model_registry` has it) and its id. What may pass is asked again so often; 0 for callers
    who do that themselves."""
    return cast(Chat, _module(trainer).chat_of(settings, model_id, retries=retries))


def undeploy(settings: Settings, trainer: str, model_id: str) -> list[str]:
    """End what a model runs on at its provider, and costs by the hour while it stands; the names of what was ended, none where nothing stood.

    Raises InputError for a trainer that deploys nothing.
    """
    end = getattr(_module(trainer), "undeploy", None)
    if end is None:
        raise InputError(
            f"the trainer {trainer} deploys nothing, so that {model_id} costs nothing while nobody asks it; there is nothing to end"
        )
    return cast(list[str], end(settings, model_id))


def _module(trainer: str) -> ModuleType:
    # Imported when chosen: clients take most of a second, and extras may not be installed.
    name = f"flywheel_dagster.training.trainers.{trainer}"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InputError(f"no trainer is called {trainer!r}; it is what model_registry has, such as openai or lora") from error
