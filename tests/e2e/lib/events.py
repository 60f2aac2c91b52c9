"""The nodes' log lines, read back: `TIME NODE PROCESS[PID]: Module= Level= CodeLocation= Detail=`."""
import dataclasses
import datetime
import re

LINE = re.compile(
    r'^(?P<time>\d{4}-\S+) (?P<node>\S+) (?P<process>\S+)\[(?P<pid>\d+)\]: '
    r'Module="(?P<module>[^"]*)" Level="(?P<level>\w+)" (?:Action="[^"]*" )?'
    r'CodeLocation="(?P<name>[^"]*)" Detail="(?P<detail>(?:[^"\\]|\\.)*)"')
FIELD = re.compile(r"""(?:^|[\s(])([A-Za-z][\w.-]*)=("[^"]*"|'[^']*'|[^\s'"(]\S*)""")
QUOTE = r"""\\?['"]"""


@dataclasses.dataclass
class Event:
    time: datetime.datetime
    node: str
    process: str
    pid: int
    module: str
    level: str
    name: str  # CodeLocation
    detail: str  # without its escapes of quotes and backslashes

    @property
    def fields(self):
        """The key=value pairs of Detail."""
        return {key: value.strip("'\"") for key, value in FIELD.findall(self.detail)}


def read(line):
    """The event on that line, or None."""
    found = LINE.match(line)
    if not found:
        return None
    parts = found.groupdict()
    parts["time"] = datetime.datetime.fromisoformat(parts["time"])
    parts["pid"] = int(parts["pid"])
    parts["detail"] = re.sub(r'\\(["\\])', r"\1", parts["detail"])
    return Event(**parts)


def pattern(name, *texts):
    """A regular expression for the lines of an event whose Detail has all these texts."""
    return (rf'CodeLocation="{re.escape(name)}" Detail="'
            + "".join(rf"(?=.*?{re.escape(text)})" for text in texts))


def xml(tag, **attributes):
    """A regular expression for a start tag with these attributes, in any order and quotes."""
    return rf"<{re.escape(tag)}" + "".join(
        rf"(?=[^>]*\s{name.rstrip('_')}={QUOTE}{value}{QUOTE})"
        for name, value in attributes.items()) + r"[^>]*>"


SHORT_KEY = r"[0-9a-f]{8}\.\.\.<"  # dialback keys are never logged whole
