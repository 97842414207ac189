"""Threads and signatures of real mails are cut at the rates that we state; the floors lie a little below what was measured."""

from pathlib import Path

from benchmarks.trimming import ours, rates, reply_pairs, signed_mails, thread_and_footer


def test_threads_of_real_replies_are_cut(shared: Path) -> None:
    pairs = reply_pairs(shared / "data")
    found = rates(thread_and_footer, pairs)
    assert found.mails == 64
    assert found.exact >= 0.86
    assert found.precision >= 0.96
    left = [pair for pair in pairs if pair.left.strip()]
    assert rates(thread_and_footer, left).f1 >= 0.96
    assert rates(thread_and_footer, [pair for pair in pairs if not pair.seen]).exact >= 0.75
    assert rates(ours, pairs).exact >= 0.79


def test_signatures_of_real_mails_are_cut(shared: Path) -> None:
    mails = signed_mails(shared / "data")
    found = rates(ours, mails)
    assert found.mails == 192
    assert found.exact >= 0.92
    assert found.f1 >= 0.94
    assert rates(ours, [mail for mail in mails if not mail.seen]).exact >= 0.91
