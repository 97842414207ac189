"""A language model of a few thousand random weights, with one token a byte, and datasets so plain that it learns them in seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTEXT = 256  # tokens


def make_tokenizer() -> Any:
    """Bytes, and ChatML's two marks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={sign: number for number, sign in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", chat_template=TEMPLATE
    )


def make_base(folder: Path, *, context: int = CONTEXT) -> Path:
    """Write a Llama with two layers, as `from_pretrained` reads it. Wants the extra `lora`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(5)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_dataset(
    folder: Path, *, said: Sequence[str] = ("abab", "cdcd"), weights: Sequence[float] = (1.0, 1.0), method: str = "supervised"
) -> None:
    """Write train.jsonl, validation.jsonl and their manifest; what is said and what it weighs takes turns from line to line."""
    folder.mkdir(parents=True)
    rows = []
    for side, count in (("train", 16), ("validation", 4)):
        examples = [
            _pair(number, *said) if method == "dpo" else _example(number, said[number % len(said)]) for number in range(count)
        ]
        (folder / f"{side}.jsonl").write_bytes(b"".join(orjson.dumps(example) + b"\n" for example in examples))
        rows += [
            {"side": side, "part": "example", "line": number + 1, "copies": 1, "training_weight": weights[number % len(weights)]}
            for number in range(count)
        ]
    (folder / "manifest.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))


def prompt(number: int) -> list[dict[str, str]]:
    """What is asked."""
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": f"Write to lead {number}"}]


def _example(number: int, said: str) -> dict[str, Any]:
    return {"messages": [*prompt(number), {"role": "assistant", "content": said}]}


def _pair(number: int, preferred: str, other: str) -> dict[str, Any]:
    return {
        "input": {"messages": prompt(number), "tools": [], "parallel_tool_calls": True},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }
