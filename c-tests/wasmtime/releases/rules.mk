# Other releases of Wasmtime than the one that the adapter's host is pinned to, without `std`: the platform, the host
# and the compiler from the same sources.
#
#     make check-wasmtime-50       the newest
#     make check-wasmtime-36       by hand: the older release that has long-term support
#
# Each runs the programs in C of c-tests/wasmtime and the specification's suite, with SPEC_ONLY as check-wasmtime-spec.

WASMTIME_RELEASES := $(WASMTIME)/releases
WASMTIME_OF = $(WASMTIME_OUT)-$(1)

# The newest is built as what is adopted (c-tests/adopted), which has the same Wasmtime and the compiler.
WASMTIME_36_CARGO ?= $(WASMTIME_CARGO)
WASMTIME_50_CARGO ?= $(NEWEST_CARGO)
WASMTIME_50_FLAGS := --ignore-rust-version

# $(1) is the release, $(2) the features of the platform for it, $(3) the programs in C that are run, $(4) what they are
# compiled with, $(5) an expression of sed's for the modules that they run.
define WASMTIME_RELEASE_RULES
$(call WASMTIME_OF,$(1))/lib/libwasmtrap_wasmtime.so.0: FORCE
	@$$(call WASMTIME_PLATFORM_BUILD,$(CARGO),$(call WASMTIME_OF,$(1))/platform) $(2:%=--features %)
	@mkdir -p $$(@D)
	@built=$(call WASMTIME_OF,$(1))/platform/release/libwasmtrap_wasmtime.so; cmp -s $$$$built $$@ || cp $$$$built $$@
	@ln -sf $$(@F) $$(@D)/libwasmtrap_wasmtime.so

$(call WASMTIME_OF,$(1))/lib/libwasmtime_host.so: $(call WASMTIME_OF,$(1))/lib/libwasmtrap_wasmtime.so.0 FORCE
	@WASMTRAP_WASMTIME_DIR=$$(abspath $$(@D)) $$(WASMTIME_$(1)_CARGO) build --release --locked $(WASMTIME_$(1)_FLAGS) \
	    --target-dir $(call WASMTIME_OF,$(1)) --manifest-path $(WASMTIME_RELEASES)/$(1)/host/Cargo.toml
	@cmp -s $(call WASMTIME_OF,$(1))/release/$$(@F) $$@ || cp $(call WASMTIME_OF,$(1))/release/$$(@F) $$@

$(call WASMTIME_OF,$(1))/modules/%.module: %.wat $(call WASMTIME_OF,$(1))/release/wasm-compile
	@mkdir -p $$(@D)
	sed '$(5)' $$< > $$(@:.module=.wat)
	$(call WASMTIME_OF,$(1))/release/wasm-compile $$(@:.module=.wat) $$@

# A program finds its modules by a path that is compiled into hosting.c.
$(call WASMTIME_OF,$(1))/tests/hosting.o: $(WASMTIME_TESTS)/support/hosting.c $(WASMTIME_HEADERS)
	@mkdir -p $$(@D)
	$(CC) -std=c99 $(WASMTIME_FLAGS) -UWASM_MODULES -DWASM_MODULES='"$(call WASMTIME_OF,$(1))/modules"' \
	    $(CFLAGS) -c $$< -o $$@

$(call WASMTIME_OF,$(1))/tests/%.o: $(WASMTIME_TESTS)/%.c $(WASMTIME_HEADERS)
	@mkdir -p $$(@D)
	$(CC) -std=c99 $(WASMTIME_FLAGS) $(4) $(CFLAGS) -c $$< -o $$@

$(call WASMTIME_OF,$(1))/tests/%.o: $(WASMTIME_TESTS)/%.cc $(WASMTIME_HEADERS)
	@mkdir -p $$(@D)
	$(CXX) -std=c++17 $(WASMTIME_FLAGS) $(4) $(CXXFLAGS) -c $$< -o $$@
.SECONDARY: $(patsubst %,$(call WASMTIME_OF,$(1))/tests/%.o,$(3) hosting)

