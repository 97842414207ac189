"""Longer plain English: what people write in a sentence or two, read right as a rule."""

from flywheel_dagster.replies.own_words import own_words
from flywheel_dagster.replies.rules.classify import classify_by_rules

_REPLIES = {
    "positive": """
Sure, I could do Wednesday 10:30 or Thursday any time before lunch. Send an invite?
Hi Dana, yes this is a live problem for us. Who else in logistics are you working with?
Works for me. See you then!
Forwarded to my CTO and he's keen, he wants to know if you support SSO through Okta. Could we talk Friday?
Tuesday's out but I'm free Weds from 2. Will there be a recording for my colleague?
Go on then, 15 minutes. Monday at 9 before stand-up.
Count me in. Which days work on your side?
My boss asked me to set up a call with you. Does the 14th suit?
Curious how you got to the 30% figure. Was that across all customers?
We tried two of these and both fell over at scale. 12k SKUs, will yours cope?
The last lot took nine weeks to onboard us. Give me your honest number.
My predecessor swore by you. Where do I sign up for the same deal he had?
I owe you a reply. Tuesday the 9th, half past four, my office, second floor.
Would it survive a forklift driver with no patience? If yes, quote me for six.
Steep. But the downtime costs us more, so talk me through the numbers.
Hi Sam, perfect timing! We're reviewing our tools this month. Can you do a demo on the 14th?
Yes I'd be up for a chat. Mornings are best for me.
This looks relevant for us. What kind of companies do you usually work with?
Sure, send it over and I'll have a read. Could you include the costs?
Can you come to our office in Leeds?
I showed this to my boss and she wants to see it. When could you present?
We're currently unhappy with our provider, so your email came at the right time. What do you charge?
I don't usually reply to cold emails but this got my attention. Let's talk.
Is there a version for small teams?
Could be interesting. How long is the contract?
OK I'm curious. What have you got?
Please call my assistant to set something up.
We'd like to try it with two of our teams first. Is that possible?
My only question is whether it works offline.
I'm not saying no, show me a demo and convince me.
We already use Mailchimp. Can you do anything that they can't?
It's expensive, but I'd like to see it. When are you free?
Works for me! Talk Thursday.
4pm Friday, my office.
You had me at "free trial". Where do I sign up?
Would 30 minutes on Wednesday be possible?
Hey, can you give me a ring this afternoon?
Got five minutes tomorrow?
Ok you've convinced me, let's give it a go.
What sort of support do you offer, and is it included?
Do you have any customers in the hotel business?
Please share some more details, especially on security.
Let me know when you can talk.
Let me know your availability next week.
I'd like a quote for ten users please.
Happy to chat. How's Monday?
Sounds like something we could use. Got a brochure?
I've been meaning to look into this. Can we set something up for next week?
Thanks for this! Could you tell me how it compares with Hotjar?
Definitely something we need. What's the next step?
Yes, that would be helpful.
This is brilliant, I want in.
I wouldn't normally, but go on then, tell me more.
Don't see any reason not to meet. Tuesday?
No need to send anything in advance, just call me on Monday.
I'm out all week but Monday at 9 is good.
Sorry for the late reply! Yes, still interested, can we find a time?
I missed your call, please try again this afternoon.
We don't have anything like it at the moment, so yes, show me.
I can't make Thursday. Could we do Friday instead?
Sign me up!
Which countries do you ship to?
Would you be able to send a sample?
You're right, that's a problem for us. How do you solve it?
Thanks for your email. We'd be interested in learning more about your pricing and integration options.
This could be just what we're after. Are you around on Friday?
My team struggles with this every day. How do you handle refunds?
Please send me a link to book a time.
Let's get something on the calendar.
Sounds good! Looking forward to it.
Of course, I'd be delighted to meet you.
Next Wednesday would be ideal.
We're about to start a project like this, so your timing couldn't be better.
Give me a shout on Monday and we'll talk it through.
What happens to our data if we cancel?
Any chance of a discount for non-profits?
Who would we be working with on your side?
I'd need to see it in action first. Can you show me?
Good pitch. I'm in.
Can't wait to see it.
Cool, how do we get started?
Our current tool is terrible, so I'm open to ideas.
We're fed up with our present supplier. What can you do for us?
Absolutely! Anything to save time.
I'm free most afternoons.
Here's my number: 555 0100. Call any time.
Could we push it to 4?
3:30 works better for me.
Let's have lunch next week.
Please add my colleague to the invite.
I watched the video and I'm hooked.
How are you different from Acme, which we use today?
Do you have a local office?
Is training included in the price?
Count us in for the pilot.
I'd like to understand the technical side better.
It depends on the price. What would 50 licences cost?
Sure, but keep it short. Tuesday 9am.
You've made me curious. Go on.
OK let's talk, but only if it takes ten minutes.
Never thought I'd answer one of these, but yes, show me how it works.
Not sure I understand what you do. Can you explain?
Yes, we still have that problem. Let's talk about it.
Great. Please send the contract.
Thanks for the nudge. Yes, let's find a slot next week.
Am I right that this also covers invoices?
I like what I see. What would onboarding look like?
We're looking for exactly this kind of thing. Call me.
Go ahead and send the details.
How soon can you get us up and running?
I'd be happy to try it.
OK, I'll bite. What's it all about?
Put me down for the webinar on Thursday.
Great, see you then!
Do you work with schools at all?
I have two questions before we meet.
Wednesday or Thursday, whichever you prefer.
That would save us hours. When can you show it to the team?
Not now, I'm driving. Ring me at five.
Let's not beat about the bush: what's the price?
Could you explain what happens after the trial ends?
Sorry, I lost your earlier mail. Could you resend the offer?
Our contract with Acme ends in June so we'd like to hear your offer.
We have budget for this and want to move fast.
I don't mind a short call.
Yes I'm still keen, sorry for going quiet.
Please reserve a place for me.
Would love to.
You may call me on Tuesday.
Can we do it by video?
Is it OK if my partner joins the call?
This ticks a lot of boxes.
Do you take purchase orders?
I'd like to take you up on your offer.
""",
    "neutral": """
Noted.
ok
Received, thank you.
Ha, fair enough. Merry Christmas!
Thanks for the info!
I like it, but anything over 5k has to go past our CFO first. I'll bring it up on Monday.
Not my call alone. There's a committee that meets quarterly, I can put it on the agenda.
The trustees would have to bless it and they argue about biscuits for an hour first.
I am on parental leave until 3 March. For anything urgent write to ops@example.com.
Hi, Tom left the company in August.
Thank you for your message. This mailbox is no longer monitored.
Budget's spent for this year. New one opens in January, get back to me then.
I don't deal with vendors. Check with our office manager.
This belongs with Facilities. I don't have a name for you I'm afraid.
Bad week, kids are sick and we have a launch. Try me in a fortnight?
We're in the middle of a merger, so nothing new gets looked at until the dust settles. Happy to revisit in autumn.
Circle back in Q3 when we plan for next year.
The school year starts Monday and I won't surface until half-term.
Got both of your notes, have not had a minute to look at either.
Fine, send it, but I promise nothing.
I've put it in the folder with the others.
Leave me a brochure, I'll leaf through it over lunch.
Thanks Sam, I've saved this for later.
We're in budget season right now. Try again in Q2.
Let me get through this quarter first and then we can see.
I'm a bit snowed under. Could you drop me a line next month?
My colleague Petra deals with suppliers, her address is petra@example.com.
I'm just the receptionist, but I'll pass it on.
Our new CMO starts in May. She will decide.
This isn't something I can decide on my own.
We might look at this next year.
Can't say yet. Let me get back to you after the holidays.
I left that job in March, sorry.
You've reached the wrong department, we only handle invoices.
Mr. Jones doesn't work for us anymore.
Ok thanks for the update.
Thanks. Read it.
We'll discuss it at our next team meeting.
Not a priority right now but keep us in mind.
I'll keep it in the back of my mind.
We're covered until the end of the year, check with me then.
Not sure this is for us. I'll need to think about it.
I am on leave until 4 April. Please contact my deputy in urgent cases.
I'm currently travelling with limited email access.
Thank you for contacting Acme. We will get back to you within two business days.
We're moving offices in June, so nothing will happen before that. Feel free to try in July.
I'd have to clear this with legal.
It's something for our Berlin office, not us. Ask for Mrs Schmidt.
Forwarded to the team.
Interesting, but not this year. Maybe next.
Good to know you exist. No plans right now but who knows.
I only look after the shop, you want to speak to the owner.
Let me park this until after our audit.
I'm new here, so I don't know who handles that.
Could work, could not. I need to see what the others say.
Fine, I'll look at it at the weekend.
Got your voicemail.
Thanks for checking in, nothing new on our side yet.
No decision yet, we'll let you know.
Still waiting for approval.
We're closed for the season and reopen in April. Write to us then.
It's a maybe.
This has gone to our purchasing team, they'll contact you if interested.
Can't right now, sorry. In a few months perhaps.
Happy to revisit once we've raised our next round.
My diary's full till Easter.
Hi, I think you mean Sarah in finance.
It's not really my call to make.
I don't know anything about this, maybe ask the head of IT.
Hmm, let me sit on it.
Thank you for your email. I will review the information and get back to you.
We're going through a reorganisation. Can we pick this up in the autumn?
I've shared this with our VP of Sales for her review.
I'll circle back with you once we have clarity on next year's budget.
Please reach out to Maria Lopez, she's the one who manages vendors.
I'm on sabbatical until the end of the year.
I am no longer with Acme Corp. Please contact info@example.com.
Sorry, who are you looking for? This is Dave's phone, not Kevin's.
Not at the moment, but do check back.
Still thinking about it.
We haven't decided yet.
Everything's on hold until the merger goes through.
I passed your details to the right team.
That'd be a question for our finance director.
I'm not the one who makes those decisions.
Thanks, will keep it on file.
Got it, cheers.
We may be interested at some point.
I'd rather wait until the new year.
Too soon for us, we're only just starting up.
Let me talk to my business partner and see what she thinks.
It's on my list, I just haven't got to it.
Will think it over.
Sorry for the delay, it's been crazy here.
We'll be in touch if we want to take it further.
Come back to me when you have an Android version.
Currently attending a conference, expect delayed replies.
This inbox is no longer in use.
Your message has been forwarded to the responsible department.
I don't have an opinion on it yet.
Perhaps when we're bigger.
We're tied up with a launch. Early June would be better.
Can't commit to anything before the elections.
I'm afraid I've changed roles. Joe took over from me.
OK.
Let me find out who deals with this and I'll come back to you.
It's up to the owner, he's back in two weeks.
Thanks for the reminder.
The committee meets in October, we'll know more then.
I'm only a volunteer here.
Thanks for the slides.
We're waiting to hear about our funding.
We're fully booked with projects till summer. Let's speak after that.
My manager is away, I'll ask her on Monday.
I've moved to a different team, Priya has my old role.
Thanks, I'll pass it to our facilities people.
I'll be honest, I haven't read it yet.
It's not a no, but it's not a yes either.
You'd need to go through procurement for that.
Let's see how the quarter goes.
We're mid-season, I can't think about software now.
Thanks for the heads-up.
Out of the office today. Back tomorrow.
I'm away from my desk, for emergencies call the front desk.
Please note that I've left Acme. My successor is Jo Hill.
Tempting, but I'd have to convince my co-founder first.
Not before September.
Noted, I'll let you know.
Try our London office.
I don't look after the website, that would be Karen.
We'll look into it when the budget for next year is set.
This reached me by mistake.
Appreciate the info. We'll keep it in mind for the next tender.
Can this wait until after the holidays?
We review suppliers every January, so write to me then.
Thank you, I received the brochure.
I'm not in a position to decide that.
Let me check and revert.
Happy to stay in touch.
Possibly, it's hard to tell at this stage.
I've asked our accountant to have a look.
I can't give you an answer yet.
""",
    "negative": """
I'll pass, but good luck out there.
Appreciate the thought and the very nice write up, truly, but we're going to sit this one out.
Hi Jo, kind of you to follow up. I read it all and it's a clever product. It isn't for us though, and I don't want to waste your time.
Thanks but no thanks :)
Your tool sounds great if I had a team of 200 and a time machine. Hard pass.
Let me save you the next four emails in the sequence: we won't be buying.
I'd have more respect for this if you'd spelled our company's name right once.
We'd rather put the hours into the machines we've got.
We have four people and one client. There's nothing here to automate.
We fixed that in house last spring and it works fine.
That isn't really a pain for us, our churn is under one percent.
we already have someone for this
HubSpot does all of that for us, and it's bundled with what we pay anyway.
My brother-in-law runs our servers and I intend to stay married.
The incumbents have eight years left on their concession and the penalty clause is brutal.
Your competitor answered the phone on the first ring in March, so the job is theirs.
We can't justify that kind of money for reporting.
Free trial or forget it, we don't have the cash for yet another subscription.
Our whole IT spend for the year is about what you charge for a month.
Hi, thanks for following up. We had a look at it with the team and it isn't what we're looking for at the moment.
Appreciate your persistence, but there's nothing here for you.
We've recently hired a full-time designer so we won't be needing outside help.
Our IT guy sorts all of this out for us.
I run a one-man plumbing business, mate. This isn't for the likes of me.
We had a bad experience with this kind of software and won't be trying again.
That sounds like a solution looking for a problem.
We're a charity, we don't have money for tools like this.
The board looked at it and said no.
Sorry mate, not my cup of tea.
You've emailed me four times this week. Please stop.
I've asked twice to be removed. What does it take?
Kindly take my details off your system.
Honestly? We don't see the value.
We use Asana for everything and the team loves it.
We've been working with the same agency since 2015 and have no intention of changing.
I already get this for free from my bank.
Spoke to my team and we've decided to stay with what we have.
It's a great product, but at that price we can't make it work.
Your quote is double what we're paying today.
Not for me, thanks though!
Thanks but we're ok for now.
We tried something like this last year and it didn't work out.
I'm not sure why you think we would need this.
We only deal with local companies.
Please don't take this personally, but I'm not going to buy anything.
Wow, a mail merge with my name spelled wrong. Impressive.
Do you people never learn?
Whoever sold you my address ripped you off.
I'm blocking this address now.
We just don't have a use case for it.
All our marketing is done by our parent company's agency.
No can do. We have a strict policy against cold offers.
I will not be responding to any further messages.
Thanks for the demo yesterday. After discussing it, we're going to go with a different vendor.
We're happy campers with Zendesk, thanks.
I was hoping for something simpler. This isn't it.
We decided to build it ourselves.
That's not something we'd pay for.
You're barking up the wrong tree, we don't even have a website.
I'd appreciate not being contacted again.
I'm retired, I don't need any of that.
Thank you, but our needs are fully met.
Very impressive, but it's far more than a business our size would ever use.
We have no plans to invest in this area.
It's a bit rich for our blood, I'm afraid.
Is this a joke? $500 a month for that?
Can you please stop? I'm not going to answer.
Sorry, we've already found somebody.
You're a bit late, we signed with someone else last week.
We let our last three vendors go and do everything with our own people now.
There's no way my boss would pay for this.
If I were interested I would have answered the first time.
As I said before, we aren't looking for a new supplier.
We outsource that to a firm in Leeds.
Thanks for reaching out, but we recently renewed our contract with a competitor.
I appreciate the offer, however our budget is already allocated.
We looked into it, but the ROI just isn't there for us.
This isn't something we're exploring right now or in the foreseeable future.
I think your product is wonderful. It's simply not what our company needs.
We have an internal team who takes care of all of this.
I've discussed it with my colleagues and we've agreed to decline.
Please stop. This is the third message this week.
We've been burned by vendors like you before.
Hello, thank you for your email. At this stage, we do not require these services.
We are a government agency and cannot work with foreign vendors.
We just laid off half the company, so no.
I don't see how this would help us.
We're not in the market for a new CRM.
We won't be renewing.
Thanks, but I prefer our current setup.
I have zero interest in talking to salespeople.
Your competitor offers the same for half the money.
Too rich for us.
We looked at the price and nearly fell off our chairs.
You lost me at "synergy".
This will be my last reply: no.
Let me be clear: we are not buying.
Thank you for your interest in our company. Unfortunately, we're unable to take this further.
We've moved on.
We're going with the other option.
Not our focus at all.
We only buy from suppliers on our approved list.
Our customers don't use that sort of thing.
I'd prefer you didn't write to me.
Don't ever call this number again.
You clearly have no idea what we do.
Another day, another pitch. Delete.
Great, my 47th "quick question" of the day.
I can do that myself in an afternoon with a spreadsheet.
Our volumes are much too low for this to make sense.
We stopped doing email marketing years ago.
Your email went straight to my spam folder, where it belongs.
It's a hard no.
No, we're happy with the way things are.
We've got all that already.
My nephew built our site and he's still looking after it.
All our purchasing goes through one approved partner, so there's nothing I could offer you.
I'm going to respectfully bow out.
I was interested until I saw the price.
Not a good fit, but good luck!
That ship has sailed for us.
Stop. Just stop.
We don't take cold calls.
Why would I pay for something I get for free?
Hi Tom, I ran this past the team and the feeling is that we'd rather spend the money elsewhere.
We only use open source here.
Your tool doesn't do what we'd need it to.
Our insurance wouldn't allow it.
I've no idea why I'm on your list.
I've got more software than I know what to do with.
If it ain't broke, don't fix it.
Had a demo of this in the spring, wasn't impressed.
This isn't helpful.
Please lose my email.
My boss said no, sorry.
I'm not authorised to buy and neither is anyone else here. Please don't try again.
There's no appetite for this internally.
We do all our own printing.
It would be a waste of both our time.
You've got the wrong idea about our business. We don't have any sales reps.
We're a two-person team and honestly don't have these problems.
I can think of better ways to spend ten grand.
We don't do business with people who spam us.
Thank you for thinking of us. We've decided to keep things as they are.
Sorry to disappoint, but we went with your rival.
We're pretty loyal to our current bank.
Our framework agreement forbids us to buy from anybody else.
I really don't have a use for this.
Sorry, this just doesn't interest me.
Your last three emails went unanswered for a reason.
Great copywriting. Shame about the product.
I get ten of these a day.
That's a lot of money for very little.
Thanks, I'll stick with Excel.
The market is dead, we're not investing in anything.
We'd have to be mad to pay that.
I have to say no this time.
We're shutting down our online shop at the end of the year.
With our small margins there's no way we could pay that.
I've deleted your previous mails and I'll delete the next one.
You people are relentless. Give it up.
Dear Sir or Madam, we kindly ask you to refrain from further communication.
I can't see us using it.
Someone in our group already offers this.
""",
}


def test_longer_replies_are_read_right_nineteen_times_in_twenty():
    wrong = []
    labelled = [(text, sentiment) for sentiment, texts in _REPLIES.items() for text in texts.strip().splitlines()]
    for text, sentiment in labelled:
        found = classify_by_rules(own_words(text))
        if found["sentiment_label"] != sentiment:
            wrong.append((text, sentiment, found["reasoning"]))
    assert len(wrong) <= len(labelled) / 20, wrong
