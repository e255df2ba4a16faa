#!/bin/bash
# Both crates as crates.io would get them: packed, unpacked elsewhere, and used from there by a program that traps.
# Prints TAP. Run it from the top folder: `make check-crates`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh
packed=$out/packed

# From a copy: packing the second one writes its lock file. Whether the sources compile as they were packed, the program
# below shows.
source_tree "$out/source"
pack() { # FOLDER ARGUMENT...: without a warning of what crates.io would like to know
    (cd "$1" && $cargo package --allow-dirty --no-verify --target-dir "$packed" "${@:2}" 2>"$out/said") ||
        { cat "$out/said" && return 1; }
    # Where the dependency comes from its folder, the patch is not used.
    ! grep '^warning' "$out/said" | grep -v 'was not used in the crate graph'
}
unpack() { tar -C "$out" -xzf "$packed/package/$1-$version.crate"; }

promise cargo package takes wasmtrap, without a warning -- pack "$out/source" --locked
promise its crate unpacks -- unpack wasmtrap
# The library is not on crates.io for this: the second package gets it from where the first was unpacked.
mkdir "$out/source/adapters/wasmtime/.cargo"
echo "patch.crates-io.wasmtrap.path = '$out/wasmtrap-$version'" >"$out/source/adapters/wasmtime/.cargo/config.toml"
promise cargo package takes wasmtrap-wasmtime, whose dependency on wasmtrap has a version -- \
    pack "$out/source/adapters/wasmtime"
promise its crate unpacks -- unpack wasmtrap-wasmtime

no_foreign_files() {
    ! (cd "$out" && find "wasmtrap-$version" "wasmtrap-wasmtime-$version" -type f) |
        grep -vE '/(src|include)/|/(Cargo\.(toml(\.orig)?|lock)|build\.rs|cbindgen\.toml|[A-Z-]+(\.md)?)$|\.cargo_vcs_'
}
promise they have nothing of the tests -- no_foreign_files
have_licences() {
    local package licence
    for package in wasmtrap wasmtrap-wasmtime; do
        for licence in LICENSE-MIT LICENSE-APACHE; do [ -s "$out/$package-$version/$licence" ] || return; done
    done
}
promise they have their licences -- have_licences

mkdir -p "$out/program/src"
cat >"$out/program/Cargo.toml" <<END
[package]
name = "program"
version = "0.0.0"
edition = "2024"
[dependencies]
wasmtrap = { version = "$version", default-features = false }
wasmtrap-wasmtime = { version = "$version", default-features = false }
[patch.crates-io]
wasmtrap = { path = "../wasmtrap-$version" }
wasmtrap-wasmtime = { path = "../wasmtrap-wasmtime-$version" }
[profile.dev]
panic = "abort"
END
cat >"$out/program/src/main.rs" <<'END'
//! A host in Rust: what it calls ends with a trap, by the library's software path.
use wasmtrap::{abi::wasmtrap_trap_t, capi};

unsafe extern "C-unwind" fn webassembly(_: *mut core::ffi::c_void) {
    unsafe { capi::wasmtrap_raise(0x1001, 7) }
}

fn main() {
    wasmtrap_wasmtime::capi::wasmtime_tls_set(0, 7 as *mut u8);
    let tls = wasmtrap_wasmtime::capi::wasmtime_tls_get(0) as usize;
    let mut trap: wasmtrap_trap_t = unsafe { core::mem::zeroed() };
    trap.struct_size = size_of::<wasmtrap_trap_t>() as _;
    let init = unsafe { capi::wasmtrap_init(core::ptr::null()) };
    let status = (init, unsafe { capi::wasmtrap_call(Some(webassembly), core::ptr::null_mut(), &mut trap) });
    println!("{:?} {:#x} {} {tls}", status, trap.code, trap.payload);
}
END
run_program() { (cd "$out/program" && $cargo run --quiet --target-dir "$out/built"); }
promise a Rust program with both, from where they were unpacked, traps -- says '(0, 1) 0x1001 7 7' run_program

# In a folder of its own: other checks build with other features in `target` meanwhile.
documents() { # MANIFEST ARGUMENT...
    RUSTDOCFLAGS='-D warnings' $cargo doc --locked --no-deps --target-dir "$out/doc" --manifest-path "$@"
}
promise cargo doc has no warning of wasmtrap -- documents Cargo.toml
promise cargo doc has no warning of wasmtrap-wasmtime -- documents adapters/wasmtime/Cargo.toml --no-default-features

tap_done
