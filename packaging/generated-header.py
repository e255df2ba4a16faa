"""Prints the C header that the build script generates from the Rust source.

    generated-header.py CARGO

The build script tells cargo where it has left the header, and cargo tells whoever asks for its messages as JSON. No
guess is made at directory names, which change with flags and versions.
"""

import json
import pathlib
import subprocess
import sys


def generated_header(cargo: str) -> pathlib.Path:
    command = [cargo, "check", "--locked", "--quiet", "--lib", "--features", "generate-header",
               "--target-dir", "target", "--message-format=json"]  # fmt: skip
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "build-script-executed":
            for name, value in message["env"]:
                if name == "WASMTRAP_GENERATED_HEADER":
                    return pathlib.Path(value)
    sys.exit(f"generated-header.py: no word of the header from {' '.join(command)} (exit status {run.returncode})")


if __name__ == "__main__":
    sys.stdout.write(generated_header(sys.argv[1]).read_text(encoding="utf-8"))
