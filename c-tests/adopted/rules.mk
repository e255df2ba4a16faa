# Engines as they are, with POSIX signal handlers of their own, which the library adopts.
#
#     make check-adopted-wasmtime    the crate `wasmtime` with its default features
#     make check-adopted-wasi        WASI commands on it
#     make check-adopted-wasmer      the crate `wasmer`, and Wasmtime beside it; by hand, its compiler Cranelift:
#                                    ADOPTED_WASMER_FEATURES=cranelift
#     make check-adopted-wasmtime-36    by hand: the older release of Wasmtime that has long-term support
#
# The newest Wasmtime is built with the compiler of c-tests/wasmtime/releases/50, whose rules come later: hence some of
# its paths by name. From there come the host with its programs and the specification's suite, too; here the host is on
# a Wasmtime with handlers of its own.

ADOPTED := c-tests/adopted
ADOPTED_OUT := target/adopted
ADOPTED_WASMTIME_OUT := target/wasmtime-50
# What the set-up has picked, else the first that is new enough: the newest engines want a newer Rust than Wasmtime 48.
NEWEST_CARGO ?= $(shell c-tests/setup/new-enough.sh $(ADOPTED)/wasmer/Cargo.toml '$(WASMTIME_CARGO)' \
    c-tests/setup/debian-cargo 'cargo +nightly')

# Where programs are linked with the library, and look for it. Parts of `make check` that run at the same time may come
# here at the same time: hence no moment in which it is not there.
ADOPTED_LIB := $(ADOPTED_OUT)/lib
$(ADOPTED_LIB)/libwasmtrap.so.0: $(LIB_SHARED)
	@mkdir -p $(@D)
	ln -s $(abspath $<) $@.$$$$ && mv -f $@.$$$$ $@
	ln -s $(@F) $@.$$$$ && mv -f $@.$$$$ $(ADOPTED_LIB)/libwasmtrap.so

# The same for the library with the Mach backend: LD_LIBRARY_PATH.
ADOPTED_MACH_LIB := $(ADOPTED_OUT)/simulated-mach
$(ADOPTED_MACH_LIB)/libwasmtrap.so.0: target/mach/wasmtrap/release/libwasmtrap.so
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@

# ---- Wasmtime ----

ADOPTED_WASMTIME := $(ADOPTED_WASMTIME_OUT)/release/adopted-wasmtime
ADOPTED_HOST := $(ADOPTED_WASMTIME_OUT)/release/libwasmtime_host_adopted.so
ADOPTED_WASI := $(ADOPTED_WASMTIME_OUT)/release/adopted-wasi
# With the compiler: whatever is built in one run of cargo's has one set of features. Cargo.toml says what is ignored.
$(ADOPTED_WASMTIME) $(ADOPTED_HOST) $(ADOPTED_WASI) $(addprefix $(ADOPTED_WASMTIME_OUT)/release/,wasm-compile \
    wasm-compile-script) &: FORCE $(ADOPTED_LIB)/libwasmtrap.so.0
	@WASMTRAP_DIR=$(abspath $(ADOPTED_LIB)) $(NEWEST_CARGO) build --release --locked --ignore-rust-version \
	    --workspace --target-dir $(ADOPTED_WASMTIME_OUT) --manifest-path $(ADOPTED)/wasmtime/Cargo.toml

# Parts of `make check` by themselves, which run beside others while the newest engines are built.
.PHONY: check-adopted-wasmtime-build check-adopted-wasmer-build
check-adopted-wasmtime-build: $(ADOPTED_WASMTIME)

$(ADOPTED_OUT)/obj/adopting.o: $(ADOPTED)/wasmtime/adopting.c include/wasmtrap.h
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) -D_GNU_SOURCE -Iinclude -Iadapters/wasmtime/host/include $(CFLAGS) -c $< -o $@

