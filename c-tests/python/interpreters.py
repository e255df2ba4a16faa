"""Finds every CPython of this machine from 3.8 up: on the path, under pyenv, and the system's own.

    interpreters.py list        what there is, and what was left out, for a person to read
    interpreters.py include     the folder of the oldest headers, for the one binary that all of them load

Fails if there is none.
"""

import glob
import json
import os
import re
import subprocess
import sys

OLDEST = (3, 8)
PATTERNS = ["python", "python3", "python3.[0-9]", "python3.[0-9][0-9]"]
FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]

ASK = """
import json, os, sys, sysconfig
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "name": sys.implementation.name if hasattr(sys, "implementation") else "",
    "real": os.path.realpath(sys.executable),
    "prefix": sys.base_prefix if hasattr(sys, "base_prefix") else "",
    "include": sysconfig.get_path("include"),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


class Interpreter:
    def __init__(self, path, about):
        self.path = path
        self.version = tuple(about["version"])
        self.include = about["include"]
        self.identity = about["prefix"], about["real"]
        self.reason = self._reason(about)

    @property
    def version_text(self):
        return ".".join(map(str, self.version))

    @staticmethod
    def _reason(about):
        """Why it is not used, None if it is."""
        if tuple(about["version"]) < OLDEST:
            return "older than 3.8"
        if about["name"] != "cpython":
            return f"{about['name']}, not CPython"
        if about["free_threaded"]:
            return "free-threaded, which does not load extensions of the limited API"
        return None


def candidates():
    folders = os.environ.get("PATH", "").split(os.pathsep) + FOLDERS
    folders += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin")))
    for folder in dict.fromkeys(folders):
        for pattern in PATTERNS:
            for path in sorted(glob.glob(os.path.join(folder, pattern))):
                # pyenv's shims lead to the versions that are looked at by themselves.
                if re.fullmatch(r"python(3(\.\d+)?)?", os.path.basename(path)) and "/shims" not in folder:
                    yield path


def find():
    """All interpreters, the oldest first, each once."""
    found = {}
    for path in candidates():
        run = subprocess.run([path, "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        if run.returncode != 0:
            continue
        interpreter = Interpreter(path, json.loads(run.stdout.decode()))
        found.setdefault(interpreter.identity, interpreter)
    return sorted(found.values(), key=lambda interpreter: interpreter.version)


def usable():
    return [interpreter for interpreter in find() if interpreter.reason is None]


def print_list(file=sys.stdout):
    for interpreter in find():
        remark = f" (not used: {interpreter.reason})" if interpreter.reason else ""
        print(f"CPython {interpreter.version_text:8} {interpreter.path}{remark}", file=file)


def main():
    if sys.argv[1:] == ["list"]:
        print_list()
        return 0 if usable() else "no CPython from 3.8 up was found"
    if sys.argv[1:] == ["include"]:
        for interpreter in usable():
            if os.path.exists(os.path.join(interpreter.include, "Python.h")):
                print(interpreter.include)
                return 0
        return "no CPython from 3.8 up has its headers installed (Debian: python3-dev)"
    return __doc__


if __name__ == "__main__":
    sys.exit(main())
