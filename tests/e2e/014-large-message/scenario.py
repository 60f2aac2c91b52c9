"""A message of 200 KB passes both ways, with Prosody and ejabberd outside."""
from lib.process import together


SIZE = 200_000


async def run(stage):
    alice, *outside = await stage.alice_and_the_world()
    await together(*(pass_on(sender, receiver) for other in outside
                     for sender, receiver in ((alice, other), (other, alice))))


async def pass_on(sender, receiver):
    body = f"{sender.boundjid.bare} to {receiver.boundjid.bare} ".ljust(SIZE, "x")
    sender.say(receiver.boundjid.full, body)
    got = await receiver.message(body)
    assert got["from"] == sender.boundjid, got["from"]
