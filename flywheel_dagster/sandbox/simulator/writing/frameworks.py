"""The paragraphs of each framework, in order, each in several wordings. Data only; `<...>` is filled by `compose.py`."""

Part = tuple[str, ...]

FRAMEWORKS: dict[str, tuple[Part, ...]] = {
    # Problem, agitation, solution.
    "PAS": (
        (
            "Most people in your seat name the same trouble first: <pain>.",
            "<Pain>: in <industry> that is rarely on anyone's list, and always on the bill.",
            "If {{company}} is like other <industry> teams, <pain> takes up more of the week than anyone planned.",
            "There is a quiet cost in <industry>: <pain>.",
            "Who owns <pain> at {{company}}? In most teams the answer is nobody.",
        ),
        (
            "Left alone it grows. <Worry>, and those who could fix it are busy elsewhere.",
            "It seldom shows in a report, yet <worry>.",
            "The usual answer is one more meeting. Meanwhile <worry>.",
            "After <n> weeks of it, <worry>; after a year it feels normal.",
            "It would be bearable if it stayed small. But <worry>.",
        ),
        (
            "We built <offer>. With it, <peer> brought <metric> down by <n> percent and could finally <goal>.",
            "That is what <offer> is for: it takes the problem off the table, so that you can <goal>.",
            "<Peer> solved it with <offer>: <n> percent less of it in one quarter, measured by <metric>.",
            "There is a plain way out. We set up <offer> in <n> days, and you <goal>.",
        ),
    ),
    # Attention, interest, desire, action.
    "AIDA": (
        (
            "<n> percent: that is how much of <metric> <peer> got rid of this year.",
            "What if <pain> were simply gone by the end of the quarter?",
            "One number from <industry> surprised us: <n> hours a month, lost to <pain>.",
            "Three <industry> teams asked us the same question this month. It was about <pain>.",
        ),
        (
            "Behind it is <offer>. It looks at what you have already and points to the few places where <metric> is made.",
            "The interesting part: nothing had to be replaced. <Offer> sits beside the tools you have.",
            "We looked at <n> companies in <industry>. The good ones watch <metric> daily, with <offer>.",
            "It starts from your own records. <Offer> reads them and shows where <metric> comes from.",
        ),
        (
            "Imagine being able to <goal>, without a project and without new staff.",
            "For you it would mean one thing above all: to <goal>.",
            "People in your position tell us that they can <goal> for the first time.",
            "In <n> days you could <goal>, and show the figures to prove it.",
        ),
    ),
    # Before, after, bridge.
    "BAB": (
        (
            "Today: <pain>, and a team that works around it.",
            "Right now, I'd guess, <worry>. That is how most weeks in <industry> go.",
            "Before they called us, <peer> lived with <pain>.",
            "Picture last Monday. <Pain>, again, and the day was gone by eleven.",
        ),
        (
            "Now picture {{company}} in <n> weeks: <metric> is down by a third, and you <goal>.",
            "After: <n> percent less of it, as <metric> shows, and time to <goal>.",
            "A few weeks later the same team could <goal>. <Metric> hardly came up any more.",
            "Things look different when you can <goal>. Mornings are calm, and <metric> is a line that falls.",
        ),
        (
            "The way from here to there is <offer>. Setting it up takes <n> days.",
            "What lies between the two is smaller than it seems: <offer>, and one afternoon with your data.",
            "<Offer> is the bridge. <Peer> crossed it in <n> working days.",
            "How? With <offer>, introduced one team at a time.",
        ),
    ),
    # Features, advantages, benefits.
    "FAB": (
        (
            "We make <offer>, with import from every common system, alerts and an audit trail.",
            "<Offer> comes with <n> ready-made reports for <industry>.",
            "Our product is <offer>. It updates every <n> minutes and needs no installation.",
            "New this month in <offer>: a live view of <metric>, by site and by team.",
        ),
        (
            "Compared with spreadsheets, that means no copying, and no more <pain>.",
            "The advantage: <metric> is measured where it arises, not at the end of the month.",
            "Unlike larger suites, it deals with <pain> on the first day.",
            "Where others need a consultant, <peer> was running within <n> days.",
        ),
        (
            "The benefit for you: to <goal>.",
            "In the end it lets you <goal>.",
            "For a team like the one at {{company}}, it pays for itself through <metric> alone.",
            "So you can <goal>, and <metric> drops by up to <n> percent.",
        ),
    ),
}
