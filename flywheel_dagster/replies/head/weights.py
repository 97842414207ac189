"""The head's weights as plain data (weights.npz, no pickle), with what they were made on and with. How they are made is training's matter."""

import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flywheel_dagster.errors import SettingsError
from flywheel_dagster.replies.analysis import InterestLevel, Objection, Sentiment
from flywheel_dagster.replies.head.encoder import EXTRA, NAME, encoder_version
from flywheel_dagster.replies.head.features import BLOCKS
from flywheel_dagster.replies.rules.classify import RULES_VERSION, SIGNALS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEAD_VERSION = 1
FILE = Path(__file__).parent / "weights.npz"
TASKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sentiment_label", tuple(each.value for each in Sentiment)),
    ("interest_level", tuple(each.value for each in InterestLevel)),
    ("objection_type", tuple(each.value for each in Objection)),
)
REMEDY = "train it again by python -m benchmarks.reply_head_training, or set FLYWHEEL_REPLY_HEAD=off"


@dataclass(frozen=True)
class Origin:
    """What the weights were made on and with; anything that differs from what is installed makes them worthless."""

    head_version: int
    encoder: str
    encoder_version: str
    rules_version: int
    signals: tuple[str, ...]
    replies: int
    replies_sha256: str  # of the training replies with their labels
    signals_sha256: str  # of the rules' signals on them


@dataclass(frozen=True)
class Weights:
    """Scores of every label of TASKS are features @ matrix + intercept; `sharpness`, one a task, makes log-odds of them.

    `possible` has a row for each combination of labels, one a task, that occurs: indices into the labels of TASKS.
    """

    origin: Origin
    matrix: "NDArray[np.float32]"
    intercept: "NDArray[np.float32]"
    sharpness: "NDArray[np.float32]"
    possible: "NDArray[np.int8]"

    @property
    def name(self) -> str:
        """The head's name as analyses give it."""
        return f"head-{self.origin.head_version} {self.origin.encoder}"

    def as_bytes(self) -> bytes:
        """The file's content."""
        import numpy as np

        told = np.array(json.dumps(asdict(self.origin), sort_keys=True))
        buffer = BytesIO()
        np.savez_compressed(
            buffer, origin=told, matrix=self.matrix, intercept=self.intercept, sharpness=self.sharpness, possible=self.possible
        )
        return buffer.getvalue()


@cache
def shipped_weights() -> Weights:
    """The weights in the package, checked against what is installed. Raises SettingsError for those made with something else."""
    weights = read_weights(resources.files(__package__).joinpath(FILE.name).read_bytes())
    check_origin(weights.origin, encoder=encoder_version())
    return weights


def read_weights(content: bytes) -> Weights:
    """The weights of a file. Raises SettingsError for a content that is none."""
    import numpy as np

    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            told: dict[str, Any] = json.loads(str(file["origin"]))
            origin = Origin(**told | {"signals": tuple(told["signals"])})
            weights = Weights(origin, file["matrix"], file["intercept"], file["sharpness"], file["possible"])
    except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
        raise SettingsError(f"the reply head's weights can't be read; {REMEDY}") from error
    columns, labels = sum(width for _, width in BLOCKS), sum(len(values) for _, values in TASKS)
    if (
        weights.matrix.shape != (columns, labels)
        or weights.intercept.shape != (labels,)
        or weights.sharpness.shape != (len(TASKS),)
    ):
        raise SettingsError(f"the reply head's weights have the shape {weights.matrix.shape}, not {(columns, labels)}; {REMEDY}")
    return weights


def check_origin(origin: Origin, *, encoder: str | None) -> None:
    """Raises SettingsError where weights were made with another encoder, other rules or another head than are installed."""
    if encoder is None:
        raise SettingsError(f"the reply head is not installed; {EXTRA}, or set FLYWHEEL_REPLY_HEAD=auto")
    for what, made, found in (
        ("head", origin.head_version, HEAD_VERSION),
        ("encoder", origin.encoder, NAME),
        ("encoder's version", origin.encoder_version, encoder),
        ("rules", origin.rules_version, RULES_VERSION),
        ("rules' signals", origin.signals, SIGNALS),
    ):
        if made != found:
            raise SettingsError(f"the reply head's weights were made for another {what}: {made}, here is {found}; {REMEDY}")
