"""Lines are JSON objects where log.format says so, from one line to the next; where journald reads
them, it gets fields to choose by, and its stream nothing twice."""
import asyncio
import json
import socket

from lib import topology
from lib.process import Process, together, until

# In a mount namespace of its own, where the journal's socket is ours and standard error is said
# to be its stream.
BEHIND_JOURNALD = """
mkdir -p /run/systemd/journal && mount --bind "$1" /run/systemd/journal || exit
export JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
shift
exec "$@"
"""


async def run(stage):
    await stage.nodes()
    await together(as_json(stage.core), to_journald(stage))


async def as_json(node):
    mark = node.mark()
    await node.ctl("config", "set", "log.format", "json")
    try:
        await node.ctl("config", "get", "events.keep")
        await node.log.wait_for('command=\\\\"config get events.keep', mark)
        lines = node.log.lines[mark:]
        first = next(at for at, line in enumerate(lines) if line.startswith("{"))
        for line in lines[first:]:
            event = json.loads(line)
            assert event["node"] == node.name and event["level"] and "seq" not in event, event
        told = await until(lambda: node.ctl("log", "last=1", "text=config get events.keep"),
                           "that line in the log")
        assert told.startswith("20") and 'CodeLocation="admin.request"' in told, told
    finally:
        await node.ctl("config", "set", "log.format")
    await node.ctl("config", "get", "log.format")
    await node.event("admin.request", "config get log.format", since=mark)


async def to_journald(stage):
    folder = topology.RUN / "journald"
    (folder / "journal").mkdir(parents=True)
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    journal.bind(str(folder / "journal" / "socket"))
    config = folder / "sallyport.conf"
    config.write_text('role = "core"\nname = "core-j"\n'
                      f'data = "{folder}"\ncontrol_socket = "{folder}/control.sock"\n')
    node = await Process("core-j", "core", [
        "unshare", "--mount", "sh", "-c", BEHIND_JOURNALD, "sh", folder / "journal",
        stage.build / "src/process/sallyportd", "-c", config]).start()
    try:
        ready = await found(journal, "sallyport-traffic", "process.ready")
        assert ready["MESSAGE"].startswith('Module="system.process" Level="INFO" '), ready
        assert ready["PRIORITY"] == "6" and ready["SALLYPORT_NODE"] == "core-j", ready
        assert ready["SALLYPORT_DETAIL"] == f"pid={ready['SYSLOG_PID']}", ready
    finally:
        await node.stop()
        journal.close()
    assert len(node.log.lines) == 1, node.log.lines  # how it ended, which is the test's own


async def found(journal, process, event):
    """The datagram with that event of that process, as fields."""
    loop = asyncio.get_running_loop()
    while True:
        datagram = await asyncio.wait_for(loop.sock_recv(journal, 1 << 17), 20)
        lines = datagram.decode().splitlines()
        assert all("=" in line for line in lines), lines
        fields = dict(line.split("=", 1) for line in lines)
        if fields["SYSLOG_IDENTIFIER"] == process and fields["SALLYPORT_EVENT"] == event:
            return fields
