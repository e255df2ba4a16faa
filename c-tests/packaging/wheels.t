#!/bin/bash
# The wheels: built from an installed tree, judged by auditwheel, installed into virtual environments elsewhere, and
# used: the one for authors by an extension and by CMake, the one of the extension by what `make run` shows. Prints TAP.
# Run it from the top folder: `make check-wheels`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

make=${MAKE:-make}
python=${PYTHON:-python3}
tools=$("$python" c-tests/packaging/tools.py)
"$make" --no-print-directory SETUP=no install DESTDIR= PREFIX="$out/installed" >"$out/log" 2>&1
# The extension again, which finds its libraries beside itself.
# shellcheck disable=SC2016 # for make, for its shell, and for the linker
rpath=-Wl,-rpath,'\$$ORIGIN/wasmtrap.libs',-rpath,'\$$ORIGIN'
"$make" --no-print-directory SETUP=no PYTHON_OUT="$out/extension" PYTHON_RPATH="$rpath" \
    "$out/extension/wasmtrap.abi3.so" >"$out/log" 2>&1 || { cat "$out/log" && exit 1; }

build() { "$python" packaging/wheels/build.py "$@"; }
promise the wheel for authors is built -- build dev "$out/installed" "$out/wheels"
promise the wheel of the extension is built -- \
    build extension "$out/installed" "$out/wheels" "$out/extension/wasmtrap.abi3.so" \
    "$out/extension/lib/libwasm_rt_wasmtrap.so"
dev=$(echo "$out"/wheels/libwasmtrap-*.whl)
extension=$(echo "$out"/wheels/wasmtrap-*.whl)

# auditwheel names the oldest manylinux that the files fit: no later than the wheel's own tag says.
auditwheel_agrees() {
    local tag judged
    tag=$(basename "$1" .whl) && tag=${tag##*-}
    judged=$("$tools/auditwheel" show "$1" | tr '\n' ' ' | grep -oE 'tag: "manylinux_[0-9_a-z]*"' | cut -d '"' -f 2)
    echo "$tag; auditwheel: $judged"
    [ -n "$judged" ] && [ "$(printf '%s\n' "$tag" "$judged" | sort -V | tail -n 1)" = "$tag" ]
}
promise auditwheel agrees to the tag of the wheel for authors -- auditwheel_agrees "$dev"
promise auditwheel agrees to the tag of the extension\'s -- auditwheel_agrees "$extension"

into() { "$python" -m venv "$out/$1" && "$out/$1/bin/pip" --disable-pip-version-check -q install --no-index "$2"; }
promise pip installs the wheel for authors -- into author "$dev"
promise pip installs the extension\'s, elsewhere -- into user "$extension"
rm -rf "$out/installed" "$out/extension"

cd "$out"
ask() { "$out/author/bin/python" -c "import libwasmtrap; print(libwasmtrap.$1())"; }
compiles() {
    ${CC:-cc} "$trap_program" -I"$(ask get_include)" -L"$(ask get_library_dir)" -lwasmtrap \
        -Wl,-rpath,"$(ask get_library_dir)" -o "$out/program"
}
promise get_include and get_library_dir lead a compiler to them -- compiles
promise and the program traps -- says "$trap_says" "$out/program"
by_cmake() {
    cmake -S "$top/c-tests/packaging" -B "$out/cmake" -DCMAKE_PREFIX_PATH="$(ask get_cmake_prefix)" &&
        cmake --build "$out/cmake" && says "$trap_says" "$out/cmake/trap_static"
}
promise get_cmake_prefix leads CMake to them -- by_cmake

# Everything that the Python part of `make run` does, with the installed extension instead of the built one.
modules=$top/target/python/modules
traps() {
    "$make" -C "$top" --no-print-directory SETUP=no run-python-build >&2 &&
        "$out/user/bin/python" "$top/c-tests/python/demo.py" "$modules" "$top/c-tests/wasm/demo/expected_traps.txt" \
            "$top/target/wasm/sample.png"
}
comes_from_the_wheel() { "$out/user/bin/python" -c 'import wasmtrap; print(wasmtrap.__file__)' | grep -F "$out/user/"; }
promise the extension is the wheel\'s -- comes_from_the_wheel
promise and runs WebAssembly whose traps are exceptions -- traps
tap_done
