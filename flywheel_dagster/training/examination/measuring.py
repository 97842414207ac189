"""From answers to criteria: each rule over all answers, the candidate's beside the baseline's."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import TupleRow

from flywheel_dagster.datasets.published import Dataset
from flywheel_dagster.models.chat import Answer
from flywheel_dagster.training.examination.copying import Copying, copies_rule, sample_of
from flywheel_dagster.training.examination.criteria import (
    MARGIN,
    Criterion,
    Rule,
    judge_answers,
    judge_difference,
    judge_rate,
    lacking,
)
from flywheel_dagster.training.examination.examples import channel_of, fields_of, read_members
from flywheel_dagster.training.examination.judge import judge_wins
from flywheel_dagster.training.examination.personal_data import NAMES, PERSONAL_DATA, named_leads, names_rule, privacy_of
from flywheel_dagster.training.examination.profile import ChannelProfile, Profile
from flywheel_dagster.training.examination.prompts import Prompt
from flywheel_dagster.training.examination.report import Findings
from flywheel_dagster.training.examination.reward import RewardModel, RewardReport, train_reward
from flywheel_dagster.training.examination.reward_data import Message, read_outcomes
from flywheel_dagster.training.examination.rules import (
    FORMAT,
    LENGTH,
    OUTCOME_TEXT,
    PLACEHOLDERS,
    USABLE,
    outcome_text,
    unusable,
    wrong_format,
    wrong_length,
    wrong_placeholders,
)
from flywheel_dagster.training.examination.statistics import mean_interval

Connection = psycopg.Connection[TupleRow]
Said = Sequence[tuple[Prompt, str]]


@dataclass(frozen=True)
class Answers:
    """The prompts and what was said to each; `control` is None where there is no control, `verdicts` where there is no judge.

    `silent` is the model that should have been the control, but can't be asked.
    """

    prompts: list[Prompt]
    candidate: list[Answer]
    control: list[Answer] | None = None
    verdicts: list[float] | None = None
    silent: str | None = None

    @property
    def compared_with(self) -> str:
        """What the baseline is."""
        if self.control is not None:
            return "the control"
        return "the messages that people sent" + (f", as the control {self.silent} can't be asked" if self.silent else "")

    def baseline(self) -> Said:
        """What the control said that can be sent, or without one what people sent."""
        if self.control is None:
            return [(prompt, prompt.reference) for prompt in self.prompts]
        return _usable(self.prompts, self.control)

    def pairs(self) -> list[tuple[Prompt, str, str]]:
        """The prompts to which both have a text that can be sent, with the candidate's and the baseline's."""
        others = {prompt.question.outcome_id: text for prompt, text in self.baseline()}
        said = _usable(self.prompts, self.candidate)
        return [(prompt, text, others[id_]) for prompt, text in said if (id_ := prompt.question.outcome_id) in others]


def measure(
    connection: Connection, scope: str, dataset: Dataset, profile: Profile, answers: Answers, *, min_prompts: int
) -> Findings:
    """All criteria, in the order of the report. Reads the dataset's files."""
    with connection.transaction():
        model, report = train_reward(read_outcomes(connection, scope, dataset))
        sample = sample_of(member.example.text for member in read_members(dataset, "train"))
        criteria = [
            judge_answers(len(answers.prompts), len(_usable(answers.prompts, answers.candidate))),
            judge_rate(USABLE, [unusable(each) for each in answers.candidate], [unusable(each) for each in answers.control or ()]),
            *_by_the_text(answers, profile),
            *_personal_data(connection, scope, dataset, profile, answers, sample),
            _copies(dataset, answers, sample),
            _reward(answers, model, report, min_prompts),
        ]
    if answers.verdicts is not None:
        criteria.append(judge_wins(answers.verdicts, answers.compared_with, min_prompts))
    seconds = [answer.seconds for answer in answers.candidate]
    return Findings(
        criteria=tuple(criteria),
        reward=report,
        compared_with=answers.compared_with,
        completion_tokens=sum(answer.completion_tokens for answer in answers.candidate),
        mean_seconds=sum(seconds) / len(seconds) if seconds else 0.0,
    )


