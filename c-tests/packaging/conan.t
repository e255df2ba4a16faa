#!/bin/bash
# The Conan recipe, from a copy of the source: as a shared and as a static library, each with the test package, a
# program that traps. Prints TAP. Run it from the top folder: `make check-conan`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

tools=$("${PYTHON:-python3}" c-tests/packaging/tools.py)
export CONAN_HOME=$out/conan
source_tree "$out/source"
cd "$out/source"
promise Conan makes a profile of this machine -- env -u CC -u CXX "$tools/conan" profile detect
for shared in True False; do
    created() { "$tools/conan" create packaging/conan --no-remote --build=missing -o "wasmtrap/*:shared=$shared"; }
    promise "conan create, shared=$shared, and its test package traps" -- created
    packed() { "$tools/conan" list "wasmtrap/$version:*" 2>&1 | grep >/dev/null "shared: $shared"; }
    promise "the package for shared=$shared is in the cache" -- packed
    # A user's project, with Conan's own CMake files.
    wasm2c_program() {
        local folder=$out/wasm2c-$shared
        # shellcheck disable=SC1091 # Conan makes it
        "$tools/conan" install --no-remote --requires "wasmtrap/$version" -o "wasmtrap/*:shared=$shared" \
            -g CMakeDeps -g CMakeToolchain --output-folder "$folder" &&
            wasm2c_host "$folder/build" -DBY_CONAN=yes -DCMAKE_TOOLCHAIN_FILE="$folder/conan_toolchain.cmake" \
                -DCMAKE_BUILD_TYPE=Release &&
            (. "$folder/conanrun.sh" && says "$wasm2c_says" "$folder/build/host")
    }
    promise "a module by wasm2c, shared=$shared, traps" -- wasm2c_program
done
tap_done
