"""Links that lead to one person go; public addresses stay."""

import pytest

from flywheel_dagster.datasets.privacy.known import KnownPeople, Person
from flywheel_dagster.datasets.privacy.redaction import redact

LEAD = KnownPeople(Person("Jane", "Lindqvist", "Harbor Works", "jane@harborworks.com"))

PERSONAL = (
    "https://example.com/pricing?utm_source=mail",
    "https://example.com/?id=7",
    "http://user:secret@example.com/files",
    "https://example.com/u/38271",
    "https://example.com/orders/20391837",
    "https://example.com/d/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "https://example.com/share/aZ3kQ9xLm2Pw",
    "https://example.com/r/9f8a7b6c5d4e",
    "https://example.com/page#token=abc123",
    "https://example.com/reset/jane",
    "https://example.com/unsubscribe",
    "https://mail.example.com/opt-out/now",
    "https://click.example.net/x",
    "https://url1234.example.com/ls/click",
    "https://bit.ly/3xYzAbC",
    "https://linkedin.com/in/jane-lindqvist",
    "www.linkedin.com/in/jane-lindqvist-1a2b",
    "linkedin.com/in/jl",
    "https://calendly.com/jane/30min",
    "https://us02web.zoom.us/j/8123456789",
    "https://meet.google.com/abc-defg-hij",
    "https://docs.google.com/document/d/1aBcD3fGh1jKlMn0pQr/edit",
    "https://wa.me/4915112345678",
    "https://example.com/team/jane-lindqvist",
    "https://www.harborworks.com/about",
    "harborworks.com/about",
    "ftp://files.example.com/jane@example.com/x",
    "HTTPS://EXAMPLE.COM/PRICING?ID=1",
)
PUBLIC = (
    "https://example.com",
    "https://example.com/",
    "https://example.com/pricing",
    "https://www.example.com/blog/2024/05/12/how-we-grew-by-30-percent",
    "http://example.co.uk/a/b/c",
    "www.example.com/customers/case-study",
    "docs.example.com/v2/getting-started",
    "https://example.com/pricing#enterprise",
    "https://example.com/de/preise",
    "https://example.com/report-2024.pdf",
    "https://example.com/releases/v1.2.3",
    "https://example.com/blog/20240512",
    "https://github.com/example/project",
    "https://en.wikipedia.org/wiki/Sales_(marketing)",
    "https://example.com/b2b-saas",
    "https://example.com:8443/status",
    "https://example.com/faq/iso-27001",
    "https://example.org/internationalisation/overview",
)
NO_LINKS = (
    "and/or",
    "24/7",
    "his/her",
    "km/h",
    "n/a",
    "12/05/2024",
    "a.k.a./e.g.",
    "w/o",
    "c/o Mr.Smith/Jones",
    "www. is old",
    "://",
    "http://",
)


@pytest.mark.parametrize("around", ["{}", "See {}.", "(here: {})", "<{}>", "[this]({}), please", "a\n{}\nb", '"{}"'])
def test_a_link_with_an_identifier_goes(around: str) -> None:
    assert [(redact(around.format(link), LEAD).text, link) for link in PERSONAL] == [
        (around.format("{{link}}"), link) for link in PERSONAL
    ]


@pytest.mark.parametrize("around", ["{}", "See {}.", "(here: {})", "<{}>", "a\n{}\nb"])
def test_a_public_address_stays(around: str) -> None:
    texts = [around.format(link) for link in PUBLIC + NO_LINKS]
    assert [redact(text, LEAD).text for text in texts] == texts


def test_a_merge_field_within_a_link_stays() -> None:
    text = "https://example.com/hello/{{first_name}}"
    assert redact(text, LEAD).text == text
    assert redact("https://example.com/u?id=83&n={{first_name}}", LEAD).text == "{{link}}{{first_name}}"