# The programs of the host, as they are: the first engine that they make is adopted.
ADOPTED_NAMES := every_way_to_trap_arrives_as_an_error threads_of_a_cxx_host_trap_at_once
ADOPTED_PROGRAMS := $(ADOPTED_NAMES:%=$(ADOPTED_OUT)/tests/%.t)
ADOPTED_LINK = $(CXX) $(filter %.o,$^) -Wl,--wrap=wasmtime_host_engine_new $(filter %.so %.so.0,$^) \
    -Wl,-rpath,$(abspath $(dir $(ADOPTED_HOST))) -Wl,-rpath,$(abspath $(ADOPTED_LIB)) -pthread -o $@

$(ADOPTED_PROGRAMS): $(ADOPTED_OUT)/tests/%.t: $(ADOPTED_WASMTIME_OUT)/tests/%.o $(ADOPTED_OUT)/obj/adopting.o \
    $(ADOPTED_WASMTIME_OUT)/tests/hosting.o $(patsubst %,target/wasmtime/obj/%.o,tap process) $(ADOPTED_HOST) \
    $(ADOPTED_LIB)/libwasmtrap.so.0
	@mkdir -p $(@D)
	$(ADOPTED_LINK)

ADOPTED_SUITE := $(ADOPTED_OUT)/wasmtime-suite
$(ADOPTED_SUITE): $(patsubst %,target/wasmtime/obj/%.o,main script values) $(ADOPTED_OUT)/obj/adopting.o \
    $(ADOPTED_HOST) $(ADOPTED_LIB)/libwasmtrap.so.0
	$(ADOPTED_LINK)

# Where nobody but adoption puts a POSIX engine before a crash reporter; and where an engine's own Mach ports kill.
ADOPTED_MACH_PROFILES ?= crash-reporter apple-python-15
ADOPTED_TESTS := $(ADOPTED_WASMTIME) $(ADOPTED_PROGRAMS)

