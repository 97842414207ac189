"""The training itself: LoRA on every linear layer, AdamW, clipped gradients, and a checkpoint from which a killed run goes on as if undisturbed."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model

from flywheel_dagster.errors import PermanentTrainingError
from flywheel_dagster.training.trainer import JobState
from flywheel_dagster.training.trainers.lora.base import load_base
from flywheel_dagster.training.trainers.lora.examples import Example, read_examples
from flywheel_dagster.training.trainers.lora.job import ADAPTER, Ended, JobFolder, Order, Point, write_folder
from flywheel_dagster.training.trainers.lora.losses import OBJECTIVES
from flywheel_dagster.training.trainers.lora.schedule import epoch_batches, rate_at, slices

_TOKENS_AT_ONCE = 1_024  # padding included: about 3 GB for a model of 135 M weights
_CHECKPOINT_SECONDS = 300  # at most between two checkpoints; each epoch's end is one, too
_LARGEST_GRADIENT = 1.0


def train(job: JobFolder) -> Ended:
    """Train what the job orders, from its newest checkpoint on, and leave the adapter in its folder. The caller holds the job's lock.

    Raises PermanentTrainingError for an order that can't be carried out.
    """
    order = job.order()
    tokenizer, base = load_base(order.base_model, job.path.parent / "bases")
    most_tokens = getattr(base.config, "max_position_embeddings", None)
    given = [
        []
        if name is None
        else read_examples(job.file(name), tokenizer, method=order.method, most_tokens=most_tokens, weighted=weighted)
        for name, weighted in ((order.training_file, True), (order.validation_file, False))
    ]
    training = Training(job, order, base, *given)
    while training.step < training.steps:
        if job.is_to_cancel():
            return Ended(JobState.CANCELLED, tokens=training.tokens, error="cancelled before it was done")
        training.take_step()
    write_folder(job.adapter, lambda folder: training.save(folder, tokenizer))
    return Ended(JobState.SUCCEEDED, tokens=training.tokens)


class Training:
    """A model on its way: `step` of `steps` are done, on `tokens` tokens. On the CPU the same order always gives the same adapter."""

    def __init__(self, job: JobFolder, order: Order, base: Any, examples: Sequence[Example], validation: Sequence[Example]) -> None:
        self._job, self._order, self._examples, self._validation = job, order, examples, validation
        self._objective = OBJECTIVES[order.method]
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = self._with_adapter(base).to(self._device)
        self._parameters = [each for each in self._model.parameters() if each.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, lr=order.learning_rate, weight_decay=0.0)
        self._lengths = [example.padded for example in examples]
        self._batches = self._batches_of(0)
        self.steps = order.epochs * len(self._batches)
        self.step, self.tokens = 0, 0
        self._resume()

    def take_step(self) -> None:
        """Learn a batch, and write down its loss; at the end of an epoch also the validation's."""
        epoch, place = divmod(self.step, len(self._batches))
        if place == 0:
            self._batches = self._batches_of(epoch)
        loss = self._learn(self._batches[place])
        self.step += 1
        self._tell(training=loss)
        ends_epoch = self.step % len(self._batches) == 0
        if ends_epoch:
            self._validate()
        if ends_epoch or time.monotonic() > self._saved_at + _CHECKPOINT_SECONDS:
            self._save_checkpoint()

    def save(self, folder: Path, tokenizer: Any) -> None:
        """The adapter as PEFT and vLLM read it, with the tokenizer and its chat template."""
        self._write_adapter(folder)
        tokenizer.save_pretrained(folder)

    def _with_adapter(self, base: Any) -> Any:
        checkpoint = self._job.checkpoint()
        if checkpoint is not None:
            return PeftModel.from_pretrained(base, checkpoint / ADAPTER, is_trainable=True)
        order = self._order
        torch.manual_seed(order.seed)
        shape = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=order.rank, lora_alpha=order.alpha)
        return get_peft_model(base, shape)

    def _resume(self) -> None:
        checkpoint = self._job.checkpoint()
        if checkpoint is not None:
            state = torch.load(checkpoint / "state.pt", weights_only=True)
            self.step, self.tokens = state["step"], state["tokens"]
            self._optimizer.load_state_dict(state["optimizer"])
        self._saved_at = time.monotonic()
        self._job.forget_points_after(self.step)
        if checkpoint is None:
            self._validate()
        else:
            self._batches = self._batches_of(self.step // len(self._batches))

    def _batches_of(self, epoch: int) -> list[list[int]]:
        return epoch_batches(self._lengths, self._order.batch_size, seed=self._order.seed, epoch=epoch)

    def _learn(self, batch: Sequence[int]) -> float:
        torch.manual_seed(
            self._order.seed + self.step
        )  # what a base drops at random is the same, wherever the training was interrupted
        for group in self._optimizer.param_groups:
            group["lr"] = self._order.learning_rate * rate_at(self.step, self.steps)
        self._model.train()
        told, count = 0.0, 0
        for part in slices(batch, self._lengths, _TOKENS_AT_ONCE):
            examples = [self._examples[number] for number in part]
            losses, part_told, part_count = self._objective(self._model, examples)
            weights = torch.tensor([example.weight for example in examples], device=self._device)
            ((losses * weights).sum() / len(batch)).backward()
            told, count = told + part_told, count + part_count
            self.tokens += sum(example.tokens for example in examples)
        torch.nn.utils.clip_grad_norm_(self._parameters, _LARGEST_GRADIENT)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        if not abs(told) < float("inf"):
            raise PermanentTrainingError(f"the loss is no number any more at step {self.step + 1}; lower FLYWHEEL_LEARNING_RATE")
        return told / count

    def _validate(self) -> None:
        if not self._validation:
            return
        self._model.eval()
        told, count = 0.0, 0
        lengths = [example.padded for example in self._validation]
        with torch.no_grad():
            for part in slices(range(len(lengths)), lengths, _TOKENS_AT_ONCE):
                _, part_told, part_count = self._objective(self._model, [self._validation[number] for number in part])
                told, count = told + part_told, count + part_count
        self._tell(validation=told / count)

    def _tell(self, **losses: float) -> None:
        self._job.add_point(Point(self.step, self.steps, self.tokens, **losses))

    def _save_checkpoint(self) -> None:
        def write(folder: Path) -> None:
            self._write_adapter(folder / ADAPTER)
            state = {"step": self.step, "tokens": self.tokens, "optimizer": self._optimizer.state_dict()}
            torch.save(state, folder / "state.pt")

        self._job.save_checkpoint(self.step, write)
        self._saved_at = time.monotonic()

    def _write_adapter(self, folder: Path) -> None:
        # What is said of embeddings keeps peft from asking the hub whether the vocabulary grew: all-linear leaves it as it is.
        self._model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # an empty form of a model card
