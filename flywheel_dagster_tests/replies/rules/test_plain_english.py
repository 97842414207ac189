"""Plain English that anybody would expect to be read right: what people answer most, in the ways they say it."""

import pytest

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules

# What is said: sentiment, interest (several where either is fair), objection (likewise), and ways to say it.
_PLAIN = {
    "enthusiasm": (
        "positive",
        "high medium",
        "none",
        "I love this.|This looks great!|Sounds amazing.|Wow, that is exactly what we need.|Great timing, we were just talking about this.|"
        "We're very interested.|I am interested.|Yes, interested!|We'd be keen on that.|This is right up our alley.|Count me in.|"
        "I'm impressed by what you've built.|Very interesting, thanks for getting in touch.|Yes please!|Absolutely, yes.|Sure, why not?|"
        "Why not.|I don't see why not.|Can't say no to that.|Wouldn't mind learning more about it.|I wouldn't say no to a demo.|"
        "No objections from our side, go ahead.|Nothing against a call.|We have no objections to a meeting.|I have nothing against a quick chat.|"
        "You've got my attention.|Consider me intrigued.|That could really help us.|This could be a good fit for our team.|Looks promising!|"
        "We have been looking for something like this.|Exactly what I was looking for.|You caught me at the right moment.|I'm all ears.|"
        "Let's do it.|I'm in.|We want this.|Happy to learn more.|Tell me more.|Please tell me more.|Please do send it over.|Yes, please do.|"
        "Interested.|Definitely interested, thank you.|It's not uninteresting.|Not a bad idea at all, tell me more.|I'd love to hear more.",
    ),
    "accepts a meeting": (
        "positive",
        "high",
        "none",
        "Thursday after 3 works.|Tuesday at 10 is fine.|Let's talk on Monday.|Ring me tomorrow.|Give me a call on Friday morning.|"
        "Send me an invite.|Please send a calendar invite.|Could we speak next week?|Can we schedule a call?|I'm free on Wednesday afternoon.|"
        "I am available all day Thursday.|Does Monday at 2pm suit you?|How about Thursday?|What about next Tuesday at eleven?|"
        "Let's set up a call.|Happy to jump on a call.|I'd be glad to meet.|We would like a demo.|Can you show us a demo next week?|"
        "Book me in for Wednesday.|I've booked a slot in your calendar.|Here's my calendar link.|You can reach me at 555 0100 any time after lunch.|"
        "Call me tomorrow at 9.|Please call me.|Sure, let's chat next week.|Friday works for me.|Works for me.|That time suits us.|"
        "I can do Tuesday or Thursday.|Next week is good.|Let's meet for a coffee.|When can we talk?|When are you available?|"
        "I accept your invitation, see you on Monday.|Confirmed, talk to you on Tuesday.|Looking forward to our call.|See you Thursday.|"
        "Sounds good, 3pm tomorrow?|Yes, a short call would be fine.|15 minutes next week should be OK.|Ok, let's talk. My number is 555 0100.|"
        "Great, could you send a couple of times?|No problem, Monday at 4 it is.|Tomorrow is fine.|Not Tuesday, but Wednesday works.|"
        "I can't do Monday, but Tuesday at 10 works.|Can't make it today, how about tomorrow?|Drop by our office next week.|I'd be happy to have a call.",
    ),
    "asks": (
        "positive",
        "high medium",
        "none",
        "How does it work?|Does it integrate with Salesforce?|What makes you different from the others?|Can you send me more information?|"
        "Please send me some details.|Could you share a case study?|Do you have references in our industry?|Is it GDPR compliant?|"
        "How long does the setup take?|Where is the data stored?|Can we try it for free?|Is there a trial?|Do you support German?|"
        "What would you need from us?|How many customers do you have?|Who else is using this?|What exactly do you offer?|"
        "I have a few questions.|I'd like to know more about the integration.|Send me the brochure, please.|Could you send over a deck?|"
        "Can it handle 500 users?|Would this work for a small team?|How is this different from what HubSpot does?|How quickly can we start?|"
        "Can you explain how you would do that?|What results have you seen with companies like ours?|Is this available in Canada?|"
        "Can you tell me a bit more?|Do you also work with non-profits?|Could I see some examples?|More info please.|Send more info.|"
        "Please forward me your presentation.|What's the catch?|Does it also work on a Mac?|What are the next steps?|Which plan would suit us?|"
        "Do you offer training?|Is there an API?",
    ),
    "asks for the price": (
        "positive",
        "high medium",
        "none",
        "How much is it?|What does it cost?|What's the price?|Could you send me your price list?|Can you give me a quote?|What are your rates?|"
        "Price?|Pricing?|How much would it be for 20 people?|What would that cost us per month?|Please send pricing.|Do you have pricing information?|"
        "What is the monthly fee?|Can you share your pricing?|Interested, but how much does it cost?|What's your pricing like?|Is it expensive?|"
        "Roughly what are we talking about in terms of cost?|Please let me know your prices.|Are there any discounts?",
    ),
    "acknowledges": (
        "neutral",
        "low",
        "none",
        "Thanks.|Thank you!|Ok.|Okay, thanks.|Got it.|Noted.|Received, thank you.|Thanks for your message.|Thank you for reaching out.|"
        "Thanks for the info.|Understood.|Thanks for letting me know.|Many thanks for your email.|Thanks for sharing.|Alright.|"
        "Noted with thanks.|Appreciate the note.|Thanks, I received it.|Message received.|OK, got your mail.|"
        "Thanks for getting in touch.|I've read your email.|Thanks, Bob.|Cheers.",
    ),
    "will look": (
        "neutral",
        "low medium",
        "none",
        "I'll have a look.|Thanks, I'll take a look when I get a chance.|Will read it later.|Let me think about it.|I'll think about it.|"
        "We'll see.|I'm not sure yet.|I will consider it.|Maybe.|Perhaps.|We need to think about it.|I'll review it and let you know.|"
        "Thanks for reaching out. I'll have a look when I find the time.|I'll get back to you.|We will come back to you if we're interested.|"
        "Let me sleep on it.|It depends.|I can't promise anything.|I don't know yet.|We're still undecided.|Give me some time to read it.|"
        "I need to think about it first.",
    ),
    "not now, but later": (
        "neutral",
        "medium",
        "timing",
        "Not right now, but try me again in spring.|Please get back to me in September.|Now is not a good time, maybe next quarter.|"
        "Too busy at the moment, ask me again next month.|Call me in January.|Could you contact me again after the holidays?|"
        "We're swamped until March. Let's talk then.|Reach out again next year.|Not this year, but maybe in 2027.|"
        "Let's revisit this in Q3.|Can you follow up in six months?|I'm travelling, please write again in two weeks.|"
        "It's too early for us, come back in the summer.|We are in the middle of a move, check back in May.|Bad timing, maybe later in the year.|"
        "This isn't a priority now, but it will be next year.|Ping me in a few weeks.|We'll look at this again in autumn.|"
        "The timing isn't right. Try again next quarter.|Maybe next year.|Circle back after Easter, please.|Not yet.|"
        "Let's talk again in the new year.|Ask me in a month.",
    ),
    "not now": (
        "neutral",
        "medium low",
        "timing",
        "Not now.|Bad timing.|Now's not a good time.|I'm too busy right now.|We have no time for this at the moment.|"
        "It's not the right time for us.|Not at the moment, thanks.|We're very busy these days.|I don't have time right now.|Not at this time.",
    ),
    "others decide": (
        "neutral",
        "low medium",
        "authority",
        "I need to check with my boss.|I have to ask my manager first.|That's not my decision.|It's not up to me.|I'm not the decision maker.|"
        "Let me run this by my team.|I'll discuss it with my partner.|My boss decides on that.|I don't decide on tools.|"
        "I'll have to talk to our CEO.|The board has to approve it.|Our head office makes these decisions.|I can't decide that alone.|"
        "I will have to get approval from finance.|We need to discuss this internally.|I don't have the authority to buy anything.|"
        "I'd need sign-off from my director.|My wife decides these things.|I'll bring it up with management.|"
        "I have to check with my colleagues first.|It's my manager's call.",
    ),
    "points to somebody": (
        "neutral",
        "none low medium",
        "none authority",
        "You should talk to our head of marketing.|Please contact my colleague Anna Smith.|Anna handles that.|The right person is Tom Brown.|"
        "Please write to purchasing@example.com.|I've forwarded your email to our IT manager.|I'm passing this on to Maria.|"
        "My colleague will get back to you.|You'd better speak with our operations director.|Try our procurement department.|"
        "I have copied Jane, who is responsible for this.|Adding Tom, who looks after our tools.|Please get in touch with our sales lead instead.|"
        "Our CTO would be the best person to ask.|I've passed it on to the person in charge.|Ask John, he runs marketing.|"
        "Someone else in my team takes care of this.|Please direct this to HR.|I forwarded this to my boss.|CC'ing Laura here.",
    ),
    "wrong person": (
        "neutral",
        "none",
        "none authority",
        "You have the wrong person.|I'm not the right person for this.|Wrong person.|I think you've got the wrong address.|"
        "I don't work in marketing.|I'm not responsible for this.|That's not my department.|This is not my area.|"
        "You must be confusing me with someone else.|I think this was meant for someone else.|I have nothing to do with purchasing.|Wrong number.|"
        "Sorry, I am not the right contact.|I don't handle that.|I'm no longer in charge of this.",
    ),
    "has left": (
        "neutral",
        "none",
        "none authority",
        "John no longer works here.|She has left the company.|He doesn't work here anymore.|I don't work there any more.|"
        "I left the company last year.|Mark is no longer with us.|He retired in June.|I no longer work for Acme.|"
        "The person you are trying to reach has left our organisation.|I've changed jobs.",
    ),
    "door left open": (
        "neutral",
        "medium low",
        "none timing not_interested no_need",
        "Keep me posted.|Please keep me in the loop.|Let's stay in touch.|I'll keep your details on file.|We'll keep you in mind.|"
        "Nothing right now, but keep in touch.|I'll reach out if anything changes.|We'll contact you if we need something.|"
        "Not at the moment, but I'll keep your card.|Put me on your newsletter, please.|If the need arises, I'll let you know.|"
        "Nothing at the moment, but let's keep in touch.|Feel free to check in again next year.|I'll let you know when we need it.|"
        "Got it. I'll keep your note on file.|Let's connect on LinkedIn.|Saved your email for later.|"
        "I'd be open to it in the future.|Perhaps in the future.",
    ),
    "declines warmly": (
        "negative",
        "none",
        "not_interested",
        "Thanks so much for thinking of us, but we'll pass.|It sounds great, but it's not for us.|I appreciate it, but no thanks.|"
        "Thank you for the kind offer, but I must decline.|Very kind of you, but we're not interested.|Lovely idea, but not for us. Good luck!|"
        "Thanks, but no thanks.|Great product, but I'll have to say no.|I'm flattered, but no.|We appreciate the offer, but have decided against it.|"
        "Unfortunately we're not interested.|I'm afraid this isn't a fit for us.|Sorry, but we're not interested at this point.|"
        "Thanks for the great presentation, but we've decided not to go ahead.|While it looks interesting, we're going to pass.|"
        "It was nice talking to you, but we won't be moving forward.|Interesting, but not for me.|Good luck with it, but it's not for us.|"
        "We'd love to, but we can't.|Thank you, but I don't think it's right for us.|Nice try, but no.|I wish you all the best, but we'll pass.|"
        "Sadly, not interested.|With all due respect, no.|It's a no from us, thanks.|Please understand that we are not interested.|"
        "This isn't relevant for us.|Not really our thing, thanks.|We'd rather not.|I'd rather not, thanks.|Doesn't sound like something for us.|"
        "I'm sure it's great, but it isn't for us.|Thanks for asking, but no.|We have decided not to pursue this.|We've gone in another direction.",
    ),
    "declines bluntly": (
        "negative",
        "none",
        "not_interested",
        "No.|Nope.|Not interested.|No thanks.|No, thank you.|No interest.|I'm not interested.|We are not interested.|Pass.|Hard pass.|Never.|"
        "I am not at all interested.|Absolutely not.|Definitely not.|I don't want this.|We don't want it.|No way.|Not for us.|I said no.|"
        "Not interested in the slightest.|We have no interest in this.|We've no interest whatsoever.|I'm really not interested.|Nah.|"
        "I can't say that I'm interested.|I don't think we're interested.|I wouldn't be interested.|We won't be buying.|That is of no interest to us.|"
        "I see no point in a call.|I don't want a demo.|We don't want a call.|Please don't schedule a meeting.|I don't wish to speak to you.|"
        "There's no point in talking.|Don't bother.|Don't waste your time.|I'll never buy this.|Nobody here is interested.|No one on my team wants this.|"
        "I doubt it.|Not a chance.|My answer is still no.",
    ),
    "annoyed": (
        "negative",
        "none",
        "not_interested",
        "Why do you keep emailing me?|This is spam.|Stop spamming me!|Leave me alone.|Go away.|Get lost.|I never asked for this.|"
        "This is the fifth email from you. Enough.|You are wasting my time.|How did you get my email address?|Who gave you my number?|"
        "I'm sick of these sales emails.|Your emails are annoying.|I've told you twice already, no!|What part of no don't you understand?|"
        "Do you ever give up?|I will report you for spam.|Are you serious?|Stop bothering us.|Your pitch is terrible.|Did you even read our website?|"
        "I didn't sign up for this.|This is harassment.|Quit pestering me.|I hate cold emails.|You clearly did no research.|F*** off.|Take a hint.",
    ),
    "mocks": (
        "negative",
        "none",
        "not_interested",
        "Oh great, another sales email.|Wow, yet another AI tool. Just what I needed.|Sure, because I have nothing better to do.|"
        "Congratulations on the worst pitch of the week.|Yeah, right.|Thanks for nothing.|How original.|Great, more spam.|"
        "I just love getting emails from strangers.|Did a robot write this?|Lucky me, another template.|Hello {first_name} to you too.",
    ),
    "threatens": (
        "negative",
        "none",
        "not_interested",
        "You'll hear from my lawyer.|This violates the GDPR.|I will file a complaint with the data protection authority.|"
        "I'm going to take legal action if you write again.|I'm reporting you to the ICO.|Under GDPR I ask you to delete my data.|"
        "I never consented to being contacted.|Sending unsolicited email is illegal.|Our legal department will be in touch.",
    ),
    "unsubscribes": (
        "negative",
        "none",
        "not_interested",
        "Unsubscribe.|Please unsubscribe me.|Stop.|Remove me.|Please remove me from your list.|Take me off your mailing list.|Opt out.|"
        "I'd like to opt out.|Please stop emailing me.|Don't email me again.|Do not contact me again.|Please don't contact us anymore.|"
        "Stop sending me these.|Delete my email address.|Please delete my data.|Don't write again.|Please do not write to me again.|"
        "I don't want to receive your emails.|I no longer wish to receive these messages.|Please take us off your list.|Lose my number.|"
        "No more emails, please.|Please cease all contact.|Kindly remove my address from your database.|I want to unsubscribe.|"
        "How do I unsubscribe?|Can you remove me from this list?|Could you please take me off this list?|Would you please stop contacting me?|"
        "Please don't send me any more emails.|Remove us from your database.|Unsubscribe me from this, thanks.|Never contact me again.|"
        "I want to be removed from your mailing list.|Please erase my details.|Stop contacting me.|Please don't email me.|"
        "We don't wish to be contacted again.|Don't call me again.|Please never write to this address again.|Not interested, please remove me.|"
        "Get me off this list.|Strike me from your list.|Please make sure I don't get any more of these.|Please stop writing.|"
        "I would appreciate it if you stopped emailing me.|Please refrain from contacting me.|I ask you not to write to me again.|Don't contact me.",
    ),
    "has somebody": (
        "negative",
        "none",
        "competitor",
        "We already use HubSpot.|We're happy with our current provider.|We have a supplier for that.|We work with another agency.|"
        "We already have someone for this.|We have somebody for that.|My brother-in-law does our signage.|We just signed with a competitor.|"
        "We're under contract until 2028.|We switched to Salesforce last month.|Our current vendor does all of that. Please don't follow up.|"
        "We've been with our provider for ten years.|We're locked into a contract.|We went with someone else.|"
        "We use something similar already.|Our agency takes care of it.|Sorry, we've chosen another vendor.|We've already got a tool for that.|"
        "We have a long-standing partner for this.|Another company does that for us.|We're using another tool already and have no reason to change.|"
        "We're satisfied with our existing solution.|I already work with somebody.|We don't want to switch providers.|"
        "No thanks, we're with Pipedrive.|We're sticking with what we have at Zendesk.|Our accountant handles that.|"
        "We signed with one of your competitors in spring, so no.|A friend of mine does that for us.|We are committed to our current supplier.",
    ),
    "too dear": (
        "negative",
        "none",
        "price",
        "Too expensive.|That's too expensive for us.|It's out of our budget.|We can't afford it.|We don't have the budget.|No budget.|"
        "There's no money for this.|The price is too high.|Way too pricey for a small company.|Your prices are ridiculous.|We don't have that kind of money.|"
        "That's more than we can spend.|It costs too much.|It isn't worth the money.|It's not worth it at that price.|"
        "We won't pay that much for something like this. Please don't call.|I can get it cheaper elsewhere.|Sorry, we've no budget for that.|"
        "We cannot justify the cost.|Above our budget, sorry.|Far too expensive for a company like ours. No.|"
        "I saw your prices and they make no sense for us.|We have zero budget.|I like it, but it's too expensive.|Great tool, but we can't afford it.",
    ),
    "no need": (
        "negative",
        "none",
        "no_need",
        "We don't need this.|No need.|We don't need it, thanks.|We do this in-house.|That's handled internally.|We built our own.|"
        "We're all set.|We're all set, thanks.|We're good, thanks.|We are covered.|We're sorted.|I'm good.|All good here, thanks.|We're fine as we are.|"
        "We are too small for that.|We don't do outbound.|We have our own team for that.|That's not a problem we have.|This is not a priority for us.|"
        "We manage fine without it.|Our process works fine.|We don't have any use for it.|I have no need of that.|We're just two people, so no.|"
        "We have no use for this.|We've got it covered.|There's no need for it here.|Our current process works well.|We don't sell online.|"
        "We are closing the business.|We never advertise.|We already solved this ourselves.|I see no need for this.|We don't see a need.|"
        "We have everything we need.|Excel does the job for us.|We don't require your services.|It's nothing we need.|"
        "We've all the help we need.|It's overkill for us.|It would be of no use to us.|You have misread what we do. It's of no use to us.|"
        "We take care of that ourselves.|We do it ourselves.|No, we're all good.|Thank you, but we have no need for that.",
    ),
    "an obstacle, but open": (
        "neutral",
        "medium",
        "price competitor",
        "No budget this year, but ask me again in January.|It's too expensive for now, maybe next year.|"
        "We're with another provider until next summer, get back to me then.|Our contract runs until March. Reach out in February.|"
        "We can't afford it now, but keep me posted.|There is no budget for this until the new year. Keep me posted.",
    ),
    "a machine answers": (
        "neutral",
        "none",
        "none",
        "I am out of the office until Monday.|I'm on vacation until August 12.|Out of office: back on 3 June.|I am currently on annual leave.|"
        "Thank you for your message. I am away with limited access to email.|This is an automated reply.|"
        "I am on maternity leave. For urgent matters please contact Jane.|We have received your request and will reply within 24 hours.|"
        "This mailbox is not monitored.|Your ticket has been created.|Thank you for contacting support. A member of our team will be in touch shortly.|"
        "I will be out of the office from 3 to 10 May and will respond when I return.|Delivery has failed to these recipients.|"
        "Our offices are closed for the holidays.|Automatic reply: I am travelling this week.|Please do not reply to this email.|"
        "I'm on parental leave until September.|I'm away until Tuesday and will answer on my return.|"
        "Thanks for your email. I'm out of the office this week without access to my mail.|I'm on holiday and not reading emails until the 5th.",
    ),
}


@pytest.mark.parametrize("said", _PLAIN)
def test_plain_english_is_read_rightly(said):
    sentiment, interest, objection, texts = _PLAIN[said]
    wrong = []
    for text in texts.split("|"):
        found = classify_by_rules(own_words(text))
        right = found["sentiment_label"] == sentiment and found["interest_level"] in interest.split()
        if not (right and found["objection_type"] in objection.split()):
            wrong.append((text, found["reasoning"]))
    assert wrong == []
