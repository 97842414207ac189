"""A chat model of a few thousand random weights in the form that open weights are published in: it says nothing of sense, in no time."""

from pathlib import Path

_END = "<|im_end|>"
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}" + _END + "\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tiny_base(folder: Path) -> Path:
    """Write its weights, its tokenizer of single bytes and its chat template. Wants the extra `lora`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bytes_only = Tokenizer(models.BPE())
    bytes_only.pre_tokenizer, bytes_only.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = trainers.BpeTrainer(
        special_tokens=["<|im_start|>", _END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bytes_only.train_from_iterator([], alphabet)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_only, eos_token=_END, pad_token=_END, chat_template=_TEMPLATE)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=2_048, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
