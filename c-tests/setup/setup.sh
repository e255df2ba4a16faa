#!/bin/bash
# Gets a machine ready for `make run` or `make check`: installs the Debian packages that are missing, picks the Rust
# toolchains, and writes what it picked as a makefile. The Makefile calls it; it can be called by hand as well:
#
#     c-tests/setup/setup.sh run|check OUTPUT
#
# Nothing is installed that is there already, from wherever it came. Without root (or sudo without a password) nothing
# is installed at all: the command that would have been run is printed, and the script fails. OUTPUT is only touched
# when its contents change, so that make does not start over without need.
set -euo pipefail
cd "$(dirname "$0")/../.."

group=${1:?"usage: $0 run|check OUTPUT"}
output=${2:?"usage: $0 run|check OUTPUT"}
case $group in
run | check) ;;
*) echo "$0: '$group' is neither run nor check" >&2 && exit 2 ;;
esac

say() { echo "setup: $*" >&2; }

# What cannot be installed is unpacked here; its programs go after the machine's own.
beside=$PWD/target/setup/beside
PATH=$PATH:$beside/bin

# is_there PROBE: an absolute path that exists, or a command that is on the path.
is_there() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

is_installed() {
    command -v dpkg-query >/dev/null && dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# lines_of LIST: without comments and blank lines.
lines_of() { sed 's/#.*//; /^[[:space:]]*$/d' "$1"; }

# missing_packages: those of this group's lists that are not there.
missing_packages() {
    local who package probe list
    lines_of c-tests/setup/packages.txt | while read -r who package probe; do
        if [ "$who" = run ] || [ "$who" = "$group" ]; then
            is_there "$probe" || echo "$package"
        fi
    done

    # The lists of the other parts: a package, and optionally its probe, a line.
    local lists=(c-tests/wasm/packages.txt c-tests/python/packages.txt)
    [ "$group" = run ] || lists=(c-tests/*/packages.txt fuzz/packages.txt)
    for list in "${lists[@]}"; do
        if [ "$list" = c-tests/setup/packages.txt ] || [ ! -e "$list" ]; then continue; fi
        lines_of "$list" | while read -r package probe; do
            if [ -n "$probe" ]; then
                is_there "$probe" || echo "$package"
            else
                is_installed "$package" || echo "$package"
            fi
        done
    done
}

# apt ARGUMENT...: apt-get as root, in English, asking nothing. Without --allow-downgrades and
# --allow-change-held-packages it refuses both.
as_root=()
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -y -q -o DPkg::Lock::Timeout=600 \
        --no-install-recommends --no-remove "$@" </dev/null
}

# fits ARGUMENT...: whether apt would install these and take nothing away for it.
fits() {
    local plan
    plan=$(apt --simulate install "$@" 2>&1) && ! grep -qE '^Remv |DOWNGRADED|held packages' <<<"$plan"
}

# install_beside PACKAGE: what apt would have to remove something for. From another of the machine's suites, if it fits
# from there (backports, say), else unpacked.
install_beside() {
    local suite suites
    suites=$(apt-cache policy "$1" | sed -n 's,^ *[-0-9]\+ [^ ]* \([^ /]*\)/.*,\1,p' | sort -u)
    for suite in $suites; do
        if fits --target-release "$suite" "$1"; then
            say "installing $1 from $suite"
            apt --target-release "$suite" install "$1" >&2 && return
        fi
    done
    say "$1 cannot be installed beside the packages that are here: unpacking it below target/setup"
    c-tests/setup/unpack.sh "$beside" "$1"
}

# install_packages PACKAGE...: by apt-get. Nothing is ever removed or downgraded for it.
install_packages() {
    local package together=()
    if ! command -v apt-get >/dev/null; then
        say "this is missing, and there is no apt-get to install it with; the names are Debian's: $*"
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "this is missing, and only root can install it; run this and try again:"
            say "    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
            return 1
        fi
        as_root=(sudo -n)
    fi
    # Lists that are old, or that lack the security updates, lead to versions that are gone or too old.
    apt update >&2 || say "going on with the package lists as they are"
    if fits "$@"; then
        together=("$@")
    else
        for package; do
            if fits "${together[@]}" "$package"; then together+=("$package"); fi
        done
    fi
    if [ "${#together[@]}" != 0 ]; then
        say "installing ${together[*]}"
        apt install "${together[@]}" >&2 || return
    fi
    for package; do
        case " ${together[*]} " in
        *" $package "*) ;;
        *) install_beside "$package" || return ;;
        esac
    done
}

# ---- The Rust toolchains ----

wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)

# is_new_enough RUSTC [VERSION]: at least VERSION, or what the library wants.
is_new_enough() {
    local version
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#rustc }
    version=${version%%[ -]*}
    [ "$(printf '%s\n' "${2:-$wanted}" "$version" | sort -V | head -n 1)" = "${2:-$wanted}" ]
}

# Debian keeps a current toolchain for its browsers, in packages that end in -web.
debian_cargo=$PWD/c-tests/setup/debian-cargo
debian_rust=()
cargo=${CARGO:-cargo}
rustc=${RUSTC:-rustc}
environment=()

# The toolchain for everything: the user's, else Debian's.
if ! "$cargo" --version >/dev/null 2>&1 || ! is_new_enough "$rustc"; then
    if [ -n "${CARGO:-}${RUSTC:-}" ]; then
        say "CARGO or RUSTC is set, and is missing or older than Rust $wanted"
        exit 1
    fi
    debian_rust+=(cargo-web rustc-web)
    cargo=$debian_cargo
    rustc=/usr/bin/rustc
    environment+=("CARGO := $cargo")
fi

if [ "$group" = check ]; then
    # clippy and rustfmt come with most toolchains, but not with all.
    lint_cargo=$cargo
    if [ "$cargo" = "$debian_cargo" ] ||
        ! "$cargo" clippy --version >/dev/null 2>&1 || ! "$cargo" fmt --version >/dev/null 2>&1; then
        debian_rust+=(cargo-web rustc-web rust-web-clippy rustfmt-web)
        lint_cargo=$debian_cargo
    fi
    environment+=("LINT_CARGO := $lint_cargo")

    # The core library for other targets: the toolchain's, else built from the toolchain's sources, else from Debian's.
    rustlib=none
    [ "$cargo" = "$debian_cargo" ] || rustlib=$("$rustc" --print sysroot)/lib/rustlib
    from_source=-Zbuild-std=core,alloc,compiler_builtins
    for variable_and_target in AARCH64_CARGO:aarch64-unknown-linux-gnu MACOS_AARCH64_CARGO:aarch64-apple-darwin \
        MACOS_X86_64_CARGO:x86_64-apple-darwin; do
        if [ -d "$rustlib/${variable_and_target#*:}/lib" ]; then
            target_cargo=$cargo
        elif [ -e "$rustlib/src/rust/library/core/Cargo.toml" ]; then
            target_cargo="RUSTC_BOOTSTRAP=1 $cargo $from_source"
        else
            debian_rust+=(cargo-web rustc-web rust-web-src)
            target_cargo="RUSTC_BOOTSTRAP=1 $debian_cargo $from_source"
        fi
        environment+=("${variable_and_target%:*} := $target_cargo")
    done

    # Wasmtime wants a newer one than the library.
    wasmtime_cargo=$cargo
    if ! is_new_enough "$rustc" "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' c-tests/wasmtime/host/Cargo.toml)"; then
        debian_rust+=(cargo-web rustc-web)
        wasmtime_cargo=$debian_cargo
    fi
    environment+=("WASMTIME_CARGO := $wasmtime_cargo")
fi

# ---- Installing ----

missing_rust() {
    local package
    for package in "${debian_rust[@]}"; do
        # An old rustc-web is brought up to date, and the others go with it.
        is_installed "$package" && is_new_enough /usr/bin/rustc || echo "$package"
    done
}

missing=$({ missing_rust && missing_packages; } | sort -u)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # a word each
    install_packages $missing || {
        [ "${#debian_rust[@]}" = 0 ] || say "(rustc-web takes the place of Debian's own cargo, rustc and rustup)"
        exit 1
    }
    missing=$(missing_packages | sort -u)
    if [ -n "$missing" ]; then
        say "installed, and still not found: $(echo "$missing" | tr "\n" " ")"
        exit 1
    fi
fi
if [ "${#debian_rust[@]}" != 0 ] && ! is_new_enough /usr/bin/rustc; then
    say "Debian's rustc-web is older than Rust $wanted here: add the suite bookworm-security to apt's sources,"
    say "or install Rust $wanted or later in another way"
    exit 1
fi

# ---- What was picked ----

mkdir -p "$(dirname "$output")"
{
    echo "# Written by c-tests/setup/setup.sh $group. \`make clean\` removes it."
    printf '%s\n' "${environment[@]}"
    [ ! -d "$beside/bin" ] || echo "export PATH := \$(subst :$beside/bin,,\$(PATH)):$beside/bin"
} >"$output.new"
if cmp -s "$output.new" "$output"; then
    rm "$output.new"
else
    mv "$output.new" "$output"
fi
