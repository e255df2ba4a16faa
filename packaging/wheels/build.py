"""Builds the wheels of an installed tree:

    build.py dev PREFIX FOLDER                  libwasmtrap: header, libraries, CMake and pkg-config files, for authors
                                                of extensions and other programs
    build.py extension PREFIX FOLDER FILE...    wasmtrap: the Python extension; FILEs are wasmtrap.abi3.so and
                                                libwasm_rt_wasmtrap.so

A wheel is a zip archive with a list of what is in it (packaging.python.org, "Binary distribution format"). These have
no Python to compile and no version of Python of their own, so that they are written here. The tag says manylinux and
the C library that the files need; auditwheel has the last word on that (`auditwheel show`).
"""

import base64
import hashlib
import pathlib
import platform
import re
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ABOUT = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: {summary}
License: Apache-2.0 OR MIT
Project-URL: Source, https://github.com/libwasmtrap/libwasmtrap
Requires-Python: >=3.8
"""
WHEEL = """Wheel-Version: 1.0
Generator: libwasmtrap packaging/wheels/build.py
Root-Is-Purelib: false
Tag: {tag}
"""
INIT = '''"""libwasmtrap for programs that are built against it: where its header and its libraries are."""

import os

__version__ = "{version}"
_HERE = os.path.dirname(os.path.abspath(__file__))


def get_include():
    """The folder of wasmtrap.h."""
    return os.path.join(_HERE, "include")


def get_library_dir():
    """The folder of libwasmtrap.so and libwasmtrap.a."""
    return os.path.join(_HERE, "lib")


def get_cmake_prefix():
    """For CMAKE_PREFIX_PATH."""
    return _HERE


def get_pkg_config_dir():
    """For PKG_CONFIG_PATH; pkg-config wants --define-prefix."""
    return os.path.join(_HERE, "lib", "pkgconfig")
'''


def version():
    text = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.*)"', text, re.MULTILINE)[1]


def newest_glibc(files):
    """The newest version of the C library whose functions the files need."""
    found = {(2, 17)}
    for file in files:
        run = subprocess.run(["readelf", "-VW", file], check=True, stdout=subprocess.PIPE, text=True)
        found |= {tuple(map(int, name.split("."))) for name in re.findall(r"GLIBC_(2\.\d+)", run.stdout)}
    return max(found)


def write(folder, name, summary, python, abi, files):
    """`files` are pairs of a name in the wheel and its bytes or its path."""
    paths = [path for path_name, path in files if isinstance(path, pathlib.Path) and ".so" in path_name]
    tag = f"{python}-{abi}-manylinux_{'_'.join(map(str, newest_glibc(paths)))}_{platform.machine()}"
    info = f"{name}-{version()}.dist-info"
    files = [
        *files,
        (f"{info}/METADATA", ABOUT.format(name=name, version=version(), summary=summary).encode()),
        (f"{info}/WHEEL", WHEEL.format(tag=tag).encode()),
        (f"{info}/licenses/LICENSE-MIT", ROOT / "LICENSE-MIT"),
        (f"{info}/licenses/LICENSE-APACHE", ROOT / "LICENSE-APACHE"),
    ]
    record = []
    path = folder / f"{name}-{version()}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file_name, content in files:
            data = content if isinstance(content, bytes) else content.read_bytes()
            # The same files give the same wheel: no time is in it.
            entry = zipfile.ZipInfo(file_name)
            entry.external_attr = (0o755 if ".so" in file_name else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{file_name},sha256={digest},{len(data)}")
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    print(path)


def stripped(path, folder):
    """The library without debug information, which is most of it."""
    out = folder / f".{path.name}"
    subprocess.run(["strip", "--strip-unneeded", "-o", out, path], check=True)
    return out


def build_dev(prefix, folder):
    library = stripped((prefix / "lib/libwasmtrap.so").resolve(), folder)
    soname = f"libwasmtrap.so.{version().split('.')[0]}"
    files = [("libwasmtrap/__init__.py", INIT.format(version=version()).encode()),
             ("libwasmtrap/include/wasmtrap.h", prefix / "include/wasmtrap.h"),
             ("libwasmtrap/lib/libwasmtrap.a", prefix / "lib/libwasmtrap.a")]  # fmt: skip
    # Wheels have no links.
    names = (f"libwasmtrap.so.{version()}", soname, "libwasmtrap.so")
    files += [(f"libwasmtrap/lib/{name}", library) for name in names]
    for pattern in ("lib/cmake/wasmtrap/*.cmake", "lib/pkgconfig/wasmtrap.pc"):
        files += [(f"libwasmtrap/{path.relative_to(prefix)}", path) for path in sorted(prefix.glob(pattern))]
    write(folder, "libwasmtrap", "WebAssembly traps as values: header and libraries", "py3", "none", files)
    library.unlink()


def build_extension(prefix, folder, extension, runtime):
    library = stripped((prefix / "lib/libwasmtrap.so").resolve(), folder)
    soname = f"libwasmtrap.so.{version().split('.')[0]}"
    # Beside each other: modules that wasm2c and a C compiler made are linked with the runtime by its name.
    files = [(f"wasmtrap.libs/{soname}", library), (f"wasmtrap.libs/{runtime.name}", runtime)]
    files.append((extension.name, extension))
    write(folder, "wasmtrap", "WebAssembly in CPython, with traps as exceptions", "cp38", "abi3", files)
    library.unlink()


def main():
    kind, prefix, folder, *files = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    folder.mkdir(parents=True, exist_ok=True)
    {"dev": build_dev, "extension": build_extension}[kind](prefix, folder, *files)


if __name__ == "__main__":
    main()
