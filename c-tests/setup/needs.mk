# What the targets that set the machine up need of it: parts, which setup.sh knows. A part is a set of packages
# (packages.txt here, a folder of c-tests with a packages.txt, fuzz), or a Rust toolchain that can do something:
#
#   lint      with clippy and rustfmt
#   aarch64   with the core library for arm64 Linux, or its source
#   macos     the same for both Macs
#   musl      the same for musl
#   windows   the same for Windows
#   wasmtime  as new as Wasmtime wants
#   newest    as new as the newest engines want
#
# Every target has the part base. One that is not here, a new check, say, gets all parts.

NEEDS_run := wasm python
NEEDS_run-c := wasm
NEEDS_run-python := wasm python
NEEDS_run-wasmtime := wasm python wasmtime
NEEDS_lint := lint c
NEEDS_check-header := c
NEEDS_check-rust := base
NEEDS_check-exports := c
NEEDS_check-handler-safety := c
NEEDS_check-install := c install wasm
NEEDS_check-c := c
NEEDS_check-c-build := c
NEEDS_check-c-by-jump := c
NEEDS_check-wasm := c wasm
NEEDS_check-wasm-build := c wasm
NEEDS_check-spec := c wasm
NEEDS_check-python := c wasm python
NEEDS_measure-python := wasm python
NEEDS_check-fuzz := fuzz
NEEDS_fuzz := fuzz
NEEDS_check-static-archive := c static-archive
NEEDS_check-musl := c musl
NEEDS_windows := windows
NEEDS_check-windows := c windows
NEEDS_check-windows-spec := c wasm windows
NEEDS_check-windows-wasmtime := c windows
NEEDS_measure-windows := windows
NEEDS_check-windows-python := c wasm python windows
NEEDS_windows-aarch64 := windows
NEEDS_check-windows-aarch64 := c windows aarch64
NEEDS_check-unwind := c unwind
NEEDS_check-aarch64 := c aarch64 qemu
NEEDS_check-aarch64-streaming := c aarch64 qemu
NEEDS_check-aarch64-user := c aarch64 qemu
NEEDS_check-arm64-machine := c aarch64 arm64-system
NEEDS_check-arm64-system := c aarch64 arm64-system
NEEDS_check-arm64-mach := c aarch64 arm64-system
NEEDS_check-x86-64-system := c x86-64-system
NEEDS_check-mutants := c
NEEDS_check-mach-kernel := c lint
NEEDS_check-mach-policy := c lint
NEEDS_check-mach-handler-safety := c
NEEDS_check-mach-backend := c
NEEDS_check-mach := c wasm python
NEEDS_macos := c macos
NEEDS_check-macos := c macos wasmtime
NEEDS_check-wasmtime := c lint wasm python wasmtime
NEEDS_check-wasmtime-platform := c lint wasmtime
NEEDS_check-wasmtime-c := c wasm wasmtime
NEEDS_check-wasmtime-python := c wasm python wasmtime
NEEDS_check-wasmtime-spec := c wasm wasmtime
NEEDS_check-adopted-wasmtime := c lint wasm wasmtime newest
NEEDS_check-adopted-wasmtime-build := c newest
NEEDS_check-adopted-wasmtime-36 := c wasmtime
NEEDS_check-adopted-wasi := c lint newest
NEEDS_check-wasmtime-36 := c lint wasm wasmtime
NEEDS_check-wasmtime-36-platform := c lint wasmtime
NEEDS_check-wasmtime-50 := c wasm wasmtime newest
NEEDS_check-adopted-wasmer := c lint wasm wasmtime newest
NEEDS_check-adopted-wasmer-build := c newest
NEEDS_check-wasmtime-mach := c wasm python wasmtime
NEEDS_check-wasmtime-founding-case := c wasm python wasmtime
NEEDS_check-wasmtime-aarch64 := c aarch64 arm64-system wasmtime
NEEDS_check-wasmtime-macos := c macos wasmtime
NEEDS_check-crates := c
NEEDS_check-debian := c packaging
NEEDS_check-conan := c packaging wasm
NEEDS_check-vcpkg := c packaging wasm
NEEDS_check-wheels := c wasm python packaging
NEEDS_check-examples := c packaging
NEEDS_check-abi := c packaging
NEEDS_check-bench := c wasm python
NEEDS_bench := c wasm python $(if $(filter no,$(BENCH_WASMTIME)),,wasmtime)
NEEDS_check-setup = $(NEEDS_check)
NEEDS_check = $(foreach check,$(CHECKS),$(or $(NEEDS_$(check)),all))

SETUP_TARGETS := $(filter run run-% lint fuzz macos windows windows-% check check-% measure-% bench,$(MAKECMDGOALS))
# Makes a root of its own.
SETUP_TARGETS := $(filter-out check-clean-root,$(SETUP_TARGETS))
SETUP_PARTS = $(sort $(foreach target,$(SETUP_TARGETS),$(or $(NEEDS_$(target)),all)))
