"""Where cargo has put the sources of the crates that the packages for Wasmtime are built with."""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ADAPTER = HERE.parents[1] / "adapters/wasmtime"


def folders(cargo, package):
    """The folder of each crate, by its name, of one of the packages of the adapter or beside this file."""
    folder = next(folder for folder in (ADAPTER / package, HERE / package) if folder.is_dir())
    command = [cargo, "metadata", "--locked", "--format-version", "1", "--manifest-path", folder / "Cargo.toml"]
    metadata = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {crate["name"]: pathlib.Path(crate["manifest_path"]).parent for crate in metadata["packages"]}
