"""Which trainer the settings choose."""

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.prices import price_list
from flywheel_dagster.training.trainer import Trainer

LOCAL_KEY = "sk-local-development"


def chosen_trainer(settings: Settings) -> Trainer:
    """The trainer named by FLYWHEEL_TRAINER. Without a key and an address it is the local model server, which is started if need be."""
    if settings.uses_local_model_server:
        from flywheel_dagster.sandbox.services import model_server_url

        return _openai(settings, key=LOCAL_KEY, base_url=model_server_url(settings.home), local=True)
    if settings.openai_api_key is None:
        raise SettingsError("OPENAI_BASE_URL is set but OPENAI_API_KEY is not; set both, or neither for the local model server")
    return _openai(settings, key=settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url, local=False)


def _openai(settings: Settings, *, key: str, base_url: str | None, local: bool) -> Trainer:
    from flywheel_dagster.training.openai_trainer import OpenAITrainer  # the client takes most of a second to import

    return OpenAITrainer(
        api_key=key,
        base_model=settings.base_model,
        epochs=settings.epochs,
        seed=settings.training_seed,
        base_url=base_url,
        local=local,
        prices=price_list(settings.prices),
    )
