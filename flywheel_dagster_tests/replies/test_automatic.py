"""A machine is known by its headers, and a person is not taken for one."""

import pytest

from flywheel_dagster.replies.automatic import is_automatic


def headers(line: str) -> dict[str, str]:
    name, _, value = line.partition(":")
    return {name.lower(): value.strip()}


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; owner-email=x",
        "X-Autoreply: yes",
        "X-Autorespond: 1",
        "Precedence: bulk",
        "Precedence: Auto_Reply",
        "Precedence: junk",
        "X-Failed-Recipients: a@x",
        "Return-Path: <>",
        "Content-Type: multipart/report; report-type=delivery-status",
    ],
)
def test_a_machine_is_known_by_its_headers(header: str) -> None:
    assert is_automatic(headers(header))


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person)",
        "Precedence: list",
        "X-Autoreply: no",
        "Return-Path: <a@x>",
        "Subject: x",
    ],
)
def test_a_person_is_not_taken_for_a_machine(header: str) -> None:
    assert not is_automatic(headers(header))
