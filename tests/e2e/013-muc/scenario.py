"""Users join each other's rooms over the border and talk there, in all directions."""
from lib.process import together



async def run(stage):
    alice, bob, carol = await stage.alice_and_the_world()
    await together(
        talk("border1@conference.home.example", alice, bob, carol),
        talk("border2@conference.prosody.example", bob, alice),
        talk("border3@conference.ejabberd.example", carol, alice))


async def talk(room, *people):
    marks = [person.mark() for person in people]
    for person in people:
        await join(room, person)
    for person in people:
        body = f"{person.boundjid.user} in {room}"
        person.send_message(mto=room, mbody=body, mtype="groupchat")
        for reader, since in zip(people, marks):
            got = await reader.message(body, since)
            assert got["from"] == f"{room}/{person.boundjid.user}", got["from"]
    for person in people[1:]:
        since = people[0].mark()
        person.send_presence(pto=f"{room}/{person.boundjid.user}", ptype="unavailable")
        await presence(people[0], room, person, "unavailable", since)


async def join(room, person):
    since = person.mark()
    person.plugin["xep_0045"].join_muc(room, person.boundjid.user)
    await presence(person, room, person, "available", since)


async def presence(reader, room, person, kind, since):
    return await reader.wait_for(
        lambda s: s.name == "presence" and s["type"] == kind
        and s["from"] == f"{room}/{person.boundjid.user}", since,
        what=f"presence {kind} of {person.boundjid.user} in {room}")
