"""The plain script that everybody writes first: read_sql, apply, json.dumps. The peer of `dataset_speed.py`, not a part of the product."""

import json
import sys

import pandas as pd
from sqlalchemy import create_engine


def quality(row: pd.Series) -> float:
    """The formula of quality_score, as somebody would write it with pandas."""
    if row.bounced and not (row.replied or row.meeting_booked or row.deal_closed):
        return 0.1
    score = 0.1 * row.delivered + 0.1 * row.opened + 0.15 * row.clicked + 0.2 * row.replied
    score += 0.2 * bool(row.replied and row.reply_sentiment_score > 0.5)
    score += 0.3 * row.meeting_booked + 0.4 * row.meeting_completed + 0.5 * row.deal_closed
    score += 0.2 * bool(row.deal_closed and row.deal_value >= 50_000)
    return min(1.0, score + (row.icp_score or 0) * 0.1)


def example(row: pd.Series) -> str:
    """A line of JSONL."""
    asked = "\n".join(
        f"{title}: {row[name]}"
        for title, name in (
            ("Industry", "lead_industry"),
            ("Role", "lead_role"),
            ("Channel", "channel"),
            ("Framework", "framework"),
        )
    )
    messages = [
        {"role": "system", "content": "You are an expert B2B sales copywriter."},
        {"role": "user", "content": f"Write a message for:\n{asked}"},
        {"role": "assistant", "content": f"Subject: {row.subject_line}\n\n{row.message_body}"},
    ]
    return json.dumps({"messages": messages})


def main() -> None:
    """Write the examples above the threshold; print how many."""
    address, path = sys.argv[1:]
    rows = pd.read_sql("select * from outcome_labels", create_engine(address.replace("postgresql://", "postgresql+psycopg://")))
    rows["score"] = rows.apply(quality, axis=1)
    lines = rows[rows.score >= 0.6].sort_values("score", ascending=False).apply(example, axis=1)
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as everybody does
        file.writelines(line + "\n" for line in lines)
    print(len(lines))


if __name__ == "__main__":
    main()
