"""No training: the best messages of a dataset are kept, and those sent to the nearest segment stand before a request, as turns of the conversation."""

from flywheel_dagster.datasets.derived import MODELS
from flywheel_dagster.errors import PermanentModelError
from flywheel_dagster.models.chat import RETRIES, Chat
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.recipe import recipe_of
from flywheel_dagster.training.trainers import openai
from flywheel_dagster.training.trainers.exemplars.few_shot import FewShotChat
from flywheel_dagster.training.trainers.exemplars.index import load
from flywheel_dagster.training.trainers.exemplars.trainer import ExemplarsTrainer

DEFAULT_BASE = "gpt-6-luna"


def trainer_of(settings: Settings) -> ExemplarsTrainer:
    """Keeps FLYWHEEL_EXEMPLARS messages for each request to FLYWHEEL_BASE_MODEL, which the local model server offers by default, too."""
    return ExemplarsTrainer(recipe_of(settings, DEFAULT_BASE), folder=settings.training_data_dir / MODELS, shots=settings.exemplars)


def chat_of(settings: Settings, model_id: str, *, retries: int = RETRIES) -> Chat:
    """The model's base, asked at OPENAI_BASE_URL with its messages. Raises ModelError when they aren't in TRAINING_DATA_DIR."""
    models = settings.training_data_dir / MODELS
    folder = models / model_id
    if folder.parent != models:
        raise PermanentModelError(f"{model_id!r} is no name of a model of the trainer exemplars; look at model_registry")
    return FewShotChat(folder, openai.chat_of(settings, load(folder).base_model, retries=retries))
