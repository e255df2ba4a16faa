"""What the emulated machine says on its serial console: the frames that init.c describes, and what goes wrong there.
"""

import re
import zlib

# A byte as it stands on the console, and as the command wrote it.
PLAIN = frozenset(range(0x21, 0x7F)) - {ord("%")}
QUOTED_BYTE = re.compile(rb"%([0-9a-f]{2})")
FRAME = re.compile(rb"(@ (\d+) (-1|\d+) (start|out|err|exit|signal|limit|log|off) (?:(\S+) )?)([0-9a-f]{8})")


def quote(text):
    """
    >>> quote("100% of a\\n")
    '100%25%20of%20a%0a'
    """
    return "".join(chr(byte) if byte in PLAIN else f"%{byte:02x}" for byte in text.encode("utf-8", "surrogateescape"))


def unquote(quoted):
    """
    >>> unquote(b"100%25%20of%20a%0a")
    b'100% of a\\n'
    """
    return QUOTED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), quoted)


class Result:
    """What is known about one command: `output` as pairs of stream and bytes, in order, and `end` as a pair."""

    def __init__(self):
        self.started = False
        self.damaged = False
        self.output = []
        self.end = None

    def fault(self):
        """Why this is no result, or None if it is one."""
        if self.damaged:
            return "what it wrote was damaged on the console"
        if not self.started:
            return "the machine never came to it"
        return None if self.end else "the machine ended before it did"


class Console:
    """Takes the console's lines, one by one. No command is believed to have gone well if a frame of it was lost.

    >>> console = Console(2)
    >>> def take(*lines):
    ...     return [console.take(b"%s%08x\\n" % (line, zlib.crc32(line))) for line in lines]
    >>> take(b"@ 0 0 start ", b"@ 1 0 out ok%0a ", b"@ 2 1 start ", b"@ 3 0 exit 0 ")
    [(0, 'start', b''), (0, 'out', b'ok\\n'), (1, 'start', b''), (0, 'exit', b'0')]
    >>> console.results[0].output, console.results[0].end, console.results[0].fault()
    ([('out', b'ok\\n')], ('exit', 0), None)

    Here frame 4 was lost:

    >>> take(b"@ 5 1 exit 0 ")
    [(1, 'exit', b'0')]
    >>> console.results[1].fault()
    'what it wrote was damaged on the console'
    >>> console.take(b"@ 6 1 out not%20what%20was%20sent 12345678") or console.others
    [b'@ 6 1 out not%20what%20was%20sent 12345678']
    """

    def __init__(self, command_count):
        self.results = [Result() for _ in range(command_count)]
        self.others = []  # the lines that are no frames
        self.log = b""  # the kernel's, as the machine tells it at its end
        self._next = 0
        self.is_off = False  # whether the machine said that it is done

    def take(self, line):
        """One line. If it tells of a command, gives back (command, kind, argument)."""
        line = line.rstrip(b"\r\n")
        match = FRAME.fullmatch(line)
        if not match or zlib.crc32(match[1]) != int(match[6], 16):
            if line:
                self.others.append(line)
            return None
        number, command, kind, argument = int(match[2]), int(match[3]), match[4].decode(), unquote(match[5] or b"")
        if number != self._next:
            self._note_lost_frames()
        self._next = number + 1
        if command < 0:
            self._take_machines_own(kind, argument)
            return None
        self._take_commands(self.results[command], kind, argument)
        return command, kind, argument

    def _note_lost_frames(self):
        for result in self.results:
            if result.started and not result.end:
                result.damaged = True

    def _take_machines_own(self, kind, argument):
        if kind == "log":
            self.log += argument
        elif kind == "off":
            self.is_off = True

    def _take_commands(self, result, kind, argument):
        if kind == "start":
            result.started = True
        elif not result.started:
            result.started = result.damaged = True
        if kind in ("out", "err"):
            result.output.append((kind, argument))
        elif kind in ("exit", "signal", "limit"):
            result.end = (kind, int(argument))
