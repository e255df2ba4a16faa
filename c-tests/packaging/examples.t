#!/bin/bash
# Every example, in a copy outside of the tree, against an installed tree: it builds without a warning, by pkg-config,
# and says what is expected. Those for build systems are tried where these are. Prints TAP. `make check-examples`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

"${MAKE:-make}" --no-print-directory SETUP=no install DESTDIR= PREFIX="$out/installed" >"$out/log" 2>&1
cp -rL examples "$out/examples"
export PKG_CONFIG_PATH=$out/installed/lib/pkgconfig LD_LIBRARY_PATH=$out/installed/lib

compile() {
    local flags
    flags=$(pkg-config --cflags --libs wasmtrap)
    # shellcheck disable=SC2086 # several words
    ${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -O2 -fno-omit-frame-pointer "$1" $flags -pthread -o "$2"
}
for source in "$out"/examples/*.c; do
    name=$(basename "$source" .c)
    promise "$name compiles" -- compile "$source" "$out/$name"
    promise "$name says what its page shows" -- says "$(cat "$out/examples/$name.expected")" "$out/$name"
done
mkdir "$out/python"
promise a Python extension is built and raises its exception -- \
    says "$(cat examples/python/run.expected)" "${PYTHON:-python3}" "$out/examples/python/run.py" "$out/python"

by_meson() {
    meson setup "$out/meson" "$out/examples/meson" && meson compile -C "$out/meson" && meson test -C "$out/meson" &&
        says "$(cat examples/jit.expected)" "$out/meson/jit"
}
promise Meson finds the library by pkg-config, and what it builds traps -- by_meson

# No distribution's package of it is new; where there is one, it is tried.
by_bazel() {
    (cd "$out/examples/bazel" && bazel --batch --output_user_root="$out/bazel" run //:jit >"$out/said" 2>"$out/log2") ||
        { cat "$out/log2" && return 1; }
    diff "$out/said" "$top/examples/jit.expected"
}
bazel_has_its_rules() {
    local command=(bazel --batch --output_user_root="$out/bazel" build --nobuild //:jit)
    (cd "$out/examples/bazel" && "${command[@]}" >"$out/log2" 2>&1) ||
        ! grep -q 'Unknown host\|Error downloading' "$out/log2"
}
if ! command -v bazel >/dev/null; then
    tests=$((tests + 1))
    echo "ok $tests # skip Bazel: there is none here"
elif ! bazel_has_its_rules; then
    tests=$((tests + 1))
    echo "ok $tests # skip Bazel: it cannot fetch its own rules here"
else
    promise Bazel finds the library by pkg-config, and what it builds traps -- by_bazel
fi
tap_done
