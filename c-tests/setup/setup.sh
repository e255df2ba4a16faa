#!/bin/bash
# Gets a machine ready for what the targets of the Makefile need (needs.mk): installs the Debian packages that are
# missing, picks the Rust toolchains, and writes what it picked as a makefile. The Makefile calls it; it can be called
# by hand as well:
#
#     c-tests/setup/setup.sh OUTPUT PART...      the part `all` is all of them
#
# Nothing is installed that is there already, from wherever it came, and nothing is removed or downgraded. What cannot
# be installed beside what is there comes from a suite from which it can, or is unpacked below target/setup/beside.
# Without root (or sudo without a password) nothing is installed at all: the command that would have been run is
# printed, and the script fails. OUTPUT is only touched when its contents change, so that make does not start over
# without need.
set -euo pipefail
cd "$(dirname "$0")/../.."

output=${1:?"usage: $0 OUTPUT PART..."}
shift
parts=" base $* "

# needs PART...: whether one of these is asked for.
needs() {
    local part
    for part in all "$@"; do
        [[ $parts != *" $part "* ]] || return 0
    done
    return 1
}

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
    command -v dpkg-query >/dev/null && dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null |
        grep -x installed >/dev/null
}

# lines_of LIST: without comments and blank lines.
lines_of() { sed 's/#.*//; /^[[:space:]]*$/d' "$1"; }

# missing_packages: those of the parts' lists that are not there.
missing_packages() {
    local part package probe list
    lines_of c-tests/setup/packages.txt | while read -r part package probe; do
        if needs "$part" && [ ! -e "$beside/done/$package" ]; then is_there "$probe" || echo "$package"; fi
    done

    # The lists of the other parts: a package, and optionally its probe, a line.
    for list in c-tests/*/packages.txt fuzz/packages.txt; do
        part=${list%/packages.txt}
        part=${part##*/}
        if [ "$part" = setup ] || ! needs "$part"; then continue; fi
        lines_of "$list" | sed "s/@LLVM@/$llvm/g" | while read -r package probe; do
            [ ! -e "$beside/done/$package" ] || continue
            if [ -n "$probe" ]; then
                is_there "$probe" || echo "$package"
            else
                is_installed "$package" || echo "$package"
            fi
        done
    done
}

# The LLVM whose tools link for macOS and for Windows on arm64: the one that was tried most, else what there is of it,
# or can be had.
llvm=19
pick_llvm() {
    local version
    for version in 19 20 21 22 18 17 16 15; do
        if is_there "ld64.lld-$version" && is_there "llvm-objdump-$version"; then llvm=$version && return; fi
    done
    command -v apt-cache >/dev/null || return 0
    for version in 19 20 21 22 18 17 16 15; do
        if is_available "lld-$version" && is_available "llvm-$version"; then llvm=$version && return; fi
    done
}

# is_available PACKAGE: whether apt knows a version of it.
is_available() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

# apt ARGUMENT...: apt-get as root, in English, asking nothing. Without --allow-downgrades and
# --allow-change-held-packages it refuses both.
as_root=()
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -y -q -o DPkg::Lock::Timeout=600 \
        --no-install-recommends --no-remove "$@" </dev/null
}

# logged COMMAND...: apt says much; it is shown if it fails.
log=target/setup/apt.log
logged() {
    local start=$SECONDS
    mkdir -p "${log%/*}"
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        return 1
    fi
    [ $((SECONDS - start)) -lt 5 ] || say "done in $((SECONDS - start)) s"
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
            logged apt --target-release "$suite" install "$1" && return
        fi
    done
    say "$1 cannot be installed beside the packages that are here: unpacking it below target/setup"
    c-tests/setup/unpack.sh "$beside" "$1"
}

# prepare_to_install PACKAGE...: who may, and with which lists.
prepare_to_install() {
    if ! command -v apt-get >/dev/null; then
        say "this is missing, and there is no apt-get to install it with; the names are Debian's: $*"
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "this is missing, and only root can install it; run this and try again:"
            say "    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
            exit 1
        fi
        as_root=(sudo -n)
    fi
    # Lists that are old, or that lack the security updates, lead to versions that are gone or too old.
    logged apt update || say "going on with the package lists as they are"
}

# What cannot be had here: the targets that need it fail, the others do not.
unavailable=()

