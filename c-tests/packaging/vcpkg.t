#!/bin/bash
# The vcpkg port. vcpkg itself is to be had from no registry: its manifest is read as JSON by the rules that its
# documentation has, and its portfile is run by CMake with stand-ins for vcpkg's functions. Prints TAP. Run it from the
# top folder: `make check-vcpkg`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

source_tree "$out/source"
port=$out/source/packaging/vcpkg/ports/wasmtrap
manifest_is_good() {
    "${PYTHON:-python3}" - "$port/vcpkg.json" "$version" <<'END'
import json, re, sys
manifest = json.load(open(sys.argv[1], encoding="utf-8"))
assert set(manifest) == {"name", "version", "description", "homepage", "license", "supports"}, manifest
assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["name"])
assert manifest["version"] == sys.argv[2], f"{manifest['version']}, not {sys.argv[2]}"
END
}
promise "the manifest is one, for version $version" -- manifest_is_good

build() { # LINKAGE
    cmake -DPORT=wasmtrap -DCURRENT_PORT_DIR="$port" -DTARGET_TRIPLET=x64-linux -DVCPKG_BUILD_TYPE=release \
        -DVCPKG_LIBRARY_LINKAGE="$1" -DCURRENT_BUILDTREES_DIR="$out/build" -DCURRENT_PACKAGES_DIR="$out/$1" \
        -P "$top/c-tests/packaging/vcpkg-stand-in.cmake"
}
program() { # LINKAGE TARGET
    mkdir -p "$out/program-$1"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.15)' 'project(program C)' 'find_package(wasmtrap CONFIG REQUIRED)' \
        "add_executable(program \"$trap_program\")" "target_link_libraries(program PRIVATE $2)" \
        >"$out/program-$1/CMakeLists.txt"
    cmake -S "$out/program-$1" -B "$out/program-$1/build" -Dwasmtrap_DIR="$out/$1/share/wasmtrap" &&
        cmake --build "$out/program-$1/build" && says "$trap_says" "$out/program-$1/build/program"
}
promise the portfile builds the shared library -- build dynamic
promise which a program finds by CMake, and traps -- program dynamic wasmtrap::wasmtrap
wasm2c_program() { # LINKAGE
    wasm2c_host "$out/wasm2c-$1" -Dwasmtrap_DIR="$out/$1/share/wasmtrap" &&
        says "$wasm2c_says" "$out/wasm2c-$1/host"
}
promise a module by wasm2c, with the shared library, traps -- wasm2c_program dynamic
promise the portfile builds the static library -- build static
promise which a program finds by CMake, and traps, too -- program static wasmtrap::wasmtrap_static
promise a module by wasm2c, with the static library, traps -- wasm2c_program static
promise the driver is where vcpkg has tools -- "$out/static/tools/wasmtrap/wasmtrap-wasm2c" --help
promise no static library is beside it -- not test -e "$out/dynamic/lib/libwasmtrap.a"
has_copyright() { grep -q 'Apache License' "$out/dynamic/share/wasmtrap/copyright"; }
promise the licences are where vcpkg wants them -- has_copyright
no_left_overs() {
    [ -z "$(find "$out/dynamic" -path '*/lib/cmake/*' -o -path '*/share/man/*' -o -path '*/debug/include/*')" ]
}
promise nothing is where vcpkg does not want it -- no_left_overs
tap_done
