"""How a model is found to be asked: by its id, by its trainer, or by a function; opened once, and closed when too many are open."""

import asyncio
from collections.abc import Callable

import pytest

from flywheel_dagster.errors import InputError, SettingsError
from flywheel_dagster.models.chat import Answer, Chat, Messages
from flywheel_dagster.models.routing.providers import Chats, Provider


class Plain:
    """A Chat that knows whether it is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    async def answer(self, messages: Messages, *, max_tokens: int | None = None, seed: int | None = None) -> Answer:
        """Its name."""
        return Answer(self.name, None, "stop", 1, 1, 0.0)

    async def close(self) -> None:
        """No more."""
        self.closed = True


def counting() -> tuple[Callable[[str, str], Chat], list[Plain]]:
    opened: list[Plain] = []

    def open_chat(trainer: str, model_id: str) -> Chat:
        opened.append(Plain(f"{trainer}/{model_id}"))
        return opened[-1]

    return open_chat, opened


async def name_of(chats: Chats, trainer: str, model_id: str) -> str:
    async with chats.of(trainer, model_id) as chat:
        return chat.name


def test_a_model_goes_before_its_trainer_and_what_was_given_stays_open() -> None:
    given = Plain("gpt-6-luna")
    providers: dict[str, Provider] = {"gpt-6-luna": given, "openai": lambda model_id: Plain(f"opened {model_id}")}

    async def look() -> tuple[str, str]:
        chats = Chats(providers)
        names = await name_of(chats, "openai", "gpt-6-luna"), await name_of(chats, "openai", "ft:one")
        await chats.close()
        return names

    assert asyncio.run(look()) == ("gpt-6-luna", "opened ft:one")
    assert not given.closed


def test_a_chat_is_opened_once_for_all_who_ask_at_the_same_time() -> None:
    open_chat, opened = counting()

    async def look() -> None:
        chats = Chats(open_chat)
        await asyncio.gather(*(name_of(chats, "openai", "a") for _ in range(20)))
        assert not opened[0].closed
        await chats.close()

    asyncio.run(look())
    assert [(chat.name, chat.closed) for chat in opened] == [("openai/a", True)]


def test_of_many_the_ones_used_last_stay_open_and_none_is_closed_in_use() -> None:
    open_chat, opened = counting()

    async def look() -> None:
        chats = Chats(open_chat, most=2)
        async with chats.of("t", "a"):
            for model_id in ("b", "c", "b", "d"):
                await name_of(chats, "t", model_id)
            assert [chat.name for chat in opened if not chat.closed] == ["t/a", "t/d"]
        await name_of(chats, "t", "d")
        assert [chat.name for chat in opened if not chat.closed] == ["t/a", "t/d"]
        await chats.close()

    asyncio.run(look())
    assert all(chat.closed for chat in opened)


def test_what_could_not_be_opened_is_tried_again() -> None:
    tries: list[str] = []

    def open_chat(trainer: str, model_id: str) -> Chat:
        tries.append(model_id)
        if len(tries) == 1:
            raise SettingsError("TOGETHER_API_KEY is not set")
        return Plain(model_id)

    async def look() -> str:
        chats = Chats(open_chat)
        with pytest.raises(SettingsError, match="TOGETHER_API_KEY"):
            await name_of(chats, "together", "a")
        return await name_of(chats, "together", "a")

    assert asyncio.run(look()) == "a"


def test_another_model_is_never_asked_in_the_name_of_one() -> None:
    chats = Chats({"openai": Plain("gpt-6-luna")})
    assert asyncio.run(name_of(chats, "openai", "gpt-6-luna")) == "gpt-6-luna"
    with pytest.raises(InputError, match="asks gpt-6-luna, not ft:one"):
        asyncio.run(name_of(chats, "openai", "ft:one"))
    with pytest.raises(InputError, match="nobody serves ft:one \\(together\\)"):
        asyncio.run(name_of(chats, "together", "ft:one"))
