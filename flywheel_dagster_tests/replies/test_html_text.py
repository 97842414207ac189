"""HTML is read as a person sees it, in linear time."""

import time

import pytest

from flywheel_dagster.replies.html_text import html_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello&nbsp;<b>Ada</b></p><p>Bye</p>", "Hello Ada\n\nBye"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<head><title>x</title></head><style>p {}</style><script>1 < 2</script>a", "a"),
        ("a<!-- <p>b</p> -->c", "ac"),
        ("a<!-- never ends", "a"),
        (
            "<div>Yes</div><div>On Tue, Sales wrote:<blockquote>Hi<br>Ada</blockquote></div>",
            "Yes\nOn Tue, Sales wrote:\n\n> Hi\n> Ada",
        ),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ("&#" + "1" * 5000 + ";", "&#" + "1" * 5000 + ";"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
    ],
)
def test_html_is_read_as_a_person_sees_it(markup: str, text: str) -> None:
    assert html_text(markup) == text


@pytest.mark.parametrize("piece", ["<!--", "<a", "<", "&#1", "<p>", "<blockquote>", "<![CDATA[", "</", "<script>", "<style", "&"])
def test_hostile_html_takes_no_longer_than_other_html(piece: str) -> None:
    begun = time.process_time()
    html_text(piece * (1_000_000 // len(piece)))
    assert time.process_time() - begun < 2.0
