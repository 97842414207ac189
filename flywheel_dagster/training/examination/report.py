"""What came of an examination, and the table that keeps it. It holds numbers, names of models and criteria, and nothing that anybody wrote."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import orjson
import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from flywheel_dagster.database import statement
from flywheel_dagster.settings import Settings
from flywheel_dagster.training.examination.asking import Examinee
from flywheel_dagster.training.examination.copying import COPIES
from flywheel_dagster.training.examination.criteria import MARGIN, VERSION, Criterion
from flywheel_dagster.training.examination.personal_data import NAMES, PERSONAL_DATA
from flywheel_dagster.training.examination.reward import RewardReport
from flywheel_dagster.training.examination.rules import FORMAT, LENGTH, OUTCOME_TEXT, PLACEHOLDERS, USABLE

_RULES = (USABLE, LENGTH, FORMAT, PLACEHOLDERS, OUTCOME_TEXT, PERSONAL_DATA, NAMES, COPIES)


@dataclass(frozen=True)
class Limits:
    """`min_prompts` answers of each side let soft criteria block; at most `max_prompts` are asked, `concurrency` at a time."""

    min_prompts: int = 30
    max_prompts: int = 200
    concurrency: int = 8


def limits_of(settings: Settings) -> Limits:
    """What the settings of the environment ask for."""
    return Limits(settings.min_test_prompts, settings.max_test_prompts, settings.examination_concurrency)


@dataclass(frozen=True)
class Findings:
    """What was found: the criteria in the order of the report, how the reward model fared, and what the candidate's answers took."""

    criteria: tuple[Criterion, ...]
    reward: RewardReport
    compared_with: str
    completion_tokens: int
    mean_seconds: float


@dataclass(frozen=True)
class Examination:
    """An examination that is finished; `new` is False for one that was stored before. It is passed if no criterion failed."""

    id: UUID
    scope: str
    trainer: str
    model_id: str
    dataset_hash: str
    control_model_id: str | None
    prompts: int
    findings: Findings
    passed: bool
    created_at: datetime
    new: bool

    @property
    def failed(self) -> list[Criterion]:
        """The criteria that block."""
        return [each for each in self.findings.criteria if each.verdict == "failed"]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each criterion, to be shown as a table."""
        return [asdict(each) for each in self.findings.criteria]


@dataclass(frozen=True)
class Subject:
    """What is examined, and by what: the same subject gives the stored examination."""

    scope: str
    candidate: Examinee
    control: Examinee | None
    dataset_hash: str
    limits: Limits
    judge: str | None

    def values(self) -> dict[str, Any]:
        """What the statements bind."""
        thresholds = [MARGIN, *((rule.name, rule.most, rule.one_may) for rule in _RULES)]
        criteria = [VERSION, thresholds, self.limits.min_prompts, self.limits.max_prompts, self.judge]
        return {
            "scope": self.scope,
            "trainer": self.candidate.trainer,
            "model_id": self.candidate.model_id,
            "dataset_hash": self.dataset_hash,
            "control_trainer": self.control.trainer if self.control else None,
            "control_model_id": self.control.model_id if self.control else None,
            "control_id": self.control.registry_id if self.control else None,
            "criteria_hash": hashlib.sha256(orjson.dumps(criteria)).hexdigest(),
        }


def stored(connection: psycopg.Connection[TupleRow], subject: Subject, *, new: bool = False) -> Examination | None:
    """The examination of this subject, if there was one."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(statement("stored_examination"), subject.values()).fetchone()
    if row is None:
        return None
    return Examination(
        id=row["id"],
        scope=subject.scope,
        trainer=subject.candidate.trainer,
        model_id=subject.candidate.model_id,
        dataset_hash=subject.dataset_hash,
        control_model_id=subject.control.model_id if subject.control else None,
        prompts=row["prompts"],
        findings=msgspec.convert(row["report"], Findings),
        passed=row["passed"],
        created_at=row["created_at"],
        new=new,
    )


def store(connection: psycopg.Connection[TupleRow], subject: Subject, findings: Findings, *, prompts: int) -> Examination:
    """Keep what was found; who comes second gets what the first one found."""
    report = Jsonb(msgspec.to_builtins(findings), dumps=orjson.dumps)
    values = subject.values() | {"prompts": prompts, "report": report, "passed": passes(findings.criteria)}
    created = connection.execute(statement("store_examination"), values).rowcount == 1
    found = stored(connection, subject, new=created)
    assert found is not None
    return found


def passes(criteria: Sequence[Criterion]) -> bool:
    """Whether no criterion failed."""
    return all(each.verdict != "failed" for each in criteria)
