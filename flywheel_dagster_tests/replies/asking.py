"""Models, clients and replies for the tests, at the local model server over real HTTP."""

import json
from typing import Any

from flywheel_dagster.replies.choice import ChatModel
from flywheel_dagster.replies.model_client import ModelClient
from flywheel_dagster.replies.own_words import OwnWords
from flywheel_dagster.replies.prices import Price, chat_price
from flywheel_dagster_tests.sandbox.model_server.served import Served

KEY = "sk-secret-of-the-tests"
PRICE = chat_price("gpt-6-luna")
CHAT = "POST /v1/chat/completions"
GOOD: dict[str, Any] = {
    "reasoning": "It accepts a meeting.",
    "language": "en",
    "is_auto_reply": False,
    "wants_unsubscribe": False,
    "referral": False,
    "sentiment_label": "positive",
    "sentiment_score": 0.9,
    "interest_level": "high",
    "objection_type": "none",
    "confidence": 0.8,
}


class Sleeper:
    """Sleeps in no time; `slept` lists the seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.slept.append(seconds)


def model_at(server: Served, *, key: str = KEY, name: str = "gpt-6-luna", price: Price | None = PRICE) -> ChatModel:
    """A model of this server."""
    return ChatModel(name, key, f"{server.url}/v1", price)


def client_at(server: Served, sleeper: Sleeper | None = None, *, timeout: float = 20, **model: Any) -> ModelClient:
    """A client of this server whose waits take no time."""
    return ModelClient(model_at(server, **model), timeout=timeout, concurrency=4, sleep=(sleeper or Sleeper()).sleep)


def said(text: str) -> OwnWords:
    """A reply that is all the writer's own words."""
    return OwnWords(text, "", text)


def newest_chat(server: Served) -> dict[str, Any]:
    """The body of the newest chat request, as the server received it."""
    body: dict[str, Any] = json.loads(server.http.get("/sandbox/chats").json()["chats"][-1])
    return body
