"""What can be seen, without a Mac, of Wasmtime's platform as it was built for macOS: in TAP, with the sum at the end.

    check_macos.py [--llvm VERSION] --version VERSION FOLDER

Most of what holds for libwasmtrap (c-tests/macos/check_artifacts.py) holds for it as well, which has it inside.
"""

import argparse
import pathlib
import sys

MACOS = pathlib.Path(__file__).resolve().parents[1] / "macos"
sys.path.insert(0, str(MACOS))

import check_artifacts as artifacts  # noqa: E402, of the folder above

# What it uses of libSystem beside what libwasmtrap uses: functions that macOS 11 has.
IMPORTS = {"mach_vm_remap", "malloc", "pthread_mutex_destroy", "pthread_mutex_init", "pthread_rwlock_destroy",
           "pthread_rwlock_init", "pthread_rwlock_rdlock", "pthread_rwlock_unlock", "pthread_rwlock_wrlock"}
# On arm64 the caches of data and instructions are not in step.
ARM64_IMPORTS = {"sys_icache_invalidate"}


def check_architecture(checks, tools, folder, architecture, version, allowed_imports):
    major, minor, _ = version.split(".")
    library_name = f"libwasmtrap_wasmtime.{major}.dylib"
    library = folder / architecture / "lib" / library_name
    name = f"{architecture} {library_name}"
    image = artifacts.Image(tools, library)
    artifacts.check_image(checks, image, name, architecture, "DYLIB", {artifacts.LIBSYSTEM})
    identity = image.one("LC_ID_DYLIB")
    compatible = f"0.{minor}.0" if major == "0" else f"{major}.0.0"
    checks.same([image.field(identity, field) for field in ("name", "current version", "compatibility version")],
                [f"@rpath/{library_name}", version, compatible], f"{name}: install name and versions")
    checks.same([section for _, section in image.sections() if "thread" in section], [],
                f"{name}: has no thread-local variable, which would be allocated at its first look")
    imports = tools.undefined(library) - {"dyld_stub_binder"}
    allowed = allowed_imports | IMPORTS | (ARM64_IMPORTS if architecture == "aarch64" else set())
    artifacts.check_imports(checks, imports, name, allowed)
    artifacts.check_unwinding(checks, tools, image, library, name)
    archive = library.with_name("libwasmtrap_wasmtime.a")
    checks.same(set(artifacts.archived_cpu_types(archive)), {architecture}, f"{architecture} {archive.name}: its kind")

    programs = sorted((folder / architecture / "tests").glob("*.t"))
    checks.check(programs, f"{architecture}: there are programs for a Mac")
    for program in programs:
        image = artifacts.Image(tools, program)
        needs = {artifacts.LIBSYSTEM, f"@rpath/{library_name}"}
        artifacts.check_image(checks, image, f"{architecture} {program.name}", architecture, "EXECUTE", needs)
        places = [image.field(text, "path") for text in image.all("LC_RPATH")]
        checks.same(places, ["@loader_path/../lib"], f"{architecture} {program.name}: finds the library beside it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llvm", default="", help="the version that LLVM's tools have in their names")
    parser.add_argument("--version", required=True, help="the library's")
    parser.add_argument("folder", type=pathlib.Path, help="with a folder for each architecture: lib, tests")
    arguments = parser.parse_args()
    lines = (MACOS / "imports.txt").read_text(encoding="utf-8").splitlines()
    allowed = {line for line in lines if line and not line.startswith("#")}
    checks = artifacts.Checks()
    for architecture in artifacts.CPU_TYPES:
        check_architecture(checks, artifacts.Tools(arguments.llvm), arguments.folder, architecture, arguments.version,
                           allowed)
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
