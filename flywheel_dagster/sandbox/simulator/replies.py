"""How people answer, in words: which kind of reply, what it says, and the marks a careful reader would give it."""

from typing import Literal

import msgspec

from flywheel_dagster.outcomes.messages import SentMessage
from flywheel_dagster.sandbox.simulator.draws import pick, stream

Sentiment = Literal["positive", "neutral", "negative"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One way to answer. `texts` are bodies without greeting and signature; some are not in English."""

    interested: bool
    interest_level: Literal["high", "medium", "low", "none"]
    objection_type: Literal["price", "timing", "authority", "competitor", "not_interested", "no_need", "none"] = "none"
    texts: tuple[str, ...]


class Words:
    """The replies of a world. The same message always gets the same words."""

    def __init__(self, seed: int) -> None:
        self._draw = stream(seed, b"reply")

    def reply(self, key: bytes, sentiment: Sentiment, message: SentMessage) -> tuple[Kind, str]:
        """The kind and the full text of an answer; e-mails may carry a signature and the quoted message."""
        u = self._draw(key)
        kind = pick(KINDS[sentiment], u[0])
        text = pick(kind.texts, u[1])
        if message.channel != "email":
            return kind, text
        if u[2] < 0.4:
            text = f"{pick(GREETINGS, u[3])}\n\n{text}"
        if u[4] < 0.6:
            text = f"{text}\n\n{pick(SIGNATURES, u[5])}"
        if u[6] < 0.25:
            quoted = "\n".join(f"> {line}" for line in message.message_body.splitlines())
            text = f"{text}\n\nOn {message.sent_at:%a, %d %b %Y at %H:%M}, the sales team <team@mail.example.com> wrote:\n{quoted}"
        return kind, text

    def away(self, key: bytes) -> str:
        """An automatic reply."""
        return pick(AWAY, self._draw(key)[7])


GREETINGS = ("Hi,", "Hello,", "Hi there,", "Hey,", "Good morning,")
SIGNATURES = ("Best", "Thanks", "Best regards", "Cheers", "Kind regards", "Sent from my phone", "Regards\nTel. +1 555 0100")
BOUNCE_REASONS = (
    "550 5.1.1 user unknown", "552 5.2.2 mailbox full", "550 5.7.1 blocked by policy", "551 5.1.8 domain not found",
)  # fmt: skip
AWAY = (
    "I am out of the office until Monday with limited access to e-mail.",
    "Thank you for your message. I am travelling this week and will answer on my return.",
    "Automatic reply: I am on parental leave until September. Please write to the team address.",
    "Ich bin bis zum 14. nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.",
    "Je suis absente jusqu'au 3. Pour toute urgence, contactez l'accueil.",
)

KINDS: dict[Sentiment, tuple[Kind, ...]] = {
    "positive": (
        Kind(
            interested=True,
            interest_level="high",
            texts=(
                "This is timely. Can we schedule a call next week? Tuesday or Wednesday morning works for me.",
                "Yes, let's talk. Please send me a couple of times.",
                "Love this. Let's schedule a demo, I'd like two colleagues to join.",
                "Interested! How soon could we start, and what would you need from us?",
                "Great note. I have budget for exactly this. Could you call me on Thursday afternoon?",
                "Tell me more, ideally on a short call. My calendar is open on Friday.",
                "That problem is on my desk right now. When can you show me how it works?",
                "Klingt sehr gut, das Thema haben wir gerade. Können wir nächste Woche telefonieren?",
                "Très intéressant, je veux bien en discuter. Êtes-vous disponible jeudi ?",
                "Me interesa mucho. ¿Podemos hablar la próxima semana?",
            ),
        ),
        Kind(
            interested=True,
            interest_level="medium",
            texts=(
                "Sounds interesting. Does it connect to the CRM we already use?",
                "I like the idea. Could you send me an example from our industry?",
                "Good timing. What does a typical rollout look like?",
                "Happy to have a look. Could you share a one-page summary first?",
                "We were discussing this last week. How do other teams of our size use it?",
                "Thanks, this looks useful. Which of our data would you need?",
                "Das klingt spannend. Haben Sie ein Beispiel aus unserer Branche?",
                "Merci, cela semble utile. Pouvez-vous m'envoyer un exemple ?",
            ),
        ),
    ),
    "neutral": (
        Kind(
            interested=False,
            interest_level="low",
            texts=(
                "Thanks for reaching out. I'll have a look when I find the time.",
                "Noted, thank you.",
                "Got it. I'll keep your note on file.",
                "Thanks, received.",
                "Danke für die Nachricht, ich schaue es mir an.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="medium",
            objection_type="timing",
            texts=(
                "Not right now. Maybe next quarter, when our planning is done.",
                "We are in the middle of a migration, so please come back after the summer.",
                "The timing isn't right, our budget is fixed until January. Ask me again then.",
                "Busy season here. Could you write again in two months?",
                "En ce moment ce n'est pas possible, peut-être au prochain trimestre.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="low",
            objection_type="authority",
            texts=(
                "This is not my decision. I need to check with my boss first.",
                "You'd have to talk to our operations lead, I don't decide on tools.",
                "I've passed it on to the person in charge. No promises.",
                "Our head office selects suppliers, so I can't say yes or no.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="medium",
            objection_type="price",
            texts=(
                "There is no budget for this until the new year. Keep me posted.",
                "Could be of use one day, but right now it is above what we can pay.",
                "Maybe. Tools like this are often too expensive for us, so let's see after the summer.",
                "Este año no hay presupuesto. Quizás el próximo.",
            ),
        ),
    ),
    "negative": (
        Kind(
            interested=False,
            interest_level="none",
            objection_type="not_interested",
            texts=(
                "Not interested. Please remove me from your list.",
                "Please stop sending me these messages.",
                "No thanks. Unsubscribe me.",
                "I don't know how you got my address. Don't write again.",
                "Kein Interesse. Bitte nehmen Sie mich aus dem Verteiler.",
                "Cela ne m'intéresse pas, merci de ne plus m'écrire.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="none",
            objection_type="no_need",
            texts=(
                "We don't need this. Our own process works fine.",
                "This isn't a problem we have, so there is no point in talking.",
                "You have misread what we do. It's of no use to us.",
                "We built this ourselves years ago. No need.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="none",
            objection_type="competitor",
            texts=(
                "We're using another tool already and have no reason to change.",
                "We signed with one of your competitors in spring, so no.",
                "Our current vendor does all of that. Please don't follow up.",
            ),
        ),
        Kind(
            interested=False,
            interest_level="none",
            objection_type="price",
            texts=(
                "Far too expensive for a company like ours. No.",
                "I saw your prices and they make no sense for us.",
                "We won't pay that much for something like this. Please don't call.",
            ),
        ),
    ),
}
