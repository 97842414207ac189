"""Which trainer the settings choose, and how to ask what a trainer made."""

from importlib import import_module
from types import ModuleType
from typing import cast

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.models.chat import Chat
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


def chat_with(settings: Settings, trainer: str, model_id: str) -> Chat:
    """A model to ask, by the trainer that made it (as `model_registry` has it) and its id."""
    return cast(Chat, _module(trainer).chat_of(settings, model_id))


def _module(trainer: str) -> ModuleType:
    # Imported when chosen: clients take most of a second, and extras may not be installed.
    return import_module(f"flywheel_dagster.training.trainers.{trainer}")
