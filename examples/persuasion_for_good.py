"""Turns the PersuasionForGood corpus into past outcomes that `flywheel import` takes: real messages with real results.

The corpus (Wang et al., ACL 2019, Apache-2.0, https://gitlab.com/ucdavisnlp/persuasionforgood) holds dialogues in which one person asks
another for a donation. The first turn with a persuasion strategy is the message, that strategy its framework, the next turn of the other
person the reply, and a donation that was really made a closed deal of that value.

    python examples/persuasion_for_good.py 300_dialog.csv 300_info.csv > donations.jsonl
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

STRATEGIES = {
    "credibility-appeal", "logical-appeal", "emotion-appeal", "self-modeling", "foot-in-the-door", "personal-story",
    "donation-information", "proposition-of-donation",
}  # fmt: skip
WILLING = {
    "agree-donation",
    "positive-reaction-to-donation",
    "provide-donation-amount",
    "ask-donation-procedure",
    "confirm-donation",
}
UNWILLING = {"disagree-donation", "negative-reaction-to-donation", "disagree-donation-more"}


def outcomes(dialogs: str, info: str) -> Iterator[dict[str, Any]]:
    """One outcome a dialogue, in the columns of `outcome_labels`."""
    with open(info, encoding="utf-8") as file:
        people = {(row["B2"], row["B4"]): row for row in csv.DictReader(file)}
    turns: dict[str, dict[tuple[int, str], list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    with open(dialogs, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            turns[row["B2"]][int(row["Turn"]), row["B4"]].append(row)
    for dialog, spoken in turns.items():
        pitch = next((key for key in sorted(spoken) if key[1] == "0" and strategy(spoken[key])), None)
        if pitch is None:
            continue
        lead = people[dialog, "1"]
        sent = datetime.strptime(dialog[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        given = float(lead["B6"] or 0)
        answer = spoken.get((pitch[0], "1"), [])
        acts = {row["ee_label_1"] for row in answer}
        label = "positive" if acts & WILLING else "negative" if acts & UNWILLING else "neutral"
        yield {
            "organization_id": "persuasion-for-good",
            "campaign_id": "save-the-children",
            "lead_id": lead["B3"],
            "channel": "chat",
            "message_body": text(spoken[pitch]),
            "framework": strategy(spoken[pitch]),
            "sent_at": sent.isoformat(),
            "delivered": True,
            "replied": bool(answer),
            **({"reply_text": text(answer), "replied_at": (sent + timedelta(minutes=1)).isoformat()} if answer else {}),
            **(
                {"sentiment_label": label, "interest_signal": label == "positive", "classification_method": "human"}
                if answer
                else {}
            ),
            "deal_closed": given > 0,
            "deal_lost": given == 0,
            **({"deal_value": f"{given:.2f}", "deal_currency": "USD"} if given > 0 else {}),
            f"deal_{'closed' if given > 0 else 'lost'}_at": (sent + timedelta(minutes=20)).isoformat(),
        }


def strategy(turn: list[dict[str, str]]) -> str | None:
    """The first persuasion strategy of a turn."""
    return next((row["er_label_1"] for row in turn if row["er_label_1"] in STRATEGIES), None)


def text(turn: list[dict[str, str]]) -> str:
    """What was said in a turn."""
    return " ".join(row["Unit"].strip() for row in turn)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    for outcome in outcomes(*sys.argv[1:]):
        print(json.dumps(outcome, ensure_ascii=False))
