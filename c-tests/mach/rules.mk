# The simulated Mach kernel: its build, its own tests, and the controls.
#
# `make mach-kernel` builds the tracer and the library. Others use
#   $(MACH_LIBRARY)    libsimulated_mach.so; its soname is its path, so that what links with it needs no rpath
#   $(MACH_INCLUDE)    the headers: <mach/mach.h> and so on, and <simulated_mach.h>
#   $(MACH_RUNNER)     what stands before a command to run it in the simulated kernel, with the profile $(MACH_PROFILE)
#   $(MACH_RUNNER_FOR) the same for a profile: $(call MACH_RUNNER_FOR,apple-python-15)

MACH := c-tests/mach
MACH_OUT ?= target/mach
MACH_PROFILE ?= ordinary
MACH_INCLUDE := $(MACH)/library/include
MACH_LIBRARY := $(MACH_OUT)/lib/libsimulated_mach.so
MACH_KERNEL := $(MACH_OUT)/cargo/release/simulated-xnu
MACH_RUNNER_FOR = $(abspath $(MACH_KERNEL)) --profile=$(1) --
MACH_RUNNER = $(call MACH_RUNNER_FOR,$(MACH_PROFILE))

MACH_LIBRARY_SOURCES := $(sort $(wildcard $(MACH)/library/src/*.c))
MACH_C_FLAGS := -D_GNU_SOURCE -g -pthread -I$(MACH_INCLUDE)

.PHONY: mach-kernel
mach-kernel: $(MACH_KERNEL) $(MACH_LIBRARY) ## build the simulated Mach kernel and its library

$(MACH_LIBRARY): $(MACH_LIBRARY_SOURCES) $(wildcard $(MACH)/library/src/*.h $(MACH)/library/src/*.def) \
    $(wildcard $(MACH_INCLUDE)/*.h $(MACH_INCLUDE)/*/*.h) $(MACH)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) $(MACH_C_FLAGS) $(CFLAGS) -fPIC -shared $(MACH_LIBRARY_SOURCES) \
	    -Wl,-soname,$(abspath $@) -o $@

# Whether there is anything to build is cargo's to say.
$(MACH_KERNEL): FORCE
	@$(CARGO) build --release --locked --manifest-path $(MACH)/kernel/Cargo.toml --target-dir $(MACH_OUT)/cargo

# ---- Its own tests, and the controls ----

MACH_SUPPORT := $(sort $(wildcard $(MACH)/tests/support/*.c)) c-tests/capi/support/tap.c c-tests/capi/support/process.c
MACH_SUPPORT_OBJECTS := $(MACH_SUPPORT:c-tests/%.c=$(MACH_OUT)/obj/%.o)
MACH_TESTS := $(patsubst $(MACH)/tests/%.c,$(MACH_OUT)/tests/%.t,$(sort $(wildcard $(MACH)/tests/*.c)))
MACH_CONTROLS := $(addprefix $(MACH_OUT)/controls/,$(addsuffix _behavior_engine.t,default state opted_out_state))
MACH_TEST_FLAGS := $(MACH_C_FLAGS) -O1 -fno-omit-frame-pointer -MMD -MP -I$(MACH)/tests/support -Ic-tests/capi/support

$(MACH_OUT)/obj/%.o: c-tests/%.c $(MACH)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) $(MACH_TEST_FLAGS) -c $< -o $@

$(MACH_TESTS): $(MACH_OUT)/tests/%.t: $(MACH_OUT)/obj/mach/tests/%.o $(MACH_SUPPORT_OBJECTS) $(MACH_LIBRARY)
	@mkdir -p $(@D)
	$(CC) $^ -pthread -o $@

$(MACH_CONTROLS): $(MACH_OUT)/controls/%.t: $(MACH_OUT)/obj/mach/controls/%.o $(MACH_OUT)/obj/mach/controls/engine.o \
    $(MACH_LIBRARY)
	@mkdir -p $(@D)
	$(CC) $^ -pthread -o $@

.SECONDARY: $(MACH_TESTS:$(MACH_OUT)/tests/%.t=$(MACH_OUT)/obj/mach/tests/%.o)

.PHONY: check-mach-kernel
check-mach-kernel: mach-kernel $(MACH_TESTS) $(MACH_CONTROLS) ## the simulated Mach kernel: its tests, and the controls
	$(LINT_CARGO) clippy --locked --manifest-path $(MACH)/kernel/Cargo.toml --target-dir $(MACH_OUT)/lint -- -D warnings
	SIMULATED_MACH_LIBRARY=$(abspath $(MACH_OUT)/lib) $(LINT_CARGO) clippy --locked \
	    --manifest-path $(MACH)/mach2/Cargo.toml --target-dir $(MACH_OUT)/lint -- -D warnings
	$(CARGO) test --quiet --locked --manifest-path $(MACH)/kernel/Cargo.toml --target-dir $(MACH_OUT)/lint
	$(LINT_CARGO) fmt --check --manifest-path $(MACH)/kernel/Cargo.toml
	$(LINT_CARGO) fmt --check --manifest-path $(MACH)/mach2/Cargo.toml
	$(PYTHON) -m doctest $(MACH)/run_matrix.py
	sh $(MACH)/ends_as_its_program.sh $(MACH_KERNEL)
	$(PYTHON) $(MACH)/run_matrix.py --kernel $(MACH_KERNEL) --expected $(MACH)/controls/expected.txt \
	    --tests $(MACH_TESTS) --controls $(MACH_CONTROLS)

# ---- The two tables of the exception port policy: the library's and the kernel's ----

MACH_POLICY := $(MACH_OUT)/cargo/release/wasmtrap-policy

$(MACH_POLICY): FORCE
	@$(CARGO) build --release --locked --manifest-path $(MACH)/policy/Cargo.toml --target-dir $(MACH_OUT)/cargo

.PHONY: check-mach-policy
check-mach-policy: $(MACH_KERNEL) $(MACH_POLICY) ## the tables of exception ports: the library's, the kernel's
	$(LINT_CARGO) clippy --locked --manifest-path $(MACH)/policy/Cargo.toml --target-dir $(MACH_OUT)/lint -- -D warnings
	$(LINT_CARGO) fmt --check --manifest-path $(MACH)/policy/Cargo.toml
	$(PYTHON) -m doctest $(MACH)/policy/compare.py
	$(PYTHON) $(MACH)/policy/compare.py --library $(MACH_POLICY) --kernel $(MACH_KERNEL) --readme README.md

-include $(wildcard $(MACH_OUT)/obj/*/*.d $(MACH_OUT)/obj/*/*/*.d)
