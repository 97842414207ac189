"""The API's own `AgentOutcomeIntegration`: one for all requests, made when it is first asked for. What requests may do with it is in `routes/strategies.py`."""

import asyncio
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from flywheel_dagster.replies.analyzer import SentimentAnalyzer
    from flywheel_dagster.strategies.integration import AgentOutcomeIntegration

_CONNECTIONS = 10
_WAIT_SECONDS = 5.0  # for a connection that is free
_STATEMENT_SECONDS = 20


class Agents:
    """Makes the integration away from the event loop: numpy, scipy, the language model's client and what reads replies take seconds to load."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._making = asyncio.Lock()
        self._made: tuple[AgentOutcomeIntegration, SentimentAnalyzer] | None = None

    async def integration(self) -> "AgentOutcomeIntegration":
        """It serves all organizations: whoever asks it says which one, and has looked whether the caller may."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_made, bounded(self._url))
        return self._made[0]

    async def close(self) -> None:
        """Give the connections back."""
        if self._made is not None:
            integration, analyzer = self._made
            await integration.close()
            await analyzer.close()


def _made(url: str) -> "tuple[AgentOutcomeIntegration, SentimentAnalyzer]":
    from flywheel_dagster.replies.analyzer import SentimentAnalyzer
    from flywheel_dagster.replies.fallback import judge_offline
    from flywheel_dagster.replies.own_words import own_words
    from flywheel_dagster.strategies.integration import AgentOutcomeIntegration

    judge_offline(own_words("Thanks, tell me more"))  # what reads replies is loaded with the first one
    analyzer = SentimentAnalyzer()
    return AgentOutcomeIntegration(url, analyzer=analyzer, pool_size=_CONNECTIONS, timeout=_WAIT_SECONDS), analyzer


def bounded(url: str) -> str:
    """The address with a limit to how long a statement may run."""
    options = conninfo_to_dict(url).get("options") or ""
    return make_conninfo(url, options=f"{options} -c statement_timeout={_STATEMENT_SECONDS}s".strip())
