"""Pages for people: sign in with a key, see the flywheel at a glance, and say what became of leads. Made on the server, without scripts and without anything from elsewhere."""

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from flywheel_dagster.api.pages.answering import answered
from flywheel_dagster.api.pages.feedback import say_outcome, show_leads
from flywheel_dagster.api.pages.overview import show_overview
from flywheel_dagster.api.pages.signing_in import show_form, sign_in, sign_out
from flywheel_dagster.api.pages.static_files import serve_file


class Page(Route):
    """A route that isn't in /openapi.json, being no interface for programs; logs and figures know it by its path, as they know the others."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        scope["route"] = self
        await super().handle(scope, receive, send)


def pages() -> list[Page]:
    """The pages' routes."""
    return [
        Page("/", answered(show_overview), methods=["GET"]),
        Page("/feedback", answered(show_leads), methods=["GET"]),
        Page("/feedback", answered(say_outcome), methods=["POST"]),
        Page("/login", answered(show_form), methods=["GET"]),
        Page("/login", answered(sign_in), methods=["POST"]),
        Page("/logout", answered(sign_out), methods=["POST"]),
        Page("/static/{name}", serve_file, methods=["GET"]),
    ]