# install_packages PACKAGE...: by apt-get. Nothing is ever removed or downgraded for it.
install_packages() {
    local package together=()
    if fits "$@"; then
        together=("$@")
    else
        for package; do
            if fits "${together[@]}" "$package"; then together+=("$package"); fi
        done
    fi
    if [ "${#together[@]}" != 0 ]; then
        say "installing ${together[*]}"
        logged apt install "${together[@]}" || return
    fi
    for package; do
        case " ${together[*]} " in
        *" $package "*) ;;
        *) install_beside "$package" || unavailable+=("$package") ;;
        esac
    done
}

# ---- The Rust toolchains ----

rust_version_of() { sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' "$1"; }
wanted=$(rust_version_of Cargo.toml)

# is_new_enough RUSTC [VERSION]: at least VERSION, or what the library wants.
is_new_enough() {
    local version
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#rustc }
    version=${version%%[ -]*}
    [ "$(printf '%s\n' "${2:-$wanted}" "$version" | sort -V | sed -n 1p)" = "${2:-$wanted}" ]
}

# The distribution's toolchain: Debian keeps a current one for its browsers, in packages that end in -web; Ubuntu's
# packages of newer ones end in their version.
debian_cargo=$PWD/c-tests/setup/debian-cargo
debian_parts=()
cargo=${CARGO:-cargo}
rustc=${RUSTC:-rustc}
environment=()

# need_debian_rust PART...: cargo, rustc, src, clippy, fmt.
need_debian_rust() { debian_parts+=("$@"); }

debian_rustc_is_new_enough() { is_new_enough debian_rustc "${1:-$wanted}"; }
debian_rustc() { "$debian_cargo" --rustc; }

# debian_packages: the names of those parts.
debian_packages() {
    local version part
    if is_available rustc-web; then
        for part; do
            case $part in
            rustc | cargo) echo "$part-web" ;;
            src) echo rust-web-src ;;
            clippy) echo rust-web-clippy ;;
            fmt) echo rustfmt-web ;;
            esac
        done
        return
    fi
    version=$(apt-cache pkgnames rustc-1. | sed -n 's/^rustc-\(1\.[0-9]*\)$/\1/p' | sort -V | tail -n 1)
    # A suite whose own rustc is new enough has no other.
    version=${version:+-$version}
    for part; do
        case $part in
        rustc | cargo) echo "$part$version" ;;
        src | clippy) echo "rust$version-$part" ;;
        fmt) echo "rustfmt$version" ;;
        esac
    done
}

# The toolchain for everything: the user's, else the distribution's.
if ! "$cargo" --version >/dev/null 2>&1 || ! is_new_enough "$rustc"; then
    if [ -n "${CARGO:-}${RUSTC:-}" ]; then
        say "CARGO or RUSTC is set, and is missing or older than Rust $wanted"
        exit 1
    fi
    need_debian_rust cargo rustc
    cargo=$debian_cargo
    rustc=/usr/bin/rustc
    environment+=("CARGO := $cargo")
fi

# clippy and rustfmt come with most toolchains, but not with all.
if needs lint; then
    lint_cargo=$cargo
    if [ "$cargo" = "$debian_cargo" ] ||
        ! "$cargo" clippy --version >/dev/null 2>&1 || ! "$cargo" fmt --version >/dev/null 2>&1; then
        need_debian_rust cargo rustc clippy fmt
        lint_cargo=$debian_cargo
    fi
    environment+=("LINT_CARGO := $lint_cargo")
fi

# The core library for other targets: the toolchain's, else built from the toolchain's sources, else from Debian's.
rustlib=none
[ "$cargo" = "$debian_cargo" ] || rustlib=$("$rustc" --print sysroot)/lib/rustlib
from_source=-Zbuild-std=core,alloc,compiler_builtins
for part_variable_target in aarch64:AARCH64_CARGO:aarch64-unknown-linux-gnu \
    musl:MUSL_CARGO:x86_64-unknown-linux-musl musl:MUSL_AARCH64_CARGO:aarch64-unknown-linux-musl \
    windows:WINDOWS_CARGO:x86_64-pc-windows-gnu windows:WINDOWS_AARCH64_CARGO:aarch64-pc-windows-gnullvm \
    macos:MACOS_AARCH64_CARGO:aarch64-apple-darwin macos:MACOS_X86_64_CARGO:x86_64-apple-darwin; do
    IFS=: read -r part variable target <<<"$part_variable_target"
    needs "$part" || continue
    if [ -d "$rustlib/$target/lib" ]; then
        target_cargo=$cargo
    elif [ -e "$rustlib/src/rust/library/core/Cargo.toml" ]; then
        target_cargo="RUSTC_BOOTSTRAP=1 $cargo $from_source"
    else
        need_debian_rust cargo rustc src
        target_cargo="RUSTC_BOOTSTRAP=1 $debian_cargo $from_source"
    fi
    environment+=("$variable := $target_cargo")
