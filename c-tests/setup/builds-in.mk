# What the parts of `make check` build in, below target/: two parts that share none of it may run at the same time. What
# `make` itself builds is there before, and cargo takes care of its own folders. A part that is not here, a new check,
# say, runs alone.

BUILDS_IN_lint := target
BUILDS_IN_check-header := target
BUILDS_IN_check-rust := target
BUILDS_IN_check-exports := exports
BUILDS_IN_check-handler-safety := handler-safety
BUILDS_IN_check-install := check-install
BUILDS_IN_check-c := c-tests
BUILDS_IN_check-c-by-jump := c-tests
BUILDS_IN_check-hosts := c-tests
BUILDS_IN_check-unwind := c-tests
BUILDS_IN_check-x86-64-system := c-tests x86-64-system
BUILDS_IN_check-static-archive := check-static-archive
BUILDS_IN_check-wasm := wasm
BUILDS_IN_check-spec := wasm
BUILDS_IN_check-python := wasm python
BUILDS_IN_check-bench := wasm python mach bench
BUILDS_IN_check-fuzz := fuzz
BUILDS_IN_check-mutants := mutants
BUILDS_IN_check-musl := musl
BUILDS_IN_check-aarch64 := aarch64
BUILDS_IN_check-arm64-system := aarch64 arm64-system
BUILDS_IN_check-mach-kernel := mach
BUILDS_IN_check-mach-policy := mach
BUILDS_IN_check-mach-handler-safety := mach
BUILDS_IN_check-mach-backend := mach
BUILDS_IN_check-mach := mach
BUILDS_IN_check-macos := macos wasm python wasmtime
BUILDS_IN_check-windows := windows
BUILDS_IN_check-windows-spec := windows wasm
BUILDS_IN_check-windows-wasmtime := windows
BUILDS_IN_check-windows-python := windows wasm python
BUILDS_IN_check-windows-aarch64 := windows
BUILDS_IN_check-wasmtime := wasmtime
BUILDS_IN_check-wasmtime-spec := wasmtime
# The newest engines take minutes to build, beside the others; what runs them comes later.
BUILDS_IN_check-adopted-wasmtime-build := wasmtime-50
BUILDS_IN_check-adopted-wasmer-build := wasmer
BUILDS_IN_check-adopted-wasmtime := wasmtime-50 wasmtime mach
BUILDS_IN_check-adopted-wasi := wasmtime-50 mach
BUILDS_IN_check-adopted-wasmer := wasmer wasmtime-50 mach
BUILDS_IN_check-wasmtime-mach := wasmtime mach
BUILDS_IN_check-wasmtime-founding-case := wasmtime mach
BUILDS_IN_check-wasmtime-aarch64 := wasmtime arm64-system
# In folders of their own, outside of the tree; the wheel is tried with modules of check-python's.
BUILDS_IN_check-crates := check-crates
BUILDS_IN_check-debian := check-debian
BUILDS_IN_check-conan := check-conan
BUILDS_IN_check-vcpkg := check-vcpkg
BUILDS_IN_check-wheels := wasm python
BUILDS_IN_check-examples := check-examples
BUILDS_IN_check-abi := check-abi

# Those of `make check-quick`.
BUILDS_IN_quick-lint := lint-text
BUILDS_IN_quick-c := c-tests
BUILDS_IN_quick-spec := wasm
BUILDS_IN_quick-python := wasm python
BUILDS_IN_quick-mach := mach
BUILDS_IN_quick-fuzz := fuzz

# How many run at a time. Each is made for two processors, and waits now and then.
CHECK_JOBS ?= 2
comma := ,
empty :=
RUN_CHECKS = $(PYTHON) c-tests/setup/run-checks.py $(MAKE) $(CHECK_JOBS) \
    $(foreach check,$(1),$(check):$(subst $(empty) ,$(comma),$(strip $(BUILDS_IN_$(check)))))
