"""Runs commands in an emulated machine, under a real Linux kernel (qemu-system, without network): arm64, or x86-64 with
what this machine's processor may lack.

    run.py --system FOLDER --init PROGRAM --out FOLDER [OPTION...] -- COMMAND...
    run.py --system FOLDER --init PROGRAM --out FOLDER [OPTION...] --list FILE

One command's output is shown, and its exit status is the script's (128 and the signal's number if it was killed). Of a
list (a line: a name, a colon and a command as a shell would split it), each one's result goes to OUT/results/NAME, for
replay.py; the script's status is 0 if the machine could be started. Words NAME=VALUE in front of a command are its
environment. OUT also gets the console's other lines, the kernel's log, and for a list the progress.

The machine has busybox as /bin/sh, the files that --files names, and what --at FOLDER=PLACE puts at another place; the
folder to be in is the one here. --system is what fetch-system.sh made, --init the program made of init.c.
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import stat
import subprocess
import sys
import threading
import time

from console import Console, quote
from initramfs import Initramfs

# The emulator and the machine, the processor unless --cpu says another, and the kernel's console.
# pauth-impdef: signing a pointer by the architecture's own cipher takes an emulator very long.
MACHINES = {
    "arm64": (["qemu-system-aarch64", "-machine", "virt,gic-version=3"], "max,pauth-impdef=on", "ttyAMA0"),
    "x86-64": (["qemu-system-x86_64", "-machine", "q35"], "max", "ttyS0"),
}
CONSOLE_DEVICE = (5, 1)


def parse(arguments):
    own, command = arguments, []
    if "--" in arguments:
        own, command = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--system", required=True, type=pathlib.Path)
    parser.add_argument("--init", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--list", type=pathlib.Path)
    parser.add_argument("--files", nargs="+", action="extend", default=[])
    parser.add_argument("--at", action="append", default=[], metavar="FOLDER=PLACE")
    parser.add_argument("--machine", choices=MACHINES, default="arm64")
    parser.add_argument("--cpu")
    parser.add_argument("--memory", default="1024", help="in MiB")
    parser.add_argument("--jobs", default=2, type=int, help="commands at the same time, a processor for each")
    parser.add_argument("--limit", default=600, type=int, help="seconds for each command")
    parser.add_argument("--time", default=2400, type=int, help="seconds for all of it")
    options = parser.parse_args(own)
    if bool(command) == bool(options.list):
        parser.error("either a command or a list")
    return options, command


def read_list(path):
    """Pairs of a name and a command."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, command = line.partition(":")
            yield name.strip(), shlex.split(command)


def pack(options, commands, path):
    archive = Initramfs()
    # The kernel opens it for its first process.
    archive.add_data("/dev/console", b"", stat.S_IFCHR | 0o600, CONSOLE_DEVICE)
    archive.add(options.init, "/init")
    archive.add(options.system / "busybox", "/bin/busybox")
    archive.add_data("/bin/sh", b"busybox", stat.S_IFLNK | 0o777)
    for folder_at_place in options.at:
        folder, _, place = folder_at_place.partition("=")
        archive.add(folder, place)
    for file in options.files:
        archive.add(file)
    archive.add_folder(os.getcwd())
    lines = [["directory", os.getcwd()], ["jobs", str(options.jobs)]]
    lines += [["command", str(options.limit), *command] for command in commands]
    script = "".join(" ".join(quote(word) for word in line) + "\n" for line in lines)
    archive.add_data("/commands", script.encode())
    archive.write(path)


def machine(options, archive):
    emulator, processor, terminal = MACHINES[options.machine]
    return [
        *emulator, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-accel", "tcg,thread=multi", "-cpu", options.cpu or processor,
        "-smp", str(options.jobs), "-m", options.memory,
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-kernel", str(options.system / "Image"), "-initrd", str(archive),
        "-append", f"console={terminal} quiet panic=-1 rdinit=/init",
    ]  # fmt: skip


def boot(options, archive, command_count, show):
    """Runs the machine to its end, or to the end of its time. `show` gets what is told of a command as it comes."""
    console = Console(command_count)
    process = subprocess.Popen(machine(options, archive), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    watchdog = threading.Timer(options.time, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            told = console.take(line)
            if told:
                show(*told)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
    return console


def show_output(_, kind, argument):
    if kind in ("out", "err"):
        stream = sys.stdout if kind == "out" else sys.stderr
        stream.buffer.write(argument)
        stream.flush()


class Progress:
    """Of a list: what has started and what has ended, and when, in a file to look at while the machine runs."""

    def __init__(self, names, path):
        self._names = list(names)
        self._file = open(path, "w", encoding="utf-8")  # as long as the script runs
        self._start = time.monotonic()

    def show(self, command, kind, argument):
        if kind not in ("out", "err"):
            seconds = time.monotonic() - self._start
            print(f"{seconds:7.1f} {self._names[command]}: {kind} {argument.decode()}", file=self._file, flush=True)


def save(console, names, folder):
    for name, result in zip(names, console.results):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        output = [(stream, data.decode("utf-8", "surrogateescape")) for stream, data in result.output]
        path.write_text(json.dumps({"output": output, "end": result.end, "fault": result.fault()}), encoding="utf-8")


def status_of(result):
    kind, number = result.end
    return {"exit": number, "signal": 128 + number, "limit": 124}[kind]


def main():
    options, command = parse(sys.argv[1:])
    named = dict(read_list(options.list)) if options.list else {"command": command}
    results = options.out / "results"
    shutil.rmtree(results, ignore_errors=True)
    options.out.mkdir(parents=True, exist_ok=True)
    archive = options.out / "initramfs"
    pack(options, named.values(), archive)

    start = time.monotonic()
    show = Progress(named, options.out / "progress").show if options.list else show_output
    console = boot(options, archive, len(named), show)
    archive.unlink()
    (options.out / "console").write_bytes(b"\n".join(console.others) + b"\n")
    (options.out / "kernel-log").write_bytes(console.log)

    version = (options.system / "version").read_text(encoding="utf-8").strip()
    lost = [result.fault() for result in console.results if result.fault()]
    print(f"{options.machine} machine with Linux {version}: {len(named) - len(lost)} of {len(named)} commands came to "
          f"their end, {time.monotonic() - start:.0f} seconds", file=sys.stderr)  # fmt: skip
    if not console.is_off:
        last_words = b"\n".join(console.others[-20:]).decode("utf-8", "replace")
        print(f"The machine did not come to its end. Its last words:\n{last_words}", file=sys.stderr)
    if options.list:
        save(console, named, results)
        return 0 if any(result.started for result in console.results) else 1
    return 125 if lost else status_of(console.results[0])


if __name__ == "__main__":
    sys.exit(main())
