"""How each tone greets, opens, asks and signs. Data only; the calls to action go by the kind of what is asked for."""

import msgspec


class Tone(msgspec.Struct, frozen=True, kw_only=True):
    """`openers` carry the name of their hook; `follow_ups` open a second or later message to the same lead."""

    greetings: tuple[str, ...]
    openers: tuple[tuple[str, str], ...]
    follow_ups: tuple[str, ...]
    asks: dict[str, tuple[str, ...]]
    farewells: tuple[str, ...]
    subjects: tuple[str, ...]


TONES = {
    "professional": Tone(
        greetings=("Dear {{first_name}},", "Good morning {{first_name}},", "Hello {{first_name}},"),
        openers=(
            ("relevance", "I am writing because {{company}} came up in our work with <industry> companies."),
            ("social_proof", "We recently completed a project with <peer>, and part of it may be relevant to you."),
            ("trigger_event", "I noticed that {{company}} is growing its team, which usually puts <metric> under pressure."),
            ("research", "Our latest review of <industry> companies had one finding that concerns your role."),
        ),
        follow_ups=("I would like to follow up on my message of last week.", "Further to my earlier note, one addition.",
                    "I am returning to my earlier message with a concrete figure."),
        asks={
            "book_meeting": ("Would you be available for a 20-minute meeting next week?", "May I suggest a brief meeting on Tuesday or Thursday?",
                             "I would welcome a short conversation. Which day would suit you?"),
            "reply_yes": ("If this is of interest, a one-word reply is sufficient.", "Please let me know whether this is relevant to you."),
            "see_example": ("I would be pleased to send you a worked example for <industry>.", "A two-page summary is available; shall I send it?"),
        },
        farewells=("Kind regards,\nThe team", "Yours sincerely,\nThe team", "With best regards,\nThe team"),
        subjects=("Reducing <metric> at {{company}}", "<Metric>: results from <peer>", "A proposal for {{company}}", "<Industry>: an approach to <metric>"),
    ),
    "casual": Tone(
        greetings=("Hey {{first_name}},", "Hi {{first_name}}!", "Hi {{first_name}},"),
        openers=(
            ("curiosity", "Quick one, and then I'm out of your inbox."),
            ("pattern_interrupt", "No slides attached, promise."),
            ("personal_note", "Was reading about {{company}} over coffee and had a thought."),
            ("social_proof", "We just wrapped something fun with <peer>, and you came to mind."),
        ),
        follow_ups=("Me again, just bumping this up.", "Last week was probably busy, so here's the short version.",
                    "Didn't want this one to sink to the bottom."),
        asks={
            "book_meeting": ("Up for a quick chat this week?", "Got 15 minutes on Thursday? Coffee's on us, virtually.", "Want to hop on a call and see it live?"),
            "reply_yes": ("Just hit reply with a yes and I'll take it from there.", "Sound like you? Shoot me a line."),
            "see_example": ("Want the two-minute video?", "Happy to ping you an example. Just say so!"),
        },
        farewells=("Cheers,\nthe team", "Talk soon,\nthe team", "Thanks a bunch,\nthe team"),
        subjects=("Quick thought on <metric>", "{{first_name}}, got a sec?", "This one's about <metric>", "Less <metric>, more coffee"),
    ),
    "consultative": Tone(
        greetings=("Hello {{first_name}},", "Hi {{first_name}},", "Dear {{first_name}},"),
        openers=(
            ("question", "May I ask how {{company}} looks at <metric> today?"),
            ("insight", "In conversations with <industry> leaders, we keep hearing that <worry>."),
            ("shared_goal", "I imagine that this year you would like to <goal>."),
            ("social_proof", "We learned something while working with <peer> that could help you decide, with us or without."),
        ),
        follow_ups=("I thought some more about my question of last week.", "Since my last note, I looked up how others measure <metric>.",
                    "One more perspective on what I wrote, in case it is useful."),
        asks={
            "book_meeting": ("Would it help to compare notes for half an hour?", "Could we look at your numbers together, with no obligation?",
                             "How would it be to think this through on a call?"),
            "reply_yes": ("How does this look from where you sit?", "Does this match what you see, or is it different at {{company}}?"),
            "see_example": ("I could share how <peer> went about it, if that is of use.", "Shall I send the questions we usually begin with?"),
        },
        farewells=("Warm regards,\nThe team", "Looking forward to your view,\nThe team", "All the best,\nThe team"),
        subjects=("How do you look at <metric>?", "A question about <metric> at {{company}}", "What we learned from <peer>", "Thinking about <metric> this year?"),
    ),
    "direct": Tone(
        greetings=("{{first_name}},", "Hi {{first_name}},", "{{first_name}}, straight to it:"),
        openers=(
            ("bold_claim", "We can cut <metric> by <n> percent. Here is how."),
            ("pain_point", "You have a problem with <metric>. So does everyone in <industry>."),
            ("scarcity", "We take on <n> companies this quarter. One of them could be {{company}}."),
            ("social_proof", "<Peer> did this in <n> days. You can too."),
        ),
        follow_ups=("Second try. It is worth it.", "You have not answered yet, so here is the figure again: <n> percent.", "Short reminder."),
        asks={
            "book_meeting": ("15 minutes, Tuesday at ten. Yes?", "Book a slot. Bring your numbers.", "Call me this week."),
            "reply_yes": ("Yes or no is enough.", "Reply with a number and I will call you."),
            "see_example": ("See the example, then decide.", "Ask for the case. It is one page."),
        },
        farewells=("The team", "- The team", "Regards, the team"),
        subjects=("<n> percent less of it: <metric>", "{{company}}: <metric>", "Decision needed on <metric>", "Fix <metric> this quarter"),
    ),
}  # fmt: skip