done

# Engines want newer ones than the library. For the newest engines the distribution's is brought up to date; if it is
# too old even so, they fail, and nothing else does.
wished=
for part_variable_manifest in wasmtime:WASMTIME_CARGO:adapters/wasmtime/host/Cargo.toml \
    newest:NEWEST_CARGO:c-tests/adopted/wasmer/Cargo.toml; do
    IFS=: read -r part variable manifest <<<"$part_variable_manifest"
    needs "$part" || continue
    engine_cargo=$cargo
    version=$(rust_version_of "$manifest")
    if [ "$cargo" = "$debian_cargo" ] || ! is_new_enough "$rustc" "$version"; then
        need_debian_rust cargo rustc
        engine_cargo=$debian_cargo
        if [ "$part" = newest ]; then wished=$version; else wanted=$version; fi
    fi
    environment+=("$variable := $engine_cargo")
done

# ---- Installing ----

missing_rust() {
    local package
    [ "${#debian_parts[@]}" != 0 ] || return 0
    for package in $(debian_packages "${debian_parts[@]}"); do
        # An old rustc-web is brought up to date, and the others go with it.
        { is_installed "$package" || [ -e "$beside/done/$package" ]; } && debian_rustc_is_new_enough &&
            debian_rustc_is_new_enough "$wished" || echo "$package"
    done
}

! needs macos windows || pick_llvm
missing=$({ missing_rust && missing_packages; } | sort -u)
if [ -n "$missing" ]; then
    # The lists may never have been fetched, so that the names come after that.
    # shellcheck disable=SC2086 # a word each
    prepare_to_install $missing
    ! needs macos windows || pick_llvm
    missing=$({ missing_rust && missing_packages; } | sort -u)
    # shellcheck disable=SC2086 # a word each
    install_packages $missing || {
        [ "${#debian_parts[@]}" = 0 ] || say "(rustc-web takes the place of Debian's own cargo, rustc and rustup)"
        exit 1
    }
    [ "${#unavailable[@]}" = 0 ] || say "not to be had here, so that what needs it will fail: ${unavailable[*]}"
    missing=$(missing_packages | sort -u | grep -vxF -e none "${unavailable[@]/#/-e}" || true)
    if [ -n "$missing" ]; then
        say "installed, and still without what is needed of them: $(echo "$missing" | tr "\n" " ")"
        say "this system's are too old, it seems: Debian 12's and Ubuntu 24.04's are new enough"
        exit 1
    fi
fi
if [ "${#debian_parts[@]}" != 0 ] && ! debian_rustc_is_new_enough; then
    say "the newest Rust that this system's packages have is older than $wanted: on Debian, add the security updates to"
    say "apt's sources; else install Rust $wanted or later in another way (rustup), and put it on the path"
    exit 1
fi
if [ -n "$wished" ] && ! debian_rustc_is_new_enough "$wished"; then
    say "Rust $wished is not to be had here, so that what needs it (the newest engines) will fail"
fi
! needs macos windows || environment+=("MACOS_LLVM := $llvm")

# ---- What was picked ----

mkdir -p "$(dirname "$output")"
{
    echo "# Written by c-tests/setup/setup.sh. \`make clean\` removes it."
    [ "${#environment[@]}" = 0 ] || printf '%s\n' "${environment[@]}"
    # What was picked for other parts, another time.
    [ ! -e "$output" ] || printf '%s\n' "${environment[@]}" |
        awk -F ' := ' 'NR == FNR { picked[$1]; next } / := / && !/^export |^CARGO / && !($1 in picked)' - "$output"
    [ ! -d "$beside/bin" ] || echo "export PATH := \$(subst :$beside/bin,,\$(PATH)):$beside/bin"
} >"$output.new"
if cmp -s "$output.new" "$output"; then
    rm "$output.new"
else
    mv "$output.new" "$output"
fi
