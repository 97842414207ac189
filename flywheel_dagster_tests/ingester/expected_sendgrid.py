"""What every SendGrid sample must come to, by the vendor's documents. Of a `.sig.json` the status is that of its headers and key."""

from flywheel_dagster_tests.ingester.expected import Expected

_LINK = "url=http://www.sendgrid.com/"
_EACH_TYPE: tuple[tuple[str, ...], ...] = (
    ("noted", "kind=processed"),
    ("noted", "kind=deferred"),
    ("delivered",),
    ("opened", "machine="),
    ("clicked", _LINK),
    ("bounced", "reason=500 unknown recipient"),
    ("noted", "kind=dropped"),
    ("spam_reported",),
    ("unsubscribed",),
    ("noted", "kind=group_unsubscribe", "asm_group_id=10"),
    ("noted", "kind=group_resubscribe", "asm_group_id=10"),
)
_TWO = Expected(200, (("noted", "kind=processed"), ("noted", "kind=blocked")))
_HELLO = Expected(200, (("replied", "text=Hello Twilio SendGrid!"),))
_FORWARDED = """text=---------- Forwarded message ---------
From: Sample Human <person@mail.test>
Date: Mon, Oct 8, 2018 at 7:33 PM
Subject: testing webhook parse
To: <test@parse.abc.example.com>


this is the body for webhook parse"""


def _one(*event: str) -> Expected:
    return Expected(200, (event,))


