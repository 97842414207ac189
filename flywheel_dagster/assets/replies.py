"""`reply_sentiment`: what leads answered, judged week by week."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from flywheel_dagster.checks import REPLY_CHECKS, check_replies
from flywheel_dagster.failures import plain_failures
from flywheel_dagster.names import GROUP_OUTCOMES, OUTCOME_LABELS, OWNER_DATA, POOL_REPLY_MODEL, REPLY_SENTIMENT
from flywheel_dagster.partitions import week_of, weeks
from flywheel_dagster.presentation import stacked, table
from flywheel_dagster.replies.analysis import Sentiment
from flywheel_dagster.replies.correction import ENOUGH, CorrectedShare, corrected_shares
from flywheel_dagster.replies.judging import Tally
from flywheel_dagster.replies.model_prompt import PROMPT_VERSION
from flywheel_dagster.replies.reading import read_replies
from flywheel_dagster.replies.review import reviews
from flywheel_dagster.replies.rules.classify import RULES_VERSION
from flywheel_dagster.replies.weekly import WeekOfReplies, shift, weeks_of_replies
from flywheel_dagster.resources import Flywheel

_TOLD_EVERY = 1_000  # replies


@dg.asset(
    name=REPLY_SENTIMENT,
    deps=[OUTCOME_LABELS],
    partitions_def=weeks,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name=GROUP_OUTCOMES,
    owners=[OWNER_DATA],
    kinds={"postgres", "openai"},
    pool=POOL_REPLY_MODEL,
    code_version=f"prompt {PROMPT_VERSION}, rules {RULES_VERSION}",
    check_specs=REPLY_CHECKS,
)
def reply_sentiment(context: dg.AssetExecutionContext, flywheel: Flywheel) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster wants it bare
    """Sentiment, interest and objection of the replies to each week's messages, by a language model or by rules.

    Judges what nobody judged and what an older version did; each step is committed, so a run that was killed goes on where it stopped and
    no reply is paid for twice. Many replies go through the Batch API, at half the price. The judgements are events of the ledger.
    """
    keys = sorted(context.partition_keys)
    start = datetime.combine(week_of(keys[0]), time(), UTC)
    end = datetime.combine(week_of(keys[-1]) + timedelta(weeks=1), time(), UTC)
    told = 0

    def tell(tally: Tally, of: int) -> None:
        nonlocal told
        if tally.judged // _TOLD_EVERY > told:
            told = tally.judged // _TOLD_EVERY
            context.log.info(f"{tally.judged} of {of} replies judged{_money(tally)}")

    with plain_failures(), flywheel.connection() as connection:
        tally = read_replies(connection, start, end, flywheel.reading_means(), progress=tell)
        found = weeks_of_replies(connection, start, end)
        reviewed = reviews(connection)
    context.log.info(
        f"{tally.judged} replies judged: {dict(tally.methods)}{_money(tally)}; {tally.left} left, {tally.unreadable} unreadable"
    )
    here = [week_of(key) for key in keys]
    for monday in here:
        context.add_asset_metadata(_week_metadata(found, monday), partition_key=monday.isoformat())
    filled = [found[monday] for monday in here if monday in found]
    return dg.MaterializeResult(
        check_results=check_replies(tally, filled, found),
        metadata={
            "replies_judged_now": tally.judged,
            "by_method_now": table([{"method": method, "replies": count} for method, count in tally.methods.most_common()]),
            "fallbacks_now": table([{"why rules answered": why, "replies": count} for why, count in tally.fallbacks.most_common()]),
            "unreadable": tally.unreadable,
            "left_for_another_run": tally.left,
            "model_questions": tally.questions,
            "model_batches": tally.batches,
            "prompt_tokens": tally.usage.prompt_tokens,
            "completion_tokens": tally.usage.completion_tokens,
            "cost_usd": "unknown" if tally.usage.cost_usd is None else float(tally.usage.cost_usd),
            "by_week": table([_shown(found, week) for week in filled[-26:]], none="no reply to messages of these weeks"),
            "objections": table(_objections(filled)),
            "corrected_rates": table(
                [_corrected(share) for share in corrected_shares(_all_labels(filled), reviewed)],
                none=f"{len(reviewed)} replies were reviewed by people; from {ENOUGH} on they correct the rates (flywheel replies review)",
            ),
            "labels_by_week": stacked(
                {label.value: [week.labels[label] / max(1, week.judged) for week in filled[-60:]] for label in Sentiment},
                [str(week.week) for week in filled[-60:]],
                title="What replies say, by week of the message",
                ylabel="share of judged replies",
            ),
        },
    )


def _all_labels(filled: list[WeekOfReplies]) -> Counter[str]:
    return sum((week.labels for week in filled), start=Counter())


def _corrected(share: CorrectedShare) -> dict[str, object]:
    return {
        "label": share.label,
        "reported": round(share.reported, 4),
        "corrected by reviews": round(share.corrected, 4),
        "95 % interval": f"{share.low:.4f} to {share.high:.4f}",
    }


def _money(tally: Tally) -> str:
    if not tally.questions:
        return ""
    return ", cost unknown" if tally.usage.cost_usd is None else f", {tally.usage.cost_usd:.4f} USD"


def _shown(found: dict[date, WeekOfReplies], week: WeekOfReplies) -> dict[str, object]:
    drift = shift(found[before].labels, week.labels).distance if (before := week.week - timedelta(weeks=1)) in found else None
    return {
        "week": week.week,
        "replies": week.replies,
        **{label.value: week.labels[label] for label in Sentiment},
        "high interest": week.interest["high"],
        "by model": week.methods["llm"],
        "by rules": week.methods["rules"],
        "drift": "too few" if drift is None else round(drift, 3),
    }


def _objections(filled: list[WeekOfReplies]) -> list[dict[str, object]]:
    counts = sum((week.objections for week in filled), start=Counter[str]())
    return [{"objection": objection, "replies": count} for objection, count in counts.most_common()]


def _week_metadata(found: dict[date, WeekOfReplies], monday: date) -> dict[str, int | float]:
    """What a single partition shows, also when it was judged in a run over many."""
    week = found.get(monday, WeekOfReplies(monday))
    shown: dict[str, int | float] = {"dagster/row_count": week.replies, "judged": week.judged}
    shown |= {label.value: week.labels[label] for label in Sentiment}
    before = found.get(monday - timedelta(weeks=1))
    drift = shift(before.labels, week.labels).distance if before else None
    return shown if drift is None else shown | {"drift": round(drift, 4)}
