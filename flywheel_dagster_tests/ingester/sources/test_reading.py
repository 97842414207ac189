"""Values are read in the ways that senders write them; a batch is read item by item, whatever one of them holds."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel_dagster.ingester.received import UnreadableError
from flywheel_dagster.ingester.sources.reading import email, identifier, possible_time, read_items, read_json, read_list, text
from flywheel_dagster_tests.ingester.sources.shapes import ANYTHING, ARRIVAL


@given(st.lists(ANYTHING, max_size=4), st.sampled_from([b"", b"\xef\xbb\xbf"]), st.sampled_from([b",", b",\r\n", b" , "]))
def test_each_item_comes_with_bytes_that_hold_it_alone(items: list[Any], mark: bytes, comma: bytes) -> None:
    body = mark + b"[" + comma.join(json.dumps(item).encode() for item in items) + b"]\r\n"
    pairs = read_items(body)
    assert len(pairs) == len(items)
    for value, alone in pairs:
        assert read_items(alone) == [(value, alone)]


def test_broken_characters_and_numbers_spoil_only_their_item() -> None:
    assert read_items(b'[{"a":1},{"b":"\xff"},{"c":"\\ud800"},1e999,{"d":"\\ud83d\\ude00 \\\\ud800"}]') == [
        ({"a": 1}, b'[{"a":1}]'),
        ({"b": "\ufffd"}, b'[{"b":"\xff"}]'),
        ({"c": "\ufffd"}, b'[{"c":"\\ufffd"}]'),
        (None, b"[1e999]"),
        ({"d": "\U0001f600 \\ud800"}, b'[{"d":"\\ud83d\\ude00 \\\\ud800"}]'),
    ]


def test_one_object_stands_for_a_list_of_one() -> None:
    assert read_list(b'\xef\xbb\xbf{"a": 1}\n') == [({"a": 1}, b'[{"a": 1}]')]


@pytest.mark.parametrize("body", [b"", b"5", b'"a"', b"null", b"[", b"{", b"[1,]", b"[" * 10_000])
def test_what_is_neither_list_nor_object_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_items(body)
    with pytest.raises(UnreadableError):
        read_list(b"[1]")


@given(st.binary() | st.text(st.sampled_from('{}[]",\\ud8def0 1:')).map(str.encode))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    for read in (read_json, read_items, read_list):
        with suppress(UnreadableError):
            read(body)


@given(st.text(st.sampled_from('aB@.<>()[]\\,;:" \té\0-+_=?')))
def test_an_address_is_what_the_standard_library_says(value: str) -> None:
    address = parseaddr(value)[1]
    assert email(value) == (address.lower() if "@" in address else None)


def test_what_is_no_address_is_none() -> None:
    assert [email(value) for value in (None, 5, "", "ada", "a" * 600 + "@x", "(" * 499, ["a@x"])] == [None] * 7


@given(ANYTHING)
def test_an_identifier_is_a_text_that_is_not_too_long(value: Any) -> None:
    found = text(value, limit=501)
    assert identifier(value) == (None if found is None or len(found) > 500 else found)


def test_an_impossible_time_is_the_arrival() -> None:
    day = timedelta(days=1)
    for found in (None, datetime(1999, 12, 31, tzinfo=UTC), ARRIVAL + day + timedelta(seconds=1)):
        assert possible_time(found, ARRIVAL) == ARRIVAL
    for found in (datetime(2000, 1, 1, tzinfo=UTC), ARRIVAL + day):
        assert possible_time(found, ARRIVAL) == found