EXPECTED: dict[str, Expected] = {
    "description/sendgrid_curl_000.json": _one(
        "delivered", "outcome_id=", "mentions=message:test123", "lead_email=test@example.com"
    ),
    "description/sendgrid_curl_002.json": _one("delivered", "outcome_id=", "references=", "lead_email=test@example.com"),
    "sendgrid/anymail_bounce_event.json": _one(
        "bounced", "reason=550 5.1.1 The email account that you tried to reach does not exist."
    ),
    "sendgrid/anymail_click_event.json": _one("clicked", "url=http://www.example.com"),
    "sendgrid/anymail_compatibility_message_id_from_smtp_id.json": _one(
        "delivered",
        "mentions=message:wrfRRvF7Q0GgwUo2CvDmEA message:152712433591.85282.8340115595767222398@example.com",
        "occurred_at=2016-04-19T19:47:30+00:00",
    ),
    "sendgrid/anymail_deferred_event.json": _one("noted", "kind=deferred"),
    "sendgrid/anymail_delivered_event.json": _one("delivered"),
    "sendgrid/anymail_dropped_bounced.json": _one("noted", "kind=dropped"),
    "sendgrid/anymail_dropped_invalid_event.json": _one(
        "noted", "kind=dropped", "mentions=message:wrfRRvF7Q0GgwUo2CvDmEA@ismtpd0006p1sjc2.sendgrid.net"
    ),
    "sendgrid/anymail_dropped_unsubscribed_event.json": _one("noted", "kind=dropped"),
    "sendgrid/anymail_open_event.json": _one("opened", "machine="),
    "sendgrid/anymail_processed_event.json": _one("noted", "kind=processed"),
    "sendgrid/csharp_all_events_bom.json": Expected(200, _EACH_TYPE),
    "sendgrid/derived_01_reserialised_json.bin": Expected(200, _EACH_TYPE),
    "sendgrid/derived_01_reserialised_json.sig.json": Expected(401),
    "sendgrid/derived_02_lf_instead_of_crlf.bin": Expected(200, _EACH_TYPE),
    "sendgrid/derived_02_lf_instead_of_crlf.sig.json": Expected(401),
    "sendgrid/derived_03_stripped_trailing_newline.bin": Expected(200, _EACH_TYPE),
    "sendgrid/derived_03_stripped_trailing_newline.sig.json": Expected(401),
    "sendgrid/derived_04_events_reordered.bin": Expected(200, _EACH_TYPE[::-1]),
    "sendgrid/derived_04_events_reordered.sig.json": Expected(401),
    "sendgrid/docs2022_open_machine_and_bounce_classification.json": Expected(
        200, (("opened", "machine="), ("bounced", "reason=500 unknown recipient"))
    ),
    "sendgrid/docs2025_account_status_change.json": _one(
        "noted", "kind=account_status_change", "status=compliance_suspend", "lead_email=", "references="
    ),
    "sendgrid/docs_01_all_types.json": Expected(200, _EACH_TYPE),
    "sendgrid/docs_02_processed.json": _one("noted", "kind=processed"),
    "sendgrid/docs_03_dropped.json": _one("noted", "kind=dropped"),
    "sendgrid/docs_04_delivered.json": _one("delivered"),
    "sendgrid/docs_05_deferred.json": _one("noted", "kind=deferred"),
    "sendgrid/docs_06_bounce.json": _one("bounced", "reason=500 unknown recipient"),
    "sendgrid/docs_07_bounce.json": _one("noted", "kind=blocked"),
    "sendgrid/docs_08_open.json": _one("opened", "machine="),
    "sendgrid/docs_09_click.json": _one("clicked", _LINK),
    "sendgrid/docs_10_spamreport.json": _one("spam_reported"),
    "sendgrid/docs_11_unsubscribe.json": _one("unsubscribed"),
    "sendgrid/docs_12_group_unsubscribe.json": _one("noted", "kind=group_unsubscribe", "asm_group_id=10"),
    "sendgrid/docs_13_group_resubscribe.json": _one("noted", "kind=group_resubscribe", "asm_group_id=10"),
    "sendgrid/docs_14_open.json": Expected(200, (("opened", "machine="), ("opened", "machine="))),
    "sendgrid/docs_15_open.json": Expected(200, (("opened", "machine="), ("opened", "machine="))),
    "sendgrid/docs_16_click.json": _one("clicked", "url=https://sendgrid.com"),
    "sendgrid/docs_17_processed.json": _one("noted", "kind=processed"),
    "sendgrid/docs_18__custom_args_only_.json": _one("noted", "kind=unknown"),
    "sendgrid/docs_19_open.json": _one("opened", "machine=", "occurred_at=2020-06-09T18:19:12.372000+00:00"),
    "sendgrid/docs_20_processed.json": _one("noted", "kind=processed"),
    "sendgrid/docs_21_processed.json": _one("noted", "kind=processed"),
    "sendgrid/docs_22_delivered.json": _one("delivered"),
    "sendgrid/docs_23_unsubscribe.json": _one("unsubscribed"),
    "sendgrid/docs_24_processed.json": _one("noted", "kind=processed"),
    "sendgrid/docs_25_click.json": _one("clicked", "url=http://yourdomain.com/blog/news.html"),
    "sendgrid/inbound_csharp_raw_email.eml": _one("replied", "text=Hello SendGrid!"),
    "sendgrid/inbound_go_bad.txt": Expected(400),
    "sendgrid/inbound_node_forwarded_reply.txt": _one("replied", _FORWARDED),
    "sendgrid/inbound_py_default.txt": _HELLO,
    "sendgrid/inbound_py_raw.txt": _HELLO,
    "sendgrid/inbound_py_raw_attachment.txt": _HELLO,
    "sendgrid/inbound_ruby_default_crlf.txt": _HELLO,
    "sendgrid/official_01_valid_single.sig.json": _one("noted", "kind=dropped"),
    "sendgrid/official_02_bad_key.sig.json": Expected(401),
    "sendgrid/official_03_bad_payload.sig.json": Expected(401),
    "sendgrid/official_04_bad_signature_py.sig.json": Expected(401),
    "sendgrid/official_10_valid_multi.sig.json": _TWO,
    "sendgrid/official_bad_payload.bin": Expected(400),
    "sendgrid/official_dropped_single.bin": _one("noted", "kind=dropped"),
    "sendgrid/official_processed_bounce_multi.bin": _TWO,
    "sendgrid/troubleshooting_curl.json": Expected(
        200, (("noted", "kind=processed"), ("clicked", "url=https://sendgrid.com"), ("noted", "kind=processed"))
    ),
}
