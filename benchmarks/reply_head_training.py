"""Trains the reply head on the replies written for it and writes flywheel_dagster/replies/head/weights.npz: python -m benchmarks.reply_head_training.

Run it again whenever rules, phrases, training replies or the encoder change; needs the extra `head`. The test part is not read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.measuring import console, seconds
from flywheel_dagster.replies.head.training import Fit, fit
from flywheel_dagster.replies.head.weights import FILE
from flywheel_dagster_tests.replies.corpus import load
from flywheel_dagster_tests.replies.corpus.counterparts import group_of


def training_replies() -> list[dict[str, Any]]:
    """All that the shipped head is made on."""
    return [*load("train"), *load("head")]


def trained(replies: Sequence[Mapping[str, Any]], *, strength: float | None = None) -> Fit:
    """The head of these; replies that the rules weren't made on decide, all of them where there are none such."""
    unseen = [reply["id"].startswith("c") for reply in replies]
    return fit(
        replies, [group_of(reply["id"]) for reply in replies], unseen if any(unseen) else [True] * len(replies), strength=strength
    )


def main() -> None:
    """Train, write, tell."""
    took, found = seconds(lambda: trained(training_replies()))
    content = found.weights.as_bytes()
    FILE.write_bytes(content)
    console.print(f"{FILE.name}: {len(content) / 1_000:,.0f} kB from {found.weights.origin.replies:,} replies in {took:,.0f} s")
    for strength, accuracy in found.accuracies.items():
        console.print(
            f"strength {strength}: mean accuracy held out {accuracy:.3f}{' (taken)' if strength == found.strength else ''}"
        )
    console.print(f"sharpness: {', '.join(f'{each:.1f}' for each in found.weights.sharpness)}")


if __name__ == "__main__":
    main()
