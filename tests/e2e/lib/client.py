"""A real XMPP client (slixmpp) in the runner, which collects what it gets and waits for it."""
import asyncio
import itertools
import logging
import time

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)  # before it warns about its imports
import slixmpp  # noqa: E402

from .process import DEADLINE, Missing  # noqa: E402
from .prosody import PASSWORD  # noqa: E402

resources = itertools.count(1)


class Client(slixmpp.ClientXMPP):
    """`user@domain` at that address, with a resource of its own, present once connected."""

    def __init__(self, jid, address, port=5222):
        super().__init__(f"{jid}/test{next(resources)}", PASSWORD)
        self.c2s_address = (address, port)
        self.received = []  # every stanza, in order
        self.wake = asyncio.Event()
        self.whitespace_keepalive = False
        self["feature_mechanisms"].unencrypted_plain = True
        for plugin in ("xep_0030", "xep_0045", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.auto_authorize = None  # scenarios decide about subscriptions
        self.auto_subscribe = False
        for kind in ("message", "presence", "iq"):
            self.register_handler(slixmpp.xmlstream.handler.Callback(
                f"collect {kind}", slixmpp.xmlstream.matcher.MatchXPath(
                    f"{{jabber:client}}{kind}"), self.collect))

    def collect(self, stanza):
        self.received.append(stanza)
        self.wake.set()
        self.wake = asyncio.Event()

    async def log_in(self):
        ready = asyncio.get_running_loop().create_future()

        def settle(outcome):
            if not ready.done():
                ready.set_result(outcome)
        self.add_event_handler("session_start", lambda _: settle(None))
        for event in ("failed_all_auth", "connection_failed", "disconnected"):
            self.add_event_handler(event, lambda why, event=event: settle(f"{event}: {why}"))
        self.connect(self.c2s_address, disable_starttls=True, force_starttls=False)
        if failure := await asyncio.wait_for(ready, DEADLINE):
            raise RuntimeError(f"{self.boundjid}: {failure}")
        self.send_presence()
        await self.get_roster()
        return self

    async def log_out(self):
        await self.disconnect(wait=1.0)
        if self._run_out_filters:  # slixmpp leaves it running
            self._run_out_filters.cancel()

    def mark(self):
        return len(self.received)

    async def wait_for(self, matches, since=0, deadline=DEADLINE, what="stanza"):
        """The first stanza since the mark for which matches(stanza) is true."""
        end = time.monotonic() + deadline
        place = since
        while True:
            for stanza in self.received[place:]:
                if matches(stanza):
                    return stanza
            place = len(self.received)
            wake = self.wake
            try:
                await asyncio.wait_for(wake.wait(), end - time.monotonic())
            except asyncio.TimeoutError:
                got = "\n    ".join(str(s)[:300] for s in self.received[since:]) or "nothing"
                raise Missing(f"{self.boundjid}: no {what} in {deadline:g} s; got:\n    {got}"
                              ) from None

    async def message(self, body, since=0, deadline=DEADLINE):
        """The message with that body."""
        return await self.wait_for(lambda s: s.name == "message" and s["type"] != "error"
                                   and s["body"] == body, since, deadline, f"message {body[:40]!r}")

    async def error(self, kind="message", since=0, deadline=DEADLINE):
        """A stanza of that kind sent back as an error."""
        return await self.wait_for(lambda s: s.name == kind and s["type"] == "error", since,
                                   deadline, f"error {kind}")

    def say(self, to, body):
        self.send_message(mto=to, mbody=body, mtype="chat")
