"""The dated list of what training costs: read from `prices.toml` and from a user's own file, and searched. What a job would cost is in `estimate.py`."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from flywheel_dagster.errors import SettingsError

Method = Literal["supervised", "dpo"]
_SIZE = re.compile(r"(?<![0-9A-Za-z.])(?:([0-9]{1,3})x)?([0-9]{1,4}(?:\.[0-9]{1,3})?)[bB](?![0-9A-Za-z])")
_DATE = re.compile(r"-20[0-9]{2}-[0-9]{2}-[0-9]{2}$")
_PLACE = re.compile(r" - at `\$\.?(?:price\[([0-9]+)\])?\.?(.*)`$")


class TrainerFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of when and from where a trainer's prices are, and which tokens it bills."""

    as_of: date
    source: str
    note: str = ""
    bills_validation: bool = False


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """USD for a million tokens, and for what: a model ("*" for the rest of its name), models up to a size, or all of a trainer's."""

    trainer: str
    usd_per_million: Decimal
    model: str | None = None
    up_to_billions: Decimal | None = None
    method: Method | None = None
    full: bool = False
    minimum_usd: Decimal = Decimal(0)


class PriceList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of one file; `fallback` is asked for what it doesn't know."""

    trainer: Mapping[str, TrainerFacts] = {}
    price: tuple[Price, ...] = ()
    fallback: "PriceList | None" = None

    def find(
        self, trainer: str, base_model: str, *, method: Method = "supervised", full: bool = False
    ) -> tuple[Price, TrainerFacts] | None:
        """The price of a training: by the model's name, else by its size, else the trainer's price for all; None if unknown.

        A model is known by its name with and without its date. A fine-tuned one ("ft:gpt-4o-mini-2024-07-18:…") costs what its base does.
        """
        model = base_model.split(":")[1] if base_model.startswith("ft:") and base_model.count(":") >= 2 else base_model
        fitting = [p for p in self.price if p.trainer == trainer and p.method in (None, method) and p.full == full]
        named = [p for p in fitting if p.model and (fnmatchcase(model, p.model) or model == _DATE.sub("", p.model))]
        size = billions(model)
        sized = [p for p in fitting if size is not None and p.up_to_billions is not None and size <= p.up_to_billions]
        sized.sort(key=lambda p: p.up_to_billions or 0)
        for price in (*named, *sized, *(p for p in fitting if p.model is None and p.up_to_billions is None)):
            return price, self.trainer[trainer]
        return self.fallback.find(trainer, base_model, method=method, full=full) if self.fallback else None


def billions(model: str) -> Decimal | None:
    """The parameters of an open model in billions, by its name: 8 for "Meta-Llama-3.1-8B-Instruct", 56 for "Mixtral-8x7B"; None if unsaid."""
    if (found := _SIZE.search(model)) is None:
        return None
    return Decimal(found[1] or 1) * Decimal(found[2])


def price_list(own: Path | None = None) -> PriceList:
    """The built-in prices, behind those of a user's file (FLYWHEEL_PRICES). Raises SettingsError naming the file and the place in it."""
    if own is None:
        return _built_in()
    try:
        return _parsed(own.expanduser().read_text(encoding="utf-8"), fallback=_built_in())
    except OSError as error:
        raise SettingsError(f"FLYWHEEL_PRICES: {own} can't be read ({error.strerror}); name a file, or unset it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"FLYWHEEL_PRICES: {own} is not TOML: {error}; correct it there") from error
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"FLYWHEEL_PRICES: {own}: {_told(error)}; correct it there, it has the shape of flywheel_dagster/training/prices.toml"
        ) from error


@cache
def _built_in() -> PriceList:
    return _parsed(files("flywheel_dagster.training").joinpath("prices.toml").read_text(encoding="utf-8"), fallback=None)


def _parsed(text: str, *, fallback: PriceList | None) -> PriceList:
    read = tomllib.loads(text, parse_float=Decimal)
    if "fallback" in read:
        raise msgspec.ValidationError("unknown field `fallback`")
    prices = msgspec.convert(read, PriceList)
    for number, price in enumerate(prices.price):
        for name in ("usd_per_million", "minimum_usd"):
            if not getattr(price, name).is_finite() or getattr(price, name) < 0:
                raise msgspec.ValidationError(f"USD can't be negative or infinite - at `$.price[{number}].{name}`")
        if price.trainer not in prices.trainer:
            raise msgspec.ValidationError(
                f"[trainer.{price.trainer}] with as_of and source is missing - at `$.price[{number}].trainer`"
            )
        if price.model is not None and price.up_to_billions is not None:
            raise msgspec.ValidationError(f"model and up_to_billions exclude each other - at `$.price[{number}].model`")
    return PriceList(prices.trainer, prices.price, fallback)


def _told(error: msgspec.ValidationError) -> str:
    """The place first, and prices counted from 1."""
    text = str(error)
    if (place := _PLACE.search(text)) is None:
        return text
    where = f"price {int(place[1]) + 1}" if place[1] else ""
    return f"{' '.join(filter(None, (where, place[2])))}: {text[: place.start()]}"


def openai_training_cost(base_model: str, trained_tokens: int, prices: PriceList | None = None) -> float | None:
    """USD for training; billed tokens are the file's tokens times the epochs, which is what `trained_tokens` counts."""
    if (found := (prices or price_list()).find("openai", base_model)) is None:
        return None
    return round(float(max(found[0].usd_per_million * trained_tokens / 1_000_000, found[0].minimum_usd)), 4)
