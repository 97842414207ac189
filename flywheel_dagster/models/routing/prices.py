"""What asking a model costs: dated prices by trainer and model, and OpenAI's plain models as `replies/prices.py` has them."""

import tomllib
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.models.routing.assigned import Target
from flywheel_dagster.replies.prices import Price, chat_price

_PLAIN = ("openai", "azure", "exemplars")  # who serve OpenAI's models at OpenAI's prices; exemplars trains nothing


class TrainerFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of when and from where a trainer's prices are."""

    as_of: date
    source: str


class InferencePrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD for a million tokens read and written by the models that fit `model` ("*" for the rest of a name)."""

    trainer: str
    model: str
    input: Decimal
    output: Decimal


class _Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    trainer: Mapping[str, TrainerFacts] = {}
    price: tuple[InferencePrice, ...] = ()


class InferencePrices:
    """The built-in prices behind those of a user's own file. What `free` trainers serve costs nothing: the local model server's."""

    def __init__(self, own: Path | None = None, *, free: Collection[str] = ()) -> None:
        self._listed = (*(_own(own) if own else ()), *_built_in())
        self._free = frozenset(free)

    def cost_usd(self, target: Target, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """USD for so many tokens; None where nobody knows the price."""
        price = self.find(target)
        return None if price is None else price.cost_usd(prompt_tokens, completion_tokens)

    def find(self, target: Target) -> Price | None:
        """The price of a model; None if unknown."""
        if target.trainer in self._free:
            return Price.free()
        for line in self._listed:
            if line.trainer == target.trainer and fnmatchcase(target.model_id, line.model):
                return Price(line.input, line.output)
        if target.trainer not in _PLAIN:
            return None
        return chat_price((target.base_model if target.trainer == "exemplars" else None) or target.model_id)


@cache
def _built_in() -> tuple[InferencePrice, ...]:
    return _parsed(files("flywheel_dagster.models.routing").joinpath("prices.toml").read_text(encoding="utf-8"))


def _own(path: Path) -> tuple[InferencePrice, ...]:
    try:
        return _parsed(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"the prices in {path} can't be read ({error.strerror}); name another file, or none") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(
            f"the prices in {path} can't be used: {error}; correct them, they have the shape of flywheel_dagster/models/routing/prices.toml"
        ) from error


def _parsed(text: str) -> tuple[InferencePrice, ...]:
    listed = msgspec.convert(tomllib.loads(text, parse_float=Decimal), _Listed)
    for number, price in enumerate(listed.price, start=1):
        if not all(usd.is_finite() and usd >= 0 for usd in (price.input, price.output)):
            raise msgspec.ValidationError(f"price {number}: USD can't be negative or infinite")
        if price.trainer not in listed.trainer:
            raise msgspec.ValidationError(f"price {number}: [trainer.{price.trainer}] with as_of and source is missing")
    return listed.price
