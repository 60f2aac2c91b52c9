"""Faults and whether doctor names each of them, and no other. A fault is an asynchronous context
manager: what it does before it yields breaks something, what it does behind that mends it."""
import asyncio
import contextlib
import dataclasses
import json
import time
import typing

from .process import Missing, until

NAMED_SECONDS = 30.0  # for a fault to be named, from when it is there
LOOK_SECONDS = 30.0  # that one look may take, whatever hangs
HOLDS_SECONDS = 5.5  # it stays the only one: alarms are raised after 3 s, and looked for every 2 s
WELL_SECONDS = 60.0  # for everything to be well again
# What the whole run was asked for and got: scenarios add up.
total = {"named": 0, "of": 0}


@dataclasses.dataclass
class Fault:
    symptom: int
    inject: typing.Callable  # of the stage
    quick: bool = False  # also without --full
    at: str = "core"  # whose doctor is asked


async def ask(node, *words):
    """(exit status, findings and all) of `sallyport doctor --json`, within its time."""
    began = time.monotonic()
    status, out = await node.try_ctl("doctor", "--json", *words, deadline=LOOK_SECONDS)
    assert time.monotonic() - began < LOOK_SECONDS
    start = out.find("{")
    assert start >= 0, f"exit status {status}: {out}"
    return status, json.loads(out[start:])


def named(told):
    return {finding["symptom"] for finding in told["findings"]}


def brief(told):
    return [(f["symptom"], f["node"], f["subject"], f["seen"],
             [c["symptom"] for c in f["consequences"]]) for f in told["findings"]]


async def well(node, deadline=WELL_SECONDS):
    """Doctor finds nothing, says so, and ends with 0."""
    last = []

    async def nothing():
        status, told = await ask(node)
        last[:] = [brief(told)]
        return status == 0 and not told["findings"] and told["verdict"] == "all is well"

    async def instead():
        return last
    await until(nothing, f"{node.name}: doctor finds nothing", deadline, instead)


async def names(node, symptom, holds=HOLDS_SECONDS, deadline=NAMED_SECONDS):
    """Doctor names this symptom, completely, and no other, now and for as long as that holds; returns
    how many seconds that took to come."""
    last, came = [], time.monotonic()

    async def it():
        status, told = await ask(node)
        last[:] = [brief(told)]
        return told["findings"] if status == 1 and named(told) == {symptom} else None

    async def instead():
        return last
    found = await until(it, f"{node.name}: doctor names {symptom} alone", deadline, instead)
    began = time.monotonic()
    took = began - came
    while time.monotonic() - began < holds:
        status, told = await ask(node)
        if status != 1 or named(told) != {symptom}:
            raise Missing(f"{node.name}: doctor named {symptom} alone and then: {brief(told)}")
        await asyncio.sleep(1)
    for finding in found:
        for part in ("node", "severity", "title", "seen", "cause", "fix"):
            assert finding[part], finding
    return took


async def all_named(stage, faults):
    """Injects those of the faults that this run is to have, one after the other, and prints the
    score; fails if it is not full."""
    wrong, chosen = [], [f for f in faults if f.quick or stage.full]
    for fault in chosen:
        total["of"] += 1
        node = getattr(stage, fault.at)
        async with contextlib.asynccontextmanager(fault.inject)(stage):
            try:
                took = await names(node, fault.symptom, HOLDS_SECONDS if stage.full else 0)
                print(f"    symptom {fault.symptom}, {fault.inject.__name__}: named after "
                      f"{took:.1f} s", flush=True)
                total["named"] += 1
            except Missing as missing:
                wrong.append(f"symptom {fault.symptom}, {fault.inject.__name__}: {missing}")
                print(f"    {wrong[-1]}", flush=True)
        await well(stage.core)
    print(f"    named {total['named']} of {total['of']}", flush=True)
    assert not wrong, "\n".join(wrong)


async def site(stage, suffix):
    """Nodes of the scenario's own, of which doctor finds nothing."""
    ours = await stage.own_nodes(suffix)
    for node in ours.nodes:
        await node.configure("log.levels")
    await well(ours.core)
    return ours