.PHONY: check-adopted-wasmtime
check-adopted-wasmtime: ## the crate wasmtime, with its default features and its own handlers, adopted
check-adopted-wasmtime: $(ADOPTED_TESTS) $(ADOPTED_SUITE) $(addprefix $(ADOPTED_WASMTIME_OUT)/modules/,traps.module \
    calls.module) $(ADOPTED_WASMTIME_OUT)/release/wasm-compile-script mach-kernel $(ADOPTED_MACH_LIB)/libwasmtrap.so.0
	$(LINT_CARGO) fmt --check --manifest-path $(ADOPTED)/wasmtime/Cargo.toml
	$(PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $(ADOPTED_TESTS)
	@$(PYTHON) c-tests/wasmtime/suite/run.py --cargo '$(WASMTIME_CARGO)' --release 50 \
	    --compile-script $(ADOPTED_WASMTIME_OUT)/release/wasm-compile-script --suite $(ADOPTED_SUITE) \
	    --out $(ADOPTED_WASMTIME_OUT)/suite --only '$(SPEC_ONLY)' --runner '$(strip $(LIMITED) $(RUNNER))'
	@for profile in $(ADOPTED_MACH_PROFILES); do echo "profile $$profile:" && \
	    LD_LIBRARY_PATH=$(abspath $(ADOPTED_MACH_LIB)) WASMTRAP_BACKEND=mach $(PROVE) \
	    --exec "$(strip $(LIMITED) $(call MACH_RUNNER_FOR,$$profile))" $(ADOPTED_TESTS) || exit 1; done

# ---- Wasmer ----

ADOPTED_WASMER_CARGO ?= $(NEWEST_CARGO)
ADOPTED_WASMER_FEATURES ?=
ADOPTED_WASMER := $(ADOPTED_OUT)/wasmer/release/adopted-wasmer
$(ADOPTED_WASMER): FORCE $(ADOPTED_LIB)/libwasmtrap.so.0
	@WASMTRAP_DIR=$(abspath $(ADOPTED_LIB)) $(ADOPTED_WASMER_CARGO) build --release --locked --ignore-rust-version \
	    --features '$(ADOPTED_WASMER_FEATURES)' --target-dir $(ADOPTED_OUT)/wasmer \
	    --manifest-path $(ADOPTED)/wasmer/Cargo.toml

check-adopted-wasmer-build: $(ADOPTED_WASMER)

# The environment has what the program is to find beside it: Wasmtime, and a module for that.
ADOPTED_MODULE := $(ADOPTED_WASMTIME_OUT)/modules/traps.module
ADOPTED_WASMER_PROVE = ADOPTED_HOST=$(abspath $(ADOPTED_HOST)) ADOPTED_MODULE=$(abspath $(ADOPTED_MODULE)) $(PROVE)

.PHONY: check-adopted-wasmer
check-adopted-wasmer: ## the crate wasmer with its own handlers, adopted, and Wasmtime beside it
check-adopted-wasmer: check-adopted-wasmer-build $(ADOPTED_HOST) $(ADOPTED_MODULE) mach-kernel \
    $(ADOPTED_MACH_LIB)/libwasmtrap.so.0
	$(LINT_CARGO) fmt --check --manifest-path $(ADOPTED)/wasmer/Cargo.toml
	$(ADOPTED_WASMER_PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $(ADOPTED_WASMER)
	@for profile in $(ADOPTED_MACH_PROFILES); do echo "profile $$profile:" && \
	    LD_LIBRARY_PATH=$(abspath $(ADOPTED_MACH_LIB)) WASMTRAP_BACKEND=mach $(ADOPTED_WASMER_PROVE) \
	    --exec "$(strip $(LIMITED) $(call MACH_RUNNER_FOR,$$profile))" $(ADOPTED_WASMER) || exit 1; done

# ---- Wasmtime 36, by hand as well ----

ADOPTED_WASMTIME_36 := target/wasmtime/release/adopted-wasmtime-36
$(ADOPTED_WASMTIME_36): FORCE $(ADOPTED_LIB)/libwasmtrap.so.0
	@WASMTRAP_DIR=$(abspath $(ADOPTED_LIB)) $(WASMTIME_CARGO) build --release --locked \
	    --target-dir target/wasmtime --manifest-path $(ADOPTED)/wasmtime-36/Cargo.toml

.PHONY: check-adopted-wasmtime-36
check-adopted-wasmtime-36: ## the program of check-adopted-wasmtime on Wasmtime 36
check-adopted-wasmtime-36: $(ADOPTED_WASMTIME_36) mach-kernel $(ADOPTED_MACH_LIB)/libwasmtrap.so.0
	$(PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $<
	@for profile in $(ADOPTED_MACH_PROFILES); do echo "profile $$profile:" && \
	    LD_LIBRARY_PATH=$(abspath $(ADOPTED_MACH_LIB)) WASMTRAP_BACKEND=mach $(PROVE) \
	    --exec "$(strip $(LIMITED) $(call MACH_RUNNER_FOR,$$profile))" $< || exit 1; done

# ---- WASI ----

.PHONY: check-adopted-wasi
check-adopted-wasi: $(ADOPTED_WASI) mach-kernel $(ADOPTED_MACH_LIB)/libwasmtrap.so.0
check-adopted-wasi: ## WASI commands that trap, on the crate wasmtime with its own handlers, adopted
	$(LINT_CARGO) fmt --check --manifest-path $(ADOPTED)/wasi/Cargo.toml
	$(PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $<
	@for profile in $(ADOPTED_MACH_PROFILES); do echo "profile $$profile:" && \
	    LD_LIBRARY_PATH=$(abspath $(ADOPTED_MACH_LIB)) WASMTRAP_BACKEND=mach $(PROVE) \
	    --exec "$(strip $(LIMITED) $(call MACH_RUNNER_FOR,$$profile))" $< || exit 1; done
