"""What training makes small. Each function gives a loss for every example of a batch, and what is told of it: a sum and of how many."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from flywheel_dagster.training.trainers.lora.examples import Example, Text

Losses = tuple[torch.Tensor, float, int]
Objective = Callable[[Any, Sequence[Example]], Losses]

_BETA = 0.1  # how dearly DPO pays for leaving the base model
_IGNORED = -100


def supervised_loss(model: Any, examples: Sequence[Example]) -> Losses:
    """Each example's mean negative log-likelihood a learnt token, in nats; told is the mean over all learnt tokens."""
    likely, counts = log_likelihoods(model, [example.texts[0] for example in examples])
    return -likely / counts, -float(likely.detach().sum()), int(counts.sum())


def dpo_loss(model: Any, examples: Sequence[Example]) -> Losses:
    """Direct preference optimization: how much less the adapter prefers the better text than it should, compared with the base alone.

    Rafailov et al. 2023, equation 7 (https://arxiv.org/abs/2305.18290); the reference is the model with its adapter switched off.
    """
    texts = [example.texts[side] for side in (0, 1) for example in examples]
    with torch.no_grad(), model.disable_adapter():
        reference = log_likelihoods(model, texts)[0]
    gained = log_likelihoods(model, texts)[0] - reference
    preferred, other = gained.chunk(2)
    losses = -torch.nn.functional.logsigmoid(_BETA * (preferred - other))
    return losses, float(losses.detach().sum()), len(examples)


OBJECTIVES: dict[str, Objective] = {"supervised": supervised_loss, "dpo": dpo_loss}


def log_likelihoods(model: Any, texts: Sequence[Text]) -> tuple[torch.Tensor, torch.Tensor]:
    """For each text the log-likelihood of its learnt tokens together, and how many they are."""
    longest = max(len(text.ids) for text in texts)
    ids = torch.tensor([[*text.ids, *[0] * (longest - len(text.ids))] for text in texts], device=model.device)
    read = torch.tensor([[1] * len(text.ids) + [0] * (longest - len(text.ids)) for text in texts], device=model.device)
    learnt = torch.tensor([[*text.learnt, *[False] * (longest - len(text.learnt))] for text in texts], device=model.device)
    # A token is told by what stands before it. Elsewhere nothing as broad as the vocabulary is computed.
    places = learnt.any(0).nonzero().flatten()
    logits = model(input_ids=ids, attention_mask=read, logits_to_keep=places - 1).logits
    counted = learnt[:, places]
    targets = ids[:, places].masked_fill(~counted, _IGNORED)
    surprise = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), reduction="none", ignore_index=_IGNORED
    )
    return -surprise.view_as(targets).sum(1), counted.sum(1)
