"""Where cargo has put the sources of the crates that the packages here are built with."""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def folders(cargo, package):
    """The folder of each crate, by its name, of one of the packages beside this file."""
    command = [cargo, "metadata", "--locked", "--format-version", "1", "--manifest-path", HERE / package / "Cargo.toml"]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {crate["name"]: pathlib.Path(crate["manifest_path"]).parent for crate in metadata["packages"]}
