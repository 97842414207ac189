"""How to ask a model: the Chats that a router was given, and those that it opens as it needs them, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from flywheel_dagster.errors import InputError
from flywheel_dagster.models.chat import Chat

Open = Callable[[str, str], Chat]
Provider = Chat | Callable[[str], Chat]
Providers = Open | Mapping[str, Provider]


@dataclass
class _Opened:
    chat: asyncio.Task[Chat]
    users: int = field(default=0)

    @property
    def failed(self) -> bool:
        return self.chat.done() and (self.chat.cancelled() or self.chat.exception() is not None)


class Chats:
    """Chats by trainer and model id. At most `most` of those that it opened stay open while nobody uses them.

    `providers` opens a Chat for a trainer and a model id; or it is a mapping, looked up by the model's id, then by the trainer's name, to a Chat
    or to what opens one for a model id. A Chat that it was given stays open: it is closed by whoever made it.
    """

    def __init__(self, providers: Providers, *, most: int = 64) -> None:
        self._providers, self._most = providers, most
        self._opened: dict[tuple[str, str], _Opened] = {}

    @asynccontextmanager
    async def of(self, trainer: str, model_id: str) -> AsyncIterator[Chat]:
        """The Chat, which stays open inside the block. Raises InputError for a model that nobody serves, and what opening it raises."""
        found = self._provider(trainer, model_id)
        if not callable(found):
            yield found
            return
        key = (trainer, model_id)
        # Opened in a thread: clients take a second to import, and some have files to read. The one used last stands last.
        opened = self._opened.pop(key, None) or _Opened(asyncio.create_task(asyncio.to_thread(found, model_id)))
        self._opened[key] = opened
        opened.users += 1
        try:
            yield await asyncio.shield(opened.chat)
        finally:
            opened.users -= 1
            if opened.failed and self._opened.get(key) is opened:
                del self._opened[key]
            await self._close_unused(self._most)

    async def close(self) -> None:
        """Close what it opened, and nobody uses."""
        await asyncio.gather(*(opened.chat for opened in self._opened.values()), return_exceptions=True)
        await self._close_unused(0)

    def _provider(self, trainer: str, model_id: str) -> Provider:
        if callable(self._providers):
            providers = self._providers
            return lambda model_id: providers(trainer, model_id)
        if (found := self._providers.get(model_id)) is not None:
            return found
        found = self._providers.get(trainer)
        if found is None:
            raise InputError(
                f"nobody serves {model_id} ({trainer}): name the model or {trainer!r} in the router's providers; known are "
                f"{', '.join(self._providers) or 'none'}"
            )
        if not callable(found) and found.name != model_id:
            raise InputError(
                f"the provider {trainer!r} asks {found.name}, not {model_id}; give a function from a model's id to its Chat instead"
            )
        return found

    async def _close_unused(self, most: int) -> None:
        idle = [key for key, opened in self._opened.items() if not opened.users and opened.chat.done()]
        for key in idle[: max(0, len(self._opened) - most)]:
            opened = self._opened.pop(key)
            if not opened.failed:
                await (await opened.chat).close()
