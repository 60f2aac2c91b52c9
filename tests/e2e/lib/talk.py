"""What people notice: messages that pass, and messages that come back with a reason."""
import itertools

from .process import DEADLINE

numbers = itertools.count(1)

NOT_SET_UP = "the gateway to other domains is not set up yet"
BEING_SET_UP = "the gateway to other domains is being set up"
SWITCHED_OFF = "federation is switched off here"
INTERRUPTED = "the gateway is interrupted"
NO_PART = "this domain does not take part in federation"
AGAINST_RULES = "the rules here do not allow contact with this domain"
NOT_BELIEVED = "the domain's server does not believe that we speak for our domain"


async def passes(sender, receiver, deadline=DEADLINE):
    """A message of its own arrives, from whom it should be."""
    body, since = f"message {next(numbers)} passes", receiver.mark()
    sender.say(receiver.boundjid.full, body)
    got = await receiver.message(body, since, deadline)
    assert got["from"] == sender.boundjid, got["from"]


async def both_ways(one, other, deadline=DEADLINE):
    await passes(one, other, deadline)
    await passes(other, one, deadline)


async def bounces(sender, to, *texts, deadline=DEADLINE):
    """A message comes back, with one of these texts; returns which."""
    since = sender.mark()
    sender.say(to, f"message {next(numbers)} bounces")
    error = await sender.wait_for(
        lambda s: s.name == "message" and s["type"] == "error" and s["from"] == to, since,
        deadline, f"error from {to}")
    assert error["error"]["text"] in texts, f"{error['error']['text']!r}, not {texts}"
    return error["error"]["text"]
