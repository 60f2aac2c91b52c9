"""Ping, disco#info and version pass both ways, to servers and to clients, with their results; what
a server does not know comes back as its error."""

from slixmpp.exceptions import IqError

from lib.process import together


async def run(stage):
    alice, *outside = await stage.alice_and_the_world()
    questions = []
    for other in outside:
        for asker, asked in ((alice, other), (other, alice)):
            for address in (asked.boundjid.full, asked.boundjid.domain):
                questions.append(ask(asker, address))
            questions.append(refused(asker, asked.boundjid.domain))
    await together(*questions)


async def ask(client, address):
    rtt = await client.plugin["xep_0199"].ping(address, timeout=20)
    assert rtt >= 0, rtt
    info = await client.plugin["xep_0030"].get_info(address, timeout=20)
    assert info["from"] == address, info["from"]
    assert info["disco_info"]["features"], f"{address} has no features: {info}"
    version = await client.plugin["xep_0092"].get_version(address, timeout=20)
    assert version["software_version"]["name"], f"{address} has no name: {version}"


async def refused(client, address):
    question = client.make_iq_get(queryxmlns="urn:example:unheard-of", ito=address)
    try:
        await question.send(timeout=20)
    except IqError as error:
        answer = error.iq
    else:
        raise AssertionError(f"{address} answered what it cannot know")
    assert answer["from"] == address, answer["from"]
    assert answer["error"]["condition"] in ("service-unavailable", "feature-not-implemented"), answer
