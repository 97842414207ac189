"""A prompt in, a message out: trying a model by hand. Measured on many prompts it is in `examination/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.database import statement
from flywheel_dagster.datasets.prompts import SYSTEM_PROMPT, request_messages
from flywheel_dagster.errors import InputError
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.choice import chat_with

_MOST_TOKENS = 2_048


@dataclass(frozen=True)
class Trial:
    """What a registered version answered."""

    scope: str
    model_version: str
    model_id: str
    trainer: str
    answer: Answer


async def test_model(
    settings: Settings,
    model_id: str,
    test_prompt: str,
    *,
    system_prompt: str = SYSTEM_PROMPT,  # noqa: PT028  no test, but the description's name
    trainer: str | None = None,  # noqa: PT028
) -> str:
    """The message that a model writes to a prompt of your own; the trainer is FLYWHEEL_TRAINER unless said.

    A refusal is "". Raises ModelError when the model can't be asked.
    """
    messages = [{"role": "system", "content": system_prompt}, {"role": "user", "content": test_prompt}]
    return (await _ask(settings, trainer or settings.trainer, model_id, messages, None)).text


async def try_model(
    settings: Settings,
    connection: psycopg.Connection[TupleRow],
    scope: str,
    context: Mapping[str, str | None],
    *,
    version: str | None = None,
    prompt: str | None = None,
    seed: int | None = None,
) -> Trial:
    """What a registered version (None: the newest that is ready or deployed) writes for a lead, asked with the words it was trained on.

    `context` has what is known of lead_industry, lead_role, company_size, channel, framework and tone; `prompt` takes the place of the user
    message made of it. Raises InputError for a version that isn't there, ModelError when the model can't be asked.
    """
    row = connection.execute(statement("model_to_try"), {"scope": scope, "version": version}).fetchone()
    connection.commit()
    if row is None:
        what = f"version {version}" if version else "model that is ready"
        raise InputError(
            f"scope {scope!r} has no {what}; see the table active_models, or train one: flywheel materialize --scope {scope}"
        )
    model_version, model_id, trainer = row
    messages = request_messages(context)
    if prompt is not None:
        messages[-1] = {"role": "user", "content": prompt}
    return Trial(scope, model_version, model_id, trainer, await _ask(settings, trainer, model_id, messages, seed))


async def _ask(settings: Settings, trainer: str, model_id: str, messages: Sequence[Mapping[str, str]], seed: int | None) -> Answer:
    chat = chat_with(settings, trainer, model_id)
    try:
        return await chat.answer(messages, max_tokens=_MOST_TOKENS, seed=seed)
    finally:
        await chat.close()
