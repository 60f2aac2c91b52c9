#!/usr/bin/python3
"""Runs the end-to-end scenarios: numbered folders with a scenario.py whose docstring says what
it shows and whose `run(stage)` shows it.

    run.py [--build FOLDER] [--full] [NAME...]      names: those whose folder contains one

Last line: N passed, N failed. The logs of a run with failures stay in FOLDER/e2e-logs.
"""
import argparse
import asyncio
import importlib.util
import os
import pathlib
import shutil
import signal
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from lib import topology  # noqa: E402
from lib.process import Several, explain  # noqa: E402
from lib.stage import Stage  # noqa: E402

SCENARIO_DEADLINE = 90.0  # unless the scenario sets DEADLINE


def scenarios(names):
    folders = sorted(p.parent for p in HERE.glob("[0-9][0-9][0-9]-*/scenario.py"))
    return [f for f in folders if not names or any(n in f.name for n in names)]


def load(folder):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "scenario.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def play(folder, stage):
    """One scenario; None or what went wrong."""
    wrong = None
    try:
        module = load(folder)
        await asyncio.wait_for(module.run(stage), getattr(module, "DEADLINE", SCENARIO_DEADLINE))
    except Several as failures:
        wrong = str(failures)
    except AssertionError as failure:
        wrong = explain(failure)
    except asyncio.TimeoutError:
        wrong = "the whole scenario took too long"
    except Exception:  # pylint: disable=broad-except
        wrong = traceback.format_exc()
    if problems := await stage.clear():
        wrong = "\n".join([wrong or "what came after the scenario failed", *problems])
    if wrong:
        await stage.vacate()  # what it left behind is not the next one's problem
    return wrong


async def play_all(options):
    topology.build()
    stage = Stage(pathlib.Path(options.build).resolve(), full=options.full)
    chosen = scenarios(options.names)
    failed = 0
    for folder in chosen:
        began = time.monotonic()
        wrong = await play(folder, stage)
        took = time.monotonic() - began
        print(f"{'FAILED' if wrong else 'ok    '} {folder.name}  {took:.1f} s", flush=True)
        if wrong:
            failed += 1
            print("    " + wrong.strip().replace("\n", "\n    "), flush=True)
    if not chosen:
        print(f"no scenario is called {options.names}")
        failed = 1
    logs = pathlib.Path(options.build).resolve() / "e2e-logs"
    shutil.rmtree(logs, ignore_errors=True)
    if failed and (topology.RUN / "logs").exists():
        shutil.copytree(topology.RUN / "logs", logs)
        print(f"logs: {logs}")
    print(f"{max(len(chosen) - failed, 0)} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not options.inside:
        sys.exit(topology.enter(sys.argv))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    # Ignored, as for what a shell starts in the background, the programs under test would ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status = asyncio.run(play_all(options))
    except KeyboardInterrupt:
        status = 130
    sys.stdout.flush()
    os._exit(status)  # as process 1 of its namespace: everything else ends with it


if __name__ == "__main__":
    main()
