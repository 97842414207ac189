"""The recipe that the settings choose, whoever trains."""

from flywheel_dagster.settings import Settings
from flywheel_dagster.training.trainer import Recipe


def recipe_of(settings: Settings, default_base: str) -> Recipe:
    """FLYWHEEL_BASE_MODEL, or the trainer's own default, with the method and hyperparameters of the settings."""
    return Recipe(
        base_model=settings.base_model or default_base,
        method=settings.training_method,
        epochs=settings.epochs,
        seed=settings.training_seed,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
    )
