"""What a mail's headers alone say of a reply: that a machine wrote it, or that a mail program unsubscribes its user."""

import re
from collections.abc import Mapping


def is_automatic(headers: Mapping[str, str]) -> bool:
    """A machine answered: Auto-Submitted (RFC 3834) and its forerunners, mass mail, and reports about delivery (RFC 3462).

    The names of the headers are lower-case.
    """
    submitted = re.split(r"[;\s(]", headers.get("auto-submitted", "no").lower(), maxsplit=1)[0]
    return (
        submitted not in ("no", "")
        or any(headers.get(name, "no").lower() not in ("no", "") for name in ("x-autoreply", "x-autorespond", "x-autoresponder"))
        or any(name in headers for name in ("x-auto-reply-from", "x-autoreply-from", "x-mail-autoreply", "x-failed-recipients"))
        or headers.get("precedence", "").lower() in ("bulk", "junk", "auto_reply", "auto-reply")
        or headers.get("return-path") == "<>"
        or headers.get("content-type", "").lower().startswith("multipart/report")
    )


def wants_unsubscribe(headers: Mapping[str, str]) -> bool:
    """The mail is the one that a mail program sends for a List-Unsubscribe address (RFC 2369): its subject says that and nothing else."""
    return headers.get("subject", "").strip().lower() == "unsubscribe"
