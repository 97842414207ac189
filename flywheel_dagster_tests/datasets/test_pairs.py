"""Preference pairs: who is matched with whom, what is left out, and the two formats."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.dpo_format import dpo_problems
from flywheel_dagster.datasets.files import SIDES, verify
from flywheel_dagster.datasets.gates import no_group_on_both_sides, no_lead_on_both_sides
from flywheel_dagster.datasets.kto_format import kto_problems
from flywheel_dagster.datasets.pairs import assemble_pairs, pair_of
from flywheel_dagster.datasets.published import Dataset, current_dataset
from flywheel_dagster.datasets.selection import Selection
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.outcomes.ledger import record, send
from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.outcomes.weeks import monday
from flywheel_dagster_tests.outcomes.making import MONDAY, event, message

Connection = psycopg.Connection[TupleRow]
WEEK = monday(MONDAY)
ALL_TRAIN = Selection(validation_share=0, test_share=0, as_of=WEEK + timedelta(days=100))
_WORDS = [
    "apple",
    "boat",
    "cloud",
    "dance",
    "eagle",
    "forest",
    "glass",
    "honey",
    "island",
    "jungle",
    "kettle",
    "lemon",
    "mirror",
    "night",
    "ocean",
    "pepper",
    "quilt",
    "river",
    "stone",
    "table",
]


def text(number: int) -> str:
    """Messages of quite different words."""
    return " ".join(_WORDS[(number * step) % len(_WORDS)] + str(number) for step in range(1, 9))


def write(connection: Connection, kind: str, count: int, begin: int = 0, **given: Any) -> list[SentMessage]:
    usual: dict[str, Any] = {"lead_industry": "SaaS", "lead_role": "VP Sales", "framework": "PAS"}
    sent = [
        message(
            **usual
            | {"lead_id": f"{kind} {number}", "message_body": text(number), "sent_at": MONDAY + timedelta(minutes=number)}
            | given
        )
        for number in range(begin, begin + count)
    ]
    send(connection, sent)
    record(connection, [event(each.id, kind, 2, score="-0.8", label="negative", text="no") for each in sent])
    connection.execute("update organizations set allows_global_training = true where id = 'acme'")
    connection.commit()
    return sent


def build(connection: Connection, folder: Path, selection: Selection = ALL_TRAIN, scope: str = "global") -> Dataset:
    score_weeks(connection, WEEK, WEEK + timedelta(weeks=8))
    return assemble_pairs(connection, scope, folder, selection)


def lines(dataset: Dataset, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (dataset.directory / name).read_text().splitlines()]


def test_a_winner_meets_a_loser_of_the_same_audience(connection: Connection, tmp_path: Path) -> None:
    write(connection, "meeting_booked", 3)
    write(connection, "unsubscribed", 2, 10, framework="AIDA")
    dataset = build(connection, tmp_path)
    assert (dataset.kind, dataset.train_examples) == ("preference", 2)
    assert dataset.dropped == {"no counterpart of the same audience": 1}
    first = lines(dataset, "train.jsonl")[0]
    assert first["input"]["messages"][1]["content"] == "Write a message for:\nIndustry: SaaS\nRole: VP Sales\nChannel: email"
    assert [side[0]["content"] for side in (first["preferred_output"], first["non_preferred_output"])] == [text(0), text(10)]
    rows = lines(dataset, "kto_train.jsonl")
    assert [(row["completion"][0]["content"], row["label"]) for row in rows[:2]] == [(text(0), True), (text(10), False)]
    assert rows[0]["prompt"] == first["input"]["messages"]


def test_audiences_differ_by_organization_channel_industry_role_and_age(connection: Connection, tmp_path: Path) -> None:
    write(connection, "deal_closed", 1)
    other = {"organization_id": "beta"}, {"channel": "sms"}, {"lead_industry": "Mining"}, {"lead_role": "CEO"}
    for number, differs in enumerate(other, 1):
        write(connection, "unsubscribed", 1, number, **differs)
    write(connection, "unsubscribed", 1, 9, sent_at=MONDAY + timedelta(weeks=5))
    connection.execute("update organizations set allows_global_training = true")
    dataset = build(connection, tmp_path)
    assert (dataset.examples, dataset.dropped) == (0, {"no counterpart of the same audience": 6})
    write(connection, "unsubscribed", 1, 10, lead_industry="saas ".strip())
    assert build(connection, tmp_path).examples == 1


def test_a_bounce_teaches_nothing_and_silence_only_when_it_lasted(connection: Connection, tmp_path: Path) -> None:
    write(connection, "meeting_booked", 4)
    write(connection, "bounced", 2, 10)
    write(connection, "delivered", 2, 20)
    early = build(connection, tmp_path, Selection(validation_share=0, test_share=0, as_of=WEEK + timedelta(days=20)))
    assert early.dropped == {
        "no counterpart of the same audience": 4,
        "never received": 2,
        "silent, and its window has not passed": 2,
    }
    assert build(connection, tmp_path).train_examples == 2


def test_the_same_words_do_not_win_against_themselves(connection: Connection, tmp_path: Path) -> None:
    write(connection, "meeting_booked", 1, message_body=text(1) + " today")
    write(connection, "unsubscribed", 1, message_body=text(1) + " today!")
    assert build(connection, tmp_path).dropped == {"near-duplicate of its counterpart": 2}


def test_pairs_keep_to_the_split_the_limit_and_the_cap_and_everyone_is_accounted_for(
    connection: Connection, tmp_path: Path
) -> None:
    write(connection, "meeting_booked", 60)
    write(connection, "unsubscribed", 60, 100)
    write(connection, "replied", 5, 200)
    selection = Selection(validation_share=0.3, test_share=0.2, limit=25, as_of=ALL_TRAIN.as_of)
    dataset = build(connection, tmp_path, selection)
    assert dataset.examples == 25 and dataset.validation_examples and dataset.test_examples
    assert 2 * dataset.examples + sum(dataset.dropped.values()) == dataset.candidates == 125
    verify(dataset)
    assert no_lead_on_both_sides(connection, dataset).passed
    assert no_group_on_both_sides(connection, dataset).passed
    for name in SIDES.values():
        assert dpo_problems(dataset.directory / name) == []
        assert kto_problems(dataset.directory / f"kto_{name}") == []
    assert current_dataset(connection, "global", tmp_path, kind="preference") == dataset
    assert current_dataset(connection, "global", tmp_path) is None
    assert connection.execute("select count(*) from outcome_labels where included_in_training").fetchone() == (50,)
    assert build(connection, tmp_path, selection).hash == dataset.hash


def test_one_winners_template_fills_no_more_than_its_cap(connection: Connection, tmp_path: Path) -> None:
    write(connection, "meeting_booked", 10, message_body=text(1))
    write(connection, "unsubscribed", 10, 100)
    dataset = build(connection, tmp_path, Selection(validation_share=0, test_share=0, group_cap=3, as_of=ALL_TRAIN.as_of))
    assert (dataset.train_examples, dataset.dropped) == (3, {"beyond the cap of near-duplicates": 14})


def test_the_request_of_a_pair_is_what_both_have_in_common() -> None:
    def example(asked: str, said: str) -> dict[str, Any]:
        return {
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": asked},
                {"role": "assistant", "content": said},
            ]
        }

    prompt, won, lost = pair_of(
        example("Write a message for:\nRole: CEO\nTone: warm", "yes"),
        example("Write a message that fails with:\nRole: CEO\nTone: cold", "no"),
    )
    assert prompt[1]["content"] == "Write a message for:\nRole: CEO"
    assert (won, lost) == ("yes", "no")
