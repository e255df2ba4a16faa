"""Installs the tools of requirements.txt into a virtual environment below target/, once, and prints where they are."""

import pathlib
import subprocess
import sys
import venv

folder = pathlib.Path("target/packaging/tools").resolve()
requirements = pathlib.Path(__file__).with_name("requirements.txt")
done = folder / "requirements.txt"
if not done.exists() or done.read_bytes() != requirements.read_bytes():
    venv.create(folder, clear=True, with_pip=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install",
                    "--requirement", requirements], check=True, stdout=sys.stderr)  # fmt: skip
    done.write_bytes(requirements.read_bytes())
print(folder / "bin")
