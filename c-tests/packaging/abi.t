#!/bin/bash
# The library keeps the ABI of the last release (docs/abi.md): abidiff of the headers, versions of the functions, and
# programs of either version on libraries of either. Prints TAP. Run it from the top folder: `make check-abi`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

CC=${CC:-cc}
last=$(printf '%s\n' packaging/abi/[0-9]* | sort -V | tail -n 1)
released=${last##*/}
soname=libwasmtrap.so.${version%%.*}
functions_of() { grep -v '^//' "$1" | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u; }

# ---- The header ----

# stub_library HEADER_FOLDER OUTPUT OPTION...: a library with the header's functions, and debug information of its
# types.
stub_library() {
    "${PYTHON:-python3}" c-tests/packaging/stubs.py "$1/wasmtrap.h" >"$2.c"
    $CC -g -w -fPIC -shared -Wl,-soname,"$soname" -I"$1" "$2.c" -o "$2" "${@:3}"
}
promise "the header of $released makes a library of stubs" -- stub_library "$last" "$out/old.so"
promise and so does the header -- stub_library include "$out/new.so"
compares() { abidiff --suppressions packaging/abi/growing.ini --no-added-syms "$1" "$2"; }
promise "abidiff: nothing of $released has gone or changed, and structures have grown at their ends only" -- \
    compares "$out/old.so" "$out/new.so"

# Changes that it has to notice, so that the promise above is worth something.
changed() { # NAME SED_SCRIPT
    mkdir -p "$out/$1"
    sed "$2" include/wasmtrap.h >"$out/$1/wasmtrap.h"
    ! cmp -s include/wasmtrap.h "$out/$1/wasmtrap.h" && stub_library "$out/$1" "$out/$1.so" &&
        not compares "$out/new.so" "$out/$1.so"
}
promise it would notice a function that has gone -- changed gone '/^wasmtrap_status_t wasmtrap_rearm/d'
promise it would notice an argument of another size -- \
    changed argument 's/wasmtrap_code_unregister(uint64_t id)/wasmtrap_code_unregister(uint32_t id)/'
promise it would notice a field in the middle of a structure -- \
    changed middle 's/^  uint32_t fault_kinds;/  void *middle;\n&/'
promise it would notice that what is an element of arrays grows -- \
    changed element 's/^} wasmtrap_site_t;/  uint64_t more;\n&/'

# ---- The library's symbols ----

library=$top/target/release/libwasmtrap.so
versions_of() { nm -D --defined-only "$1" | sed -n 's/.* T \(wasmtrap_[a-z_]*\)@@\(.*\)/\1 \2/p' | sort; }
has_versions() { # HEADER VERSION: each of its functions is there with this version
    local function
    for function in $(functions_of "$1"); do
        versions_of "$library" | grep -x >/dev/null "$function $2" || { echo "$function" && return 1; }
    done
}
promise "each function of $released has the version WASMTRAP_${released%.*}" -- \
    has_versions "$last/wasmtrap.h" "WASMTRAP_${released%.*}"
all_versioned() { [ "$(versions_of "$library" | cut -d ' ' -f 1)" = "$(functions_of include/wasmtrap.h)" ]; }
promise every function has one -- all_versioned

# ---- Programs of either on libraries of either ----

program() { $CC "$trap_program" -I"$1" "$2" -o "$3"; }
promise a program is built with the header of "$released" and linked with the library -- \
    program "$last" "$library" "$out/old-program"
ln -s "$library" "$out/$soname"
promise it traps -- says "$trap_says" env LD_LIBRARY_PATH="$out" "$out/old-program"

# The last release itself, from the history, if that is there.
build_release() {
    mkdir "$out/release" && git archive "$(cat "$last/commit")" | tar -x -C "$out/release" &&
        make -C "$out/release" SETUP=no all && mkdir "$out/old" &&
        cp "$out/release/target/release/libwasmtrap.so" "$out/old/$soname"
}
if git cat-file -e "$(cat "$last/commit")" 2>/dev/null; then
    promise "the library of $released is built" -- build_release
    promise a program is built with the header -- program include "$library" "$out/new-program"
    # Its symbols may have no versions: ld.so says so on standard error, and goes on.
    # Structures that it does not know in this size, a library refuses, with a sentence that has both sizes.
    traps_or_is_refused() {
        local said
        said=$(LD_LIBRARY_PATH="$out/old" "$out/new-program" 2>&1 | grep -v 'no version information available' || true)
        echo "$said"
        [ "$said" = "$trap_says" ] || grep -qE 'struct_size is [0-9]+, but the structure has [0-9]+ bytes' <<<"$said"
    }
    promise "and traps on the library of $released, or is told which structure is too new for it" -- traps_or_is_refused
    linked_with_old() { program "$last" "$out/old/$soname" "$out/old-linked"; }
    promise "a program is built with $released, header and library" -- linked_with_old
    promise and traps on the library -- says "$trap_says" env LD_LIBRARY_PATH="$out" "$out/old-linked"
else
    tests=$((tests + 1))
    echo "ok $tests # skip the history has no $released"
fi

# A program that wants a function which an old library does not have.
fresh=$(comm -13 <(functions_of "$last/wasmtrap.h") <(functions_of include/wasmtrap.h) | sed -n 1p)
if [ -n "$fresh" ]; then
    wants_fresh() {
        mkdir "$out/versioned" && packaging/version-script.sh | sed -n '1,/^}/p' >"$out/first-version" || return
        stub_library "$last" "$out/versioned/$soname" -Wl,--version-script="$out/first-version" || return
        printf '%s\n' "void $fresh(void);" "int main(int n, char **a) { if (n > 1) $fresh(); return 0; }" \
            >"$out/fresh.c"
        $CC -w "$out/fresh.c" "$library" -o "$out/fresh" && LD_LIBRARY_PATH=$out "$out/fresh" || return
        not env LD_LIBRARY_PATH="$out/versioned" "$out/fresh" 2>"$out/said" &&
            grep 'version .WASMTRAP_.* not found' "$out/said"
    }
    promise "a program that wants $fresh is refused by a library without it, when it starts" -- wants_fresh
fi
tap_done
