"""What providers charge for training, as far as they published it. Prices are dated: look at the provider's page before you rely on them."""

# USD for a million trained tokens, as published for OpenAI in 2024-2025 (its price page no longer lists them).
OPENAI_TRAINING_USD_PER_MILLION = {
    "gpt-4o-2024-08-06": 25.0,
    "gpt-4o-mini-2024-07-18": 3.0,
    "gpt-4.1-2025-04-14": 25.0,
    "gpt-4.1-mini-2025-04-14": 5.0,
}


def openai_training_cost(base_model: str, trained_tokens: int) -> float | None:
    """USD for training; billed tokens are the file's tokens times the epochs, which is what `trained_tokens` counts."""
    price = OPENAI_TRAINING_USD_PER_MILLION.get(base_model)
    return None if price is None else round(price * trained_tokens / 1_000_000, 4)
