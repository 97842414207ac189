"""Which chat model reads replies, where, with which key and at what price."""

from dataclasses import dataclass, field

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.prices import Price, chat_price
from flywheel_dagster.settings import Settings

NO_KEY = "sk-none"  # for servers that ask for none; the client wants one

# What to do about a provider's refusal, by its code.
REMEDIES = {
    "invalid_api_key": "the key was refused; set OPENAI_API_KEY to a valid one",
    "model_not_found": "set FLYWHEEL_REPLY_MODEL to a model that this address offers",
    "insufficient_quota": "the account has no credit left; add some, then materialize reply_sentiment again",
    "credit_balance_exhausted": "the account has no credit left; add some, then materialize reply_sentiment again",
}


@dataclass(frozen=True)
class ChatModel:
    """A chat model at an OpenAI-compatible address; `base_url` None is OpenAI's own. `price` is None when it is not known."""

    name: str
    api_key: str = field(repr=False)
    base_url: str | None = None
    price: Price | None = None


def chosen_model(
    settings: Settings, *, openai_api_key: str | None = None, base_url: str | None = None, model: str | None = None
) -> ChatModel | None:
    """The model to ask, or None when only rules are to answer: the settings lead to the local development server, which reads nothing.

    An address given here gets the key given here, or the settings' key if it is the settings' address, and no other: a key goes nowhere
    it was not meant for. A model given here without address or key is asked of the local server where the settings lead there.
    """
    name = model or settings.reply_model
    price = chat_price(name, override=settings.reply_price)
    if base_url is not None:
        known = settings.openai_api_key if base_url == settings.openai_base_url else None
        return ChatModel(name, openai_api_key or (known.get_secret_value() if known else NO_KEY), base_url, price)
    if openai_api_key is not None:
        return ChatModel(name, openai_api_key, settings.openai_base_url, price)
    if settings.uses_local_model_server:
        return None if model is None else _local(settings, name)
    if settings.openai_api_key is None:
        raise SettingsError("OPENAI_BASE_URL is set but OPENAI_API_KEY is not; set both, or neither to have replies read by rules")
    return ChatModel(name, settings.openai_api_key.get_secret_value(), settings.openai_base_url, price)


def _local(settings: Settings, name: str) -> ChatModel:
    from flywheel_dagster.sandbox.services import model_server_url

    return ChatModel(name, NO_KEY, model_server_url(settings.home), Price.free())