$(call WASMTIME_OF,$(1))/tests/%.t: $(addprefix $(call WASMTIME_OF,$(1))/tests/,%.o hosting.o) \
    $(patsubst %,$(WASMTIME_OUT)/obj/%.o,tap process) \
    $(addprefix $(call WASMTIME_OF,$(1))/lib/,libwasmtime_host.so libwasmtrap_wasmtime.so.0)
	$(CXX) $$^ -Wl,-rpath,$$(abspath $(call WASMTIME_OF,$(1))/lib) -pthread -ldl -o $$@

$(call WASMTIME_OF,$(1))/wasmtime-suite: $(patsubst %,$(WASMTIME_OUT)/obj/%.o,main script values) \
    $(addprefix $(call WASMTIME_OF,$(1))/lib/,libwasmtime_host.so libwasmtrap_wasmtime.so.0)
	$(CC) $$^ -Wl,-rpath,$$(abspath $(call WASMTIME_OF,$(1))/lib) -pthread -ldl -o $$@

check-wasmtime-$(1): $(3:%=$(call WASMTIME_OF,$(1))/tests/%.t) $(call WASMTIME_OF,$(1))/wasmtime-suite \
    $(patsubst %,$(call WASMTIME_OF,$(1))/modules/%.module,traps calls) \
    $(call WASMTIME_OF,$(1))/release/wasm-compile-script
	$(PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $(3:%=$(call WASMTIME_OF,$(1))/tests/%.t)
	@$(PYTHON) $(WASMTIME_SUITE)/run.py --cargo '$(WASMTIME_CARGO)' --release $(1) \
	    --compile-script $(call WASMTIME_OF,$(1))/release/wasm-compile-script \
	    --suite $(call WASMTIME_OF,$(1))/wasmtime-suite --out $(call WASMTIME_OF,$(1))/suite --only '$(SPEC_ONLY)' \
	    --runner '$(strip $(LIMITED) $(RUNNER))'
endef

$(addprefix $(call WASMTIME_OF,36)/release/,wasm-compile wasm-compile-script) &: FORCE
	@$(WASMTIME_36_CARGO) build --release --locked --target-dir $(call WASMTIME_OF,36) \
	    --manifest-path $(WASMTIME_RELEASES)/36/compiler/Cargo.toml

# Wasmtime 36 without `std` has locks of its own, which panic where two threads want one: no program with threads. And
# it has no exceptions.
WASMTIME_RELEASE_PROGRAM := every_way_to_trap_arrives_as_an_error
$(eval $(call WASMTIME_RELEASE_RULES,36,wasmtime-36,$(WASMTIME_RELEASE_PROGRAM),-DNO_EXCEPTIONS,/tag\|throw/d))
$(eval $(call WASMTIME_RELEASE_RULES,50,,$(WASMTIME_RELEASE_PROGRAM) threads_of_a_cxx_host_trap_at_once))

# What the platform does for 36 alone.
WASMTIME_36_TEST := $(call WASMTIME_OF,36)/tests/a_jump_leads_back.t
$(WASMTIME_36_TEST): $(WASMTIME_RELEASES)/36/tests/a_jump_leads_back.c \
    $(patsubst %,$(WASMTIME_OUT)/obj/%.o,tap process) $(call WASMTIME_OF,36)/lib/libwasmtrap_wasmtime.so.0
	@mkdir -p $(@D)
	$(CC) -std=c99 $(WASMTIME_FLAGS) $(CFLAGS) $^ -Wl,-rpath,$(abspath $(call WASMTIME_OF,36)/lib) -lm -o $@

.PHONY: check-wasmtime-36-platform
check-wasmtime-36: check-wasmtime-36-platform
check-wasmtime-36-platform: $(WASMTIME_36_TEST)
	$(LINT_CARGO) clippy --locked --lib --features wasmtime-36 --target-dir $(WASMTIME_OUT)/lint \
	    --manifest-path $(WASMTIME_ADAPTER)/Cargo.toml -- -D warnings
	$(PYTHON) $(WASMTIME)/check_exports.py --cargo '$(WASMTIME_36_CARGO)' --host releases/36/host \
	    --nm '$(TOOLS)nm -D' $(call WASMTIME_OF,36)/lib/libwasmtrap_wasmtime.so.0
	$(PROVE) --exec '$(strip $(LIMITED) $(RUNNER))' $<

.PHONY: check-wasmtime-36 check-wasmtime-50
check-wasmtime-36: ## Wasmtime 36 without `std`: the way to each trap, and the specification's suite
check-wasmtime-50: ## the same on Wasmtime 50
