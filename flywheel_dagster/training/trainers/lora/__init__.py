"""Open weights fine-tuned on this machine, by LoRA with transformers and peft (extra `lora`).

Importing this imports next to nothing: the process that trains, and whoever only reads a job's folder, come through here, too.
"""

from typing import TYPE_CHECKING

from flywheel_dagster.models.chat import RETRIES

if TYPE_CHECKING:
    from flywheel_dagster.models.chat import Chat
    from flywheel_dagster.settings import Settings
    from flywheel_dagster.training.trainers.lora.trainer import LoraTrainer


def trainer_of(settings: "Settings") -> "LoraTrainer":
    """Training beside the datasets, which may be a disk that machines share. Raises SettingsError where the extra is not installed."""
    from flywheel_dagster.training.trainers.lora.trainer import trainer_of

    return trainer_of(settings)


def chat_of(settings: "Settings", model_id: str, *, retries: int = RETRIES) -> "Chat":
    """An adapter, or its base, at the server that has loaded it."""
    from flywheel_dagster.training.trainers.lora.trainer import chat_of

    return chat_of(settings, model_id, retries=retries)
