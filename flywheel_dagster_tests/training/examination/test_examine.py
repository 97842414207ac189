"""An examination: a healthy model passes, each criterion fails a model that is made to fail it, and nothing is asked, or paid for, twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import psycopg
import pytest
from psycopg.rows import TupleRow

from flywheel_dagster.database import connect
from flywheel_dagster.datasets.files import MANIFEST, TEST, TRAIN
from flywheel_dagster.datasets.pairs import assemble_pairs
from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.datasets.weeks import score_weeks
from flywheel_dagster.errors import InputError, ModelError, PermanentModelError, TransientModelError
from flywheel_dagster.models.chat import Answer, Messages
from flywheel_dagster.models.openai_chat import OpenAIChat
from flywheel_dagster.outcomes.ledger import record
from flywheel_dagster.training.examination import asking, report
from flywheel_dagster.training.examination.asking import Examinee
from flywheel_dagster.training.examination.examine import examine
from flywheel_dagster.training.examination.examples import read_examples, read_members
from flywheel_dagster.training.examination.report import Examination, Limits
from flywheel_dagster_tests.conftest import Database
from flywheel_dagster_tests.outcomes.making import MONDAY, event
from flywheel_dagster_tests.sandbox.model_server.served import Served
from flywheel_dagster_tests.training.examination.making import HALF, HOOK, Scripted, build, spoiling, write_outcomes

Connection = psycopg.Connection[TupleRow]
LIMITS = Limits(min_prompts=30, max_prompts=50, concurrency=4)
HARD = ["answers", "usable answers", "length", "format", "placeholders", "outcome text", "personal data", "names", "copied text"]


def verdicts(examination: Examination) -> dict[str, str]:
    return {each.name: each.verdict for each in examination.findings.criteria}


def members(connection: Connection, dataset: Dataset) -> list[tuple[UUID, str]]:
    found = connection.execute("select outcome_id, side from dataset_members where dataset_hash = %s", (dataset.hash,)).fetchall()
    connection.commit()
    return [(outcome, side) for outcome, side in found]


def twin_of(outcome: UUID) -> UUID:
    """The outcome of the lead who got the same message."""
    for number in range(80):
        won, twin = (uuid5(NAMESPACE_URL, f"acme/{kind}/{number}") for kind in ("won", "twin"))
        if outcome in (won, twin):
            return won if outcome == twin else twin
    raise LookupError(outcome)


def answer_with(text: str = "", refusal: str | None = None, finish_reason: str = "stop") -> Callable[[Messages, int], Answer]:
    return lambda messages, seed: Answer(text, refusal, finish_reason, 50, 0, 0.5)


def test_a_healthy_first_model_passes_and_what_cannot_be_judged_is_insufficient(connection: Connection, dataset: Dataset) -> None:
    chat = Scripted()
    told: list[tuple[str, int, int]] = []
    done = examine(connection, "acme", dataset, chat.examinee(), limits=LIMITS, progress=lambda *each: told.append(each))
    assert verdicts(done) == dict.fromkeys(HARD, "passed") | {"reward model": "insufficient"}
    assert (done.passed, done.new, done.prompts, done.control_model_id) == (True, True, 50, None)
    assert done.findings.compared_with == "the messages that people sent"
    assert [each.baseline for each in done.findings.criteria if each.name in HARD[2:]] == [0.0] * 7
    assert (len(chat.asked), told[-1], chat.closed) == (50, ("candidate", 50, 50), True)
    assert {row["name"] for row in done.rows()} == {*HARD, "reward model"}
    assert all(each["explanation"] and each["comparison"] in ("<=", ">=") for each in done.rows())


def test_the_requests_are_those_of_the_test_side_and_the_same_each_time(connection: Connection, dataset: Dataset) -> None:
    one, other = Scripted(name="one"), Scripted(name="other")
    for chat in (one, other):
        examine(connection, "acme", dataset, chat.examinee(), limits=LIMITS)
    assert sorted(one.asked) == sorted(other.asked)
    assert {asked for asked, _ in one.asked} <= {each.request[-1]["content"] for each in read_examples(dataset, TEST)}
    assert len({seed for _, seed in one.asked}) == 50


FAILING: dict[str, tuple[str, Callable[[Messages, int], Any]]] = {
    "empty": ("usable answers", answer_with("  ")),
    "refused": ("usable answers", answer_with(refusal="I can't help with that.")),
    "cut off": ("usable answers", answer_with("Hi {{first_name}}, we", finish_reason="length")),
    "too long": ("length", spoiling(lambda text: text + "\n\n" + text * 3)),
    "too short": ("length", lambda messages, seed: "Subject: Hi\n\nHi {{first_name}}" if "email" in messages[-1]["content"] else "Hi {{first_name}}"),
    "no subject": ("format", spoiling(lambda text: text.partition("\n\n")[2] if text.startswith("Subject") else text)),
    "a subject on linkedin": ("format", spoiling(lambda text: text if text.startswith("Subject") else f"Subject: You\n\n{text}")),
    "chatter": ("format", spoiling(lambda text: f"Sure! Here is a message:\n\n{text}")),
    "markdown": ("format", spoiling(lambda text: text.replace("Shall we", "**Shall we**"))),
    "invented field": ("placeholders", spoiling(lambda text: text.replace("Tuesday", "{{favourite_day}}"))),
    "broken field": ("placeholders", spoiling(lambda text: text.replace("{{first_name}}", "{{first_name}"))),
    "missing field": ("placeholders", spoiling(lambda text: text.replace(" {{first_name}}", " there"))),
    "gap": ("placeholders", spoiling(lambda text: f"{text}\n\n[Your Name]")),
    "outcome": ("outcome text", spoiling(lambda text: f"{text}\n\n**Outcome:** Deal closed: $15,000", every=25)),
    "score": ("outcome text", spoiling(lambda text: f"{text}\n\nquality_score: 0.85", every=25)),
    "address": ("personal data", spoiling(lambda text: f"{text} Write to jane.doe@mail.example.com", every=25)),
    "phone": ("personal data", spoiling(lambda text: f"{text} Call +49 30 901820.", every=25)),
    "card": ("personal data", spoiling(lambda text: f"{text} Pay with 4111 1111 1111 1111.", every=25)),
    "iban": ("personal data", spoiling(lambda text: f"{text} To DE89 3704 0044 0532 0130 00.", every=25)),
    "name": ("names", spoiling(lambda text: text.replace("Hi {{first_name}}", "Hi Jonas and {{first_name}}"), every=5)),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAILING)
def test_a_model_that_is_made_to_fail_a_criterion_fails_it(connection: Connection, dataset: Dataset, kind: str) -> None:
    criterion, say = FAILING[kind]
    done = examine(connection, "acme", dataset, Scripted(say).examinee(), limits=LIMITS)
    assert not done.passed
    assert criterion in [each.name for each in done.failed]
    assert ("answers" in [each.name for each in done.failed]) == (kind in ("empty", "refused", "cut off"))
    if kind not in ("too short", "too long", "empty", "refused", "cut off", "outcome"):  # these spoil more than one thing
        assert [each.name for each in done.failed] == [criterion]


def test_a_model_that_copies_training_messages_fails(connection: Connection, dataset: Dataset) -> None:
    learnt = list(read_examples(dataset, TRAIN))

    def copy(messages: Messages, seed: int) -> str:
        channel = "linkedin" if "linkedin" in messages[-1]["content"] else "email"
        fitting = [each.text for each in learnt if channel in each.request[-1]["content"]]
        return fitting[seed % len(fitting)].replace("Tuesday", "Friday")

    done = examine(connection, "acme", dataset, Scripted(copy).examinee(), limits=LIMITS)
    assert [each.name for each in done.failed] == ["copied text"]


def test_a_model_that_names_a_lead_it_learnt_from_fails(connection: Connection, dataset: Dataset) -> None:
    connection.execute("update leads set first_name = 'Ottilie', last_name = 'van der Brugge' where lead_id = 'won-7'")
    connection.commit()
    say = spoiling(lambda text: f"{text} As with ottilie van der Brugge.", every=25)
    done = examine(connection, "acme", dataset, Scripted(say).examinee(), limits=LIMITS)
    assert [each.name for each in done.failed] == ["personal data"]
    assert "Ottilie" not in str(done.rows())


def test_with_few_prompts_hard_criteria_block_and_soft_ones_do_not(connection: Connection, dataset: Dataset) -> None:
    few, judge = Limits(30, 12, 4), Scripted(lambda messages, seed: "B", name="judge")
    done = examine(connection, "acme", dataset, Scripted().examinee(), Scripted(name="c").examinee(), limits=few, judge=judge)
    assert (done.passed, verdicts(done)["LLM judge"], verdicts(done)["reward model"]) == (True, "insufficient", "insufficient")
    leaking = Scripted(spoiling(lambda text: f"{text} ada@mail.example.com"), name="leaking").examinee()
    assert not examine(connection, "acme", dataset, leaking, limits=few).passed


def test_the_same_examination_gives_the_stored_report_and_asks_nobody(connection: Connection, dataset: Dataset) -> None:
    first = examine(connection, "acme", dataset, Scripted().examinee(), Scripted(name="control").examinee(), limits=LIMITS)
    again = Scripted()
    second = examine(connection, "acme", dataset, again.examinee(), Scripted(name="control").examinee(), limits=LIMITS)
    assert second == replace(first, new=False)
    assert (again.asked, again.closed) == ([], True)
    assert connection.execute("select count(*) from model_examinations").fetchone() == (1,)


def test_another_control_or_other_limits_are_another_examination_with_the_same_answers(
    connection: Connection, dataset: Dataset
) -> None:
    examine(connection, "acme", dataset, Scripted().examinee(), limits=LIMITS)
    chat, control = Scripted(), Scripted(name="control")
    other = examine(connection, "acme", dataset, chat.examinee(), control.examinee(), limits=LIMITS)
    assert (other.new, other.control_model_id, chat.asked, len(control.asked)) == (True, "control", [], 50)
    assert examine(connection, "acme", dataset, Scripted().examinee(), limits=replace(LIMITS, max_prompts=40)).prompts == 40
    candidate, control = Scripted(name="next"), Scripted(name="control")
    examine(connection, "acme", dataset, candidate.examinee(), control.examinee(), limits=LIMITS)
    assert (len(candidate.asked), control.asked) == (50, [])


@pytest.mark.parametrize("concurrency", [1, 7])
@pytest.mark.parametrize("fails_at", [1, 2, 50])
def test_killed_in_the_middle_it_goes_on_without_asking_again(
    connection: Connection, dataset: Dataset, fails_at: int, concurrency: int
) -> None:
    limits = replace(LIMITS, concurrency=concurrency)
    killed = Scripted(fails_at=fails_at)
    with pytest.raises(ConnectionError):
        examine(connection, "acme", dataset, killed.examinee(), limits=limits)
    assert killed.closed
    assert connection.execute("select count(*) from model_answers").fetchone() == (len(killed.asked),)
    assert connection.execute("select count(*) from model_examinations").fetchone() == (0,)
    connection.commit()
    going_on = Scripted()
    assert examine(connection, "acme", dataset, going_on.examinee(), limits=limits).passed
    assert len({*killed.asked, *going_on.asked}) == len(killed.asked) + len(going_on.asked) == 50


def test_two_at_the_same_time_ask_once_and_have_the_same_report(database: Database, dataset: Dataset) -> None:
    chats = [Scripted(), Scripted()]

    def run(chat: Scripted) -> Examination:
        with connect(database.addresses.service) as connection:
            return examine(connection, "acme", dataset, chat.examinee(), limits=LIMITS)

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(run, chats)
    assert one.id == other.id
    assert sorted(len(chat.asked) for chat in chats) == [0, 50]


def test_characters_that_the_database_cannot_hold_break_nothing(connection: Connection, dataset: Dataset) -> None:
    def odd(messages: Messages, seed: int) -> Answer:
        return Answer(f"{seed}\x00 \ud800", "\x00no\ud800", "\x00odd\udfff", 50, 60, 0.5)

    assert examine(connection, "acme", dataset, Scripted(odd).examinee(), limits=LIMITS).prompts == 50
    kept = connection.execute("select distinct right(text, 2), refusal, finish_reason from model_answers").fetchall()
    assert kept == [(" ?", "no?", "odd?")]


def test_a_judge_that_prefers_a_place_gives_ties_and_one_that_prefers_the_control_blocks(
    connection: Connection, dataset: Dataset
) -> None:
    def always_a(messages: Messages, seed: int) -> str:
        return "A"

    def prefers_hook(messages: Messages, seed: int) -> str:
        one, _, other = messages[-1]["content"].partition("<message_b>")
        return "T" if (HOOK in one) == (HOOK in other) else "A" if HOOK in one else "B"

    control = spoiling(lambda text: text.replace("Shall we", f"{HOOK} Shall we"))

    def judged(say: Callable[[Messages, int], str], name: str) -> Examination:
        judge = Scripted(say, name=name)
        done = examine(
            connection,
            "acme",
            dataset,
            Scripted().examinee(),
            Scripted(control, name="hooked").examinee(),
            limits=LIMITS,
            judge=judge,
        )
        assert len(judge.asked) == 100
        return done

    tied, lost = judged(always_a, "always a"), judged(prefers_hook, "fond of the hook")
    assert (tied.passed, tied.findings.criteria[-1].value) == (True, 0.5)
    assert (lost.passed, lost.findings.criteria[-1].value) == (False, 0.0)
    assert [each.name for each in lost.failed] == ["LLM judge"]


def test_the_reward_model_blocks_a_candidate_that_lacks_what_wins(connection: Connection, database: Database) -> None:
    write_outcomes(connection, 160, hooked=0.8)
    write_outcomes(connection, 160, kind="lost", hooked=0.1, wins=False)
    dataset = build(connection, database.settings.training_data_dir)
    hooked = Scripted(spoiling(lambda text: text.replace("Shall we", f"{HOOK}\n\nShall we")), name="hooked")
    worse = examine(connection, "acme", dataset, Scripted().examinee(), hooked.examinee(), limits=LIMITS)
    better = examine(connection, "acme", dataset, Scripted(hooked.say, name="hooked").examinee(), limits=LIMITS)
    assert [each.name for each in worse.failed] == ["reward model"]
    assert (better.passed, verdicts(better)["reward model"]) == (True, "passed")
    report = worse.findings.reward
    assert report.why_not is None
    assert report.auc is not None and report.auc > 0.8
    assert report.brier is not None and report.brier_base is not None and report.brier < report.brier_base
    assert all(abs(each.predicted - each.observed) < 0.2 for each in report.calibration)


def test_requests_for_messages_that_fail_are_not_asked(connection: Connection, database: Database) -> None:
    write_outcomes(connection, 60)
    write_outcomes(connection, 40, kind="bounced", wins=False)
    connection.execute("update outcome_labels set spam_reported = true where lead_id like 'bounced-%'")
    connection.commit()
    dataset = build(connection, database.settings.training_data_dir, replace(HALF, negatives=True))
    chat = Scripted()
    done = examine(connection, "acme", dataset, chat.examinee(), limits=replace(LIMITS, max_prompts=200))
    assert done.prompts == len(chat.asked) < dataset.test_examples
    assert not any("fails" in asked for asked, _ in chat.asked)


def test_on_preference_pairs_the_requests_are_those_of_the_pairs(connection: Connection, database: Database) -> None:
    write_outcomes(connection, 150)
    write_outcomes(connection, 150, kind="lost", wins=False)
    score_weeks(connection, MONDAY.date(), MONDAY.date())
    dataset = assemble_pairs(connection, "acme", database.settings.training_data_dir, HALF)
    chat = Scripted()
    done = examine(connection, "acme", dataset, chat.examinee(), limits=LIMITS)
    assert (done.prompts, [each.name for each in done.failed]) == (min(50, dataset.test_examples), [])
    assert {asked for asked, _ in chat.asked} <= {each.request[-1]["content"] for each in read_examples(dataset, TEST)}


def test_a_dataset_that_was_tampered_with_or_is_gone_is_an_error(connection: Connection, dataset: Dataset) -> None:
    (dataset.directory / TEST).write_bytes((dataset.directory / TEST).read_bytes() * 2)
    chat = Scripted()
    with pytest.raises(InputError, match="not those that were published"):
        examine(connection, "acme", dataset, chat.examinee(), limits=LIMITS)
    assert chat.asked == []


def test_where_redaction_is_off_personal_data_is_not_judged(connection: Connection, dataset: Dataset) -> None:
    connection.execute("update organizations set redaction_off = true where id = 'acme'")
    connection.commit()
    say = spoiling(lambda text: f"{text} ada@mail.example.com")
    done = examine(connection, "acme", dataset, Scripted(say).examinee(), limits=LIMITS)
    assert (verdicts(done)["personal data"], done.passed) == ("insufficient", True)


def test_no_text_stands_in_the_report_and_members_see_their_own(connection: Connection, dataset: Dataset) -> None:
    word = "zqzqzq"
    examine(connection, "acme", dataset, Scripted(spoiling(lambda text: f"{text} {word}@x.example.com")).examinee(), limits=LIMITS)
    assert connection.execute("select count(*) from model_examinations where report::text like %s", (f"%{word}%",)).fetchone() == (
        0,
    )
    assert connection.execute("select count(*) from model_answers where text like %s", (f"%{word}%",)).fetchone() == (50,)
    for organization, seen in (("acme", 1), ("rival", 0)):
        connection.execute("set local role flywheel_member")
        connection.execute("select set_config('flywheel.organization_id', %s, true)", (organization,))
        assert connection.execute("select count(*) from model_examinations").fetchone() == (seen,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from model_answers")
        connection.rollback()


def test_over_http_a_trained_model_is_examined_and_a_fault_is_told(
    connection: Connection, dataset: Dataset, model_server: Served
) -> None:
    lines = [{"messages": [*each.request, {"role": "assistant", "content": each.text}]} for each in read_examples(dataset, TRAIN)]
    model = model_server.train(lines).fine_tuned_model
    assert model is not None
    limits = Limits(10, 12, 4)

    def asked(name: str) -> Examinee:
        return Examinee("openai", name, OpenAIChat(name, api_key="sk-test", base_url=f"{model_server.url}/v1", retries=0))

    done = examine(connection, "acme", dataset, asked(model), limits=limits)
    assert (done.prompts, verdicts(done)["usable answers"]) == (12, "passed")
    assert done.findings.completion_tokens > 0
    model_server.set_fault(match="POST /v1/chat/completions", kind="answer", answer="refusal", times=12)
    refusing = examine(connection, "acme", dataset, asked("gpt-4o-mini-2024-07-18"), limits=limits)
    assert refusing.findings.criteria[1].explanation.endswith("12 of 12 answers (12 refused)")
    with pytest.raises(ModelError):
        examine(connection, "acme", dataset, asked("no-such-model"), limits=limits)


def test_who_was_never_asked_does_not_pass(connection: Connection, database: Database) -> None:
    write_outcomes(connection, 60)
    dataset = build(connection, database.settings.training_data_dir, replace(HALF, test_share=0.0))
    done = examine(connection, "acme", dataset, Scripted().examinee(), limits=LIMITS)
    assert (done.prompts, done.passed, [each.name for each in done.failed]) == (0, False, ["answers"])
    assert "FLYWHEEL_TEST_SHARE" in done.failed[0].explanation


def test_a_control_that_is_gone_does_not_block_but_one_that_fails_for_a_while_does(
    connection: Connection, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(messages: Messages, seed: int) -> str:
        raise PermanentModelError("the model was deleted")

    def busy(messages: Messages, seed: int) -> str:
        raise TransientModelError("try later")

    def control(say: Callable[[Messages, int], str], name: str) -> Examinee:
        return Examinee("openai", name, Scripted(say, name=name), uuid4())

    done = examine(connection, "acme", dataset, Scripted().examinee(), control(gone, "old"), limits=LIMITS)
    assert (done.passed, done.control_model_id) == (True, None)
    assert done.findings.compared_with == "the messages that people sent, as the control old can't be asked"
    stored = connection.execute("select control_trainer, control_model_id, control_id from model_examinations").fetchall()
    assert stored == [(None, None, None)]
    again = examine(connection, "acme", dataset, Scripted().examinee(), control(gone, "old"), limits=LIMITS)
    assert (again.id, again.new) == (done.id, False)
    with pytest.raises(PermanentModelError):
        examine(connection, "acme", dataset, Scripted(gone, name="never").examinee(), limits=LIMITS)
    monkeypatch.setattr(asking, "_TRIES", 1)
    with pytest.raises(TransientModelError):
        examine(connection, "acme", dataset, Scripted().examinee(), control(busy, "new"), limits=LIMITS)


def test_twins_that_change_places_break_nothing(connection: Connection, database: Database) -> None:
    # Of two leads who got the same message one is a member; whose it is changes, and the lines stay.
    for kind in ("won", "twin"):
        write_outcomes(connection, 80, kind=kind, written_as="won")
    one = build(connection, database.settings.training_data_dir, replace(HALF, group_cap=1))
    before = members(connection, one)
    for side in ("test", "train"):
        record(connection, [event(twin_of(outcome), "deal_closed", 6, value="100") for outcome, of in before if of == side])
    connection.commit()
    two = build(connection, database.settings.training_data_dir, replace(HALF, group_cap=1))
    assert two.hash == one.hash
    assert len(members(connection, two)) > len(before) == two.examples
    assert examine(connection, "acme", two, Scripted().examinee(), limits=LIMITS).passed


def test_a_manifest_of_other_lines_is_an_error(connection: Connection, dataset: Dataset) -> None:
    manifest = dataset.directory / MANIFEST
    lines = manifest.read_text().splitlines(keepends=True)
    for spoilt in (lines[:-1], [*lines, lines[-1]], ["{}\n"], ["no json"]):
        manifest.write_text("".join(spoilt))
        with pytest.raises(InputError, match="materialize training_jsonl again"):
            [*read_members(dataset, "train"), *read_members(dataset, "test")]


@pytest.mark.parametrize(
    "greeting", ["Hi Folks", "Hello Hiring Team", "Dear Ms. {{last_name}}", "Sehr geehrter Herr {{last_name}}"]
)
def test_what_people_sent_passes_word_for_word(connection: Connection, database: Database, greeting: str) -> None:
    write_outcomes(connection, 120)
    connection.execute(
        "update outcome_labels set message_body = replace(message_body, 'Hi {{first_name}}', %s) || ' Front office teams like it.' "
        "where substr(lead_id, 5)::int %% 12 = 0",
        (greeting,),
    )
    connection.execute("insert into organizations (id, name, allows_global_training) values ('front', 'Front', true)")
    connection.execute("update organizations set allows_global_training = true where id = 'acme'")
    connection.commit()
    dataset = build(connection, database.settings.training_data_dir, scope="global")
    sent = {(each.request[-1]["content"]): each.text for each in read_examples(dataset, TEST)}
    same = Scripted(lambda messages, seed: sent[messages[-1]["content"]])
    done = examine(connection, "global", dataset, same.examinee(), limits=LIMITS)
    assert [each.name for each in done.failed if each.name in ("personal data", "names")] == []
    assert next(each.value for each in done.findings.criteria if each.name == "names")


def test_there_is_room_to_think(connection: Connection, dataset: Dataset) -> None:
    examine(connection, "acme", dataset, Scripted().examinee(), limits=LIMITS)
    assert connection.execute("select distinct max_tokens from model_answers").fetchall() == [(2_048,)]


def test_other_thresholds_are_another_examination(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = report.Subject("acme", Scripted().examinee(), None, dataset.hash, LIMITS, None)
    before = subject.values()["criteria_hash"]
    assert subject.values()["criteria_hash"] == before
    monkeypatch.setattr(report, "_RULES", (replace(report.LENGTH, most=0.04),))
    stricter = subject.values()["criteria_hash"]
    monkeypatch.setattr(report, "_RULES", (report.LENGTH,))
    assert len({before, stricter, subject.values()["criteria_hash"]}) == 3


def test_the_order_in_which_answers_arrive_does_not_matter(connection: Connection, dataset: Dataset) -> None:
    def findings(name: str, concurrency: int) -> Any:
        limits = replace(LIMITS, concurrency=concurrency)
        return examine(connection, "acme", dataset, Scripted(name=name).examinee(), limits=limits).findings.criteria

    assert findings("one by one", 1) == findings("all at once", 50)
