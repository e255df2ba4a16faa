# The library for musl: `make check-musl` runs the C harness with the shared library under musl's own loader, and with
# the static one in programs that are static altogether. The core library is built from source if need be.

MUSL_CARGO ?= $(CARGO)
MUSL_OUT := target/musl
MUSL_TARGET := x86_64-unknown-linux-musl
MUSL_BUILT := $(MUSL_OUT)/$(MUSL_TARGET)/release

# Rust's target makes static programs only, unless told otherwise.
$(MUSL_BUILT)/libwasmtrap.so: RUSTFLAGS += -C target-feature=-crt-static
$(MUSL_BUILT)/libwasmtrap.so $(MUSL_BUILT)/libwasmtrap.a &: FORCE
	@CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc \
	$(call BUILD,$(MUSL_CARGO),$(MUSL_OUT)) --target $(MUSL_TARGET)

# Promises that need more than musl-gcc has: a C++ compiler, an unwinder (its libgcc is glibc's), and glibc's own names
# of malloc; and a loader in static programs.
# a_debug_exception wants headers of the kernel that musl's compiler lacks; profilers an unwinder.
MUSL_EXCEPT := protected_calls/an_exception_passes_through setup/the_header_is_cxx17 \
    protected_calls/backtraces_reach_main bad_input/running_out_of_memory_is_refused \
    setup/no_memory_is_touched_beyond_its_end threads/what_begins_beside_a_shutdown_ends_with_it \
    threads/locks_are_taken_in_one_order not_traps/a_debug_exception_is_not_a_trap \
    other_signals/profilers_unwind_through_handlers

CHECKS += check-musl
.PHONY: check-musl
check-musl: $(MUSL_BUILT)/libwasmtrap.so check-musl-aarch64 ## the C harness for musl, dynamic and static
	+$(MAKE) --no-print-directory check-c CC=musl-gcc RUNNER= C_TESTS_OUT=$(MUSL_OUT)/c-tests \
	    CAPI_EXCEPT='$(MUSL_EXCEPT)' STATIC_LIBS=-static LIB_SHARED=$(MUSL_BUILT)/libwasmtrap.so \
	    LIB_STATIC=$(MUSL_BUILT)/archive/libwasmtrap.a

# Nothing here links or runs it.
MUSL_AARCH64_CARGO ?= $(CARGO)
.PHONY: check-musl-aarch64
check-musl-aarch64: ## the library for musl on arm64 compiles
	@$(MUSL_AARCH64_CARGO) rustc --release --locked --lib --crate-type staticlib --target-dir $(MUSL_OUT) \
	    --target aarch64-unknown-linux-musl
