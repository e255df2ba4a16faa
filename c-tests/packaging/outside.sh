# shellcheck shell=bash
# For scripts that try what is shipped outside of the source tree: `top` is the tree, `out` a folder elsewhere that is
# gone at the end, and tap.sh's functions.
# shellcheck disable=SC2034

unset MAKEFLAGS MAKELEVEL DESTDIR LIBDIR INCLUDEDIR PKGCONFIGDIR CMAKEDIR CPATH LIBRARY_PATH LD_LIBRARY_PATH
unset PKG_CONFIG_PATH PKG_CONFIG_LIBDIR CFLAGS CXXFLAGS RUSTFLAGS CARGO_TARGET_DIR
top=$PWD
out=$(mktemp -d "${TMPDIR:-/tmp}/wasmtrap-$(basename "$0" .t)-XXXXXX")
trap 'rm -rf --one-file-system "$out"' EXIT
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
cargo=${CARGO:-cargo}
trap_program=$top/c-tests/packaging/trap.c
trap_says='out of bounds memory access at address 4660'

# shellcheck source-path=SCRIPTDIR source=tap.sh
. c-tests/packaging/tap.sh

not() { ! "$@"; }

# wasm2c_host FOLDER CMAKE_ARGUMENT...: a user's project with a module that wasm2c translates, built in FOLDER.
wasm2c_says='out of bounds memory access at address 70000'
wasm2c_host() {
    export PYTHONDONTWRITEBYTECODE=1
    "${WAT2WASM:-wat2wasm}" "$top/c-tests/wasm/modules/memory.wat" -o "$out/memory.wasm" &&
        cmake -S "$top/c-tests/packaging/wasm2c" -B "$1" -DWASM="$out/memory.wasm" "${@:2}" && cmake --build "$1"
}

# says WORDS COMMAND...: the command's output is WORDS, and it ends well.
says() {
    local said
    said=$("${@:2}") || return
    [ "$said" = "$1" ] || { echo "it said: $said" && return 1; }
}

# source_tree FOLDER: the files that git knows or would add, as a release has them; without git, all but what was built.
source_files() {
    if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$top" ls-files -z --cached --others --exclude-standard
    else
        (cd "$top" && find . -name target -prune -o ! -type d -print0)
    fi
}
source_tree() {
    mkdir -p "$1"
    source_files | while IFS= read -r -d '' file; do [ ! -e "$top/$file" ] || printf '%s\0' "$file"; done |
        tar --create --null --directory="$top" --files-from=- | tar --extract --no-same-owner --directory="$1"
}