def _by_the_text(answers: Answers, profile: Profile) -> list[Criterion]:
    def usual(prompt: Prompt) -> ChannelProfile:
        return profile.channel(channel_of(prompt.question.messages))

    checks: list[tuple[Rule, Callable[[Prompt, str], list[str]]]] = [
        (LENGTH, lambda prompt, text: wrong_length(text, usual(prompt))),
        (FORMAT, lambda prompt, text: wrong_format(text, usual(prompt), profile)),
        (PLACEHOLDERS, lambda prompt, text: wrong_placeholders(text, usual(prompt), profile)),
    ]
    said, baseline, written = _usable(answers.prompts, answers.candidate), answers.baseline(), _written(answers)
    return [
        *(judge_rate(rule, [check(*each) for each in said], [check(*each) for each in baseline]) for rule, check in checks),
        judge_rate(OUTCOME_TEXT, [outcome_text(text) for _, text in written], [outcome_text(text) for _, text in baseline]),
    ]


def _personal_data(
    connection: Connection, scope: str, dataset: Dataset, profile: Profile, answers: Answers, sample: Sequence[str]
) -> list[Criterion]:
    privacy = privacy_of(connection, scope)
    if not privacy.redacts:
        why = "the organization switched redaction off, so personal data in messages is what it wants"
        return [Criterion(rule.name, None, "<=", rule.most, "insufficient", True, why) for rule in (PERSONAL_DATA, NAMES)]
    said, baseline = _written(answers), answers.baseline()
    named = named_leads(connection, dataset.hash, [text for _, text in (*said, *baseline)])

    def found(texts: Said) -> list[list[str]]:
        return [privacy.found(text) + (["lead's full name"] if named[text] else []) for _, text in texts]

    def names(texts: Iterable[str]) -> list[list[str]]:
        return [privacy.names(text, profile) for text in texts]

    sent = [names(sample), names(prompt.reference for prompt in answers.prompts)]
    rule = names_rule(sum(map(bool, each)) / len(each) for each in sent if each)
    return [
        judge_rate(PERSONAL_DATA, found(said), found(baseline)),
        judge_rate(rule, names(text for _, text in said), names(text for _, text in baseline)),
    ]


def _copies(dataset: Dataset, answers: Answers, sample: Sequence[str]) -> Criterion:
    """One pass over the training file; a repeated line is one message."""
    said, baseline = _written(answers), answers.baseline()
    copying = Copying([*sample, *(text for _, text in (*said, *baseline))])
    for member in read_members(dataset, "train"):
        copying.pass_by(member.example.text)

    def found(texts: Said) -> list[list[str]]:
        return [["copy"] if copying.is_copy(text) else [] for _, text in texts]

    return judge_rate(copies_rule(sample, copying), found(said), found(baseline))


def _reward(answers: Answers, model: RewardModel | None, report: RewardReport, min_prompts: int) -> Criterion:
    """The candidate's probability of success minus the baseline's, over the prompts that both answered."""
    name, pairs = "reward model", answers.pairs()
    if model is None:
        return lacking(name, None, f"the reward model can't judge: {report.why_not}")
    if len(pairs) < min_prompts:
        return lacking(
            name, None, f"{len(pairs)} prompts with two messages to compare are too few to judge by (at least {min_prompts})"
        )
    fields = [fields_of(prompt.question.messages) for prompt, _, _ in pairs]
    scores = model.score([Message(known, text) for known, (_, text, _) in zip(fields, pairs, strict=True)])
    others = model.score([Message(known, other) for known, (_, _, other) in zip(fields, pairs, strict=True)])
    differences = [score - other for score, other in zip(scores, others, strict=True)]
    usual = sum(others) / len(others)
    found = mean_interval(differences, [prompt.lead for prompt, _, _ in pairs])
    what = f"probability of success, {sum(scores) / len(scores):.4f} against {usual:.4f} of {answers.compared_with}"
    return judge_difference(name, found, MARGIN * usual, what)


def _usable(prompts: Sequence[Prompt], answers: Sequence[Answer]) -> Said:
    return [(prompt, answer.text) for prompt, answer in zip(prompts, answers, strict=True) if not unusable(answer)]


def _written(answers: Answers) -> Said:
    """Texts that were cut off, too: they hold what they hold."""
    return [(prompt, answer.text) for prompt, answer in zip(answers.prompts, answers.candidate, strict=True) if answer.text.strip()]
