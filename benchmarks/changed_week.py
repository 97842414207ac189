"""What one changed week costs with 10, 50 and 100 weeks of history: finding it, and building its examples anew. Nothing else is computed."""

from datetime import timedelta
from statistics import median

import psycopg
from psycopg.rows import TupleRow

from benchmarks.measuring import Ground, Report, console, ground, seconds
from benchmarks.past_outcomes import FIRST, write_past_outcomes
from flywheel_dagster.datasets.weeks import score_week, score_weeks, stale_weeks
from flywheel_dagster.outcomes.importing import import_outcomes
from flywheel_dagster.outcomes.weeks import monday

HISTORIES = (10, 50, 100)
_TIMES = 5


def measure(rows_a_week: int) -> Report:
    """Grow the history of a database of its own, and change one outcome of its first week at each size."""
    report = Report(f"one changed week of {rows_a_week:,} rows, by the length of history")
    weeks = 0
    first: tuple[float, float] | None = None
    with ground() as place, place.service() as connection:
        for history in HISTORIES:
            with console.status(f"history of {history} weeks"):
                _add(connection, place, weeks, history, rows_a_week)
                weeks = history
                score_weeks(connection, monday(FIRST), monday(FIRST + timedelta(weeks=history)), processes=2)
                connection.execute("analyze")
                connection.commit()
                measured = [_change_and_score(connection) for _ in range(_TIMES)]
            found, built = (median(times) for times in zip(*measured, strict=True))
            first = first or (found, built)
            report.add(
                f"{history} weeks: finding the stale week", found, 1, ratio=f"{found / first[0]:.2f} x that of {HISTORIES[0]} weeks"
            )
            report.add(
                f"{history} weeks: building it anew",
                built,
                rows_a_week,
                ratio=f"{built / first[1]:.2f} x that of {HISTORIES[0]} weeks",
            )
    return report


def _add(connection: psycopg.Connection[TupleRow], place: Ground, begin: int, end: int, rows_a_week: int) -> None:
    path = place.folder / "weeks.csv"
    write_past_outcomes(path, (end - begin) * rows_a_week, seed=end, first=FIRST + timedelta(weeks=begin), weeks=end - begin)
    import_outcomes(connection, path)
    path.unlink()


def _change_and_score(connection: psycopg.Connection[TupleRow]) -> tuple[float, float]:
    changed = "select id from outcome_labels where outcome_week(sent_at) = %s order by id limit 1"
    connection.execute(f"update outcome_labels set icp_score = 1 - coalesce(icp_score, 0) where id = ({changed})", (monday(FIRST),))
    connection.commit()
    found, weeks = seconds(lambda: stale_weeks(connection))
    connection.commit()
    if weeks != [monday(FIRST)]:
        raise RuntimeError(f"{weeks} are stale, not the one that changed")
    built, _ = seconds(lambda: score_week(connection, weeks[0]))
    return found, built
