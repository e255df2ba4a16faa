# Wasmtime on libwasmtrap: its custom platform (adapters/wasmtime/), a host with C and Python interfaces, and the
# specification's tests through it.
#
#     make run-wasmtime                    a demonstration in Python
#     make check-wasmtime                  the platform, and the host from C, C++ and Python
#     make check-wasmtime-spec             the specification's test suite
#     make check-wasmtime-mach             all of that in the simulated Mach kernel of c-tests/mach
#     make check-wasmtime-founding-case    the extension in Apple's Python, simulated
#     make check-wasmtime-aarch64          the platform under an arm64 kernel
#     make check-wasmtime-macos            the platform built for macOS (a part of check-macos)
#
# WASMTIME_LIBRARY names the file of libwasmtrap_wasmtime to run with (it has libwasmtrap in it), RUNNER a command that
# runs a program. PYTHON_VERSIONS is as for check-python; WASMTIME_PYTHON_TESTS='traps process' runs these test files
# only, and SPEC_ONLY=traps,linking these scripts.

WASMTIME := c-tests/wasmtime
WASMTIME_ADAPTER := adapters/wasmtime
WASMTIME_OUT := target/wasmtime
WASMTIME_RELEASE := $(WASMTIME_OUT)/release
# Wasmtime wants a newer Rust than the library.
WASMTIME_CARGO ?= $(CARGO)
WASMTIME_BUILD = $(WASMTIME_CARGO) build --release --locked --target-dir $(WASMTIME_OUT) --manifest-path

# ---- The platform: libwasmtrap and Wasmtime's functions in one library ----

# A folder of its own for each way to build it: cargo would overwrite one's libwasmtrap with another's.
WASMTIME_PLATFORM_BUILD = $(call BUILD,$(1),$(2)) --manifest-path $(WASMTIME_ADAPTER)/Cargo.toml

$(WASMTIME_RELEASE)/libwasmtrap_wasmtime.so: FORCE
	@$(call WASMTIME_PLATFORM_BUILD,$(CARGO),$(WASMTIME_OUT)/platform)
	@mkdir -p $(@D)
	@cmp -s $(WASMTIME_OUT)/platform/release/$(@F) $@ || cp $(WASMTIME_OUT)/platform/release/$(@F) $@

WASMTIME_LIBRARY ?= $(WASMTIME_RELEASE)/libwasmtrap_wasmtime.so

# Where the dynamic linker finds what it asks for by soname.
WASMTIME_LIB := $(WASMTIME_OUT)/lib
$(WASMTIME_LIB)/libwasmtrap_wasmtime.so.0: $(WASMTIME_LIBRARY)
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@
	ln -sf $(@F) $(WASMTIME_LIB)/libwasmtrap_wasmtime.so

# ---- The host and the compiler ----

$(WASMTIME_LIB)/libwasmtime_host.so: FORCE $(WASMTIME_LIB)/libwasmtrap_wasmtime.so.0
	@WASMTRAP_WASMTIME_DIR=$(abspath $(WASMTIME_LIB)) $(WASMTIME_BUILD) $(WASMTIME_ADAPTER)/host/Cargo.toml
	@cmp -s $(WASMTIME_RELEASE)/$(@F) $@ || cp $(WASMTIME_RELEASE)/$(@F) $@

WASMTIME_LINKED := $(WASMTIME_LIB)/libwasmtime_host.so $(WASMTIME_LIB)/libwasmtrap_wasmtime.so.0
WASMTIME_LIBS := $(WASMTIME_LINKED) -Wl,-rpath,$(abspath $(WASMTIME_LIB)) -pthread -ldl

WASM_COMPILE := $(WASMTIME_RELEASE)/wasm-compile
WASM_COMPILE_SCRIPT := $(WASMTIME_RELEASE)/wasm-compile-script
$(WASM_COMPILE) $(WASM_COMPILE_SCRIPT) &: FORCE
	@$(WASMTIME_BUILD) $(WASMTIME)/compiler/Cargo.toml

# ---- Modules ----

WASMTIME_MODULES := $(WASMTIME_OUT)/modules
WASMTIME_TEST_MODULES := $(patsubst %,$(WASMTIME_MODULES)/%.module,traps calls huge starts another_processor \
    another_wasmtime sqlite3 sqlite_memory wrong_import)
vpath %.wat $(WASMTIME)/modules c-tests/wasm/modules

$(WASMTIME_MODULES)/%.module: %.wat $(WASM_COMPILE)
	@mkdir -p $(@D)
	$(WASM_COMPILE) $< $@

$(WASMTIME_MODULES)/%.module: $(WASMTIME_MODULES)/%.wasm $(WASM_COMPILE)
	$(WASM_COMPILE) $< $@

$(WASMTIME_MODULES)/sqlite3.wasm: $(WASMTIME)/third-party/fetch.py $(WASMTIME)/third-party/requirements.txt
	@mkdir -p $(@D)
	$(PYTHON) $< $@

# For a processor that this machine's is not.
WASMTIME_ANOTHER := $(if $(filter x86_64,$(shell uname -m)),aarch64,x86_64)-unknown-linux-gnu
$(WASMTIME_MODULES)/another_processor.module: $(WASMTIME)/modules/starts.wat $(WASM_COMPILE)
	@mkdir -p $(@D)
	$(WASM_COMPILE) --target $(WASMTIME_ANOTHER) $< $@

$(WASMTIME_MODULES)/another_wasmtime.module: $(WASMTIME)/modules/starts.wat $(WASM_COMPILE)
	@mkdir -p $(@D)
	$(WASM_COMPILE) --wasmtime 47 $< $@

# ---- Programs in C and C++, a promise each ----

WASMTIME_TESTS := $(WASMTIME)/tests
WASMTIME_SUITE := $(WASMTIME)/suite
WASMTIME_FLAGS := -pedantic -Wall -Wextra -Werror -D_GNU_SOURCE -DEMULATED=$(if $(RUNNER),1,0) -g -O1 \
    -fno-omit-frame-pointer -pthread -Iinclude -I$(WASMTIME_ADAPTER)/host/include -I$(WASMTIME_TESTS)/support \
    -Ic-tests/capi/support -DWASM_MODULES='"$(WASMTIME_MODULES)"'
WASMTIME_HEADERS := $(wildcard $(WASMTIME_ADAPTER)/host/include/*.h $(WASMTIME_TESTS)/support/*.h \
    $(WASMTIME_SUITE)/*.h) include/wasmtrap.h

define WASMTIME_C
$(WASMTIME_OUT)/obj/%.o: $(1)/%.c $(WASMTIME_HEADERS) $(WASMTIME)/rules.mk
	@mkdir -p $$(@D)
	$$(CC) -std=c99 $(WASMTIME_FLAGS) $$(CFLAGS) -c $$< -o $$@
endef
$(foreach folder,$(WASMTIME_TESTS) $(WASMTIME_TESTS)/platform $(WASMTIME_TESTS)/support c-tests/capi/support \
    $(WASMTIME_SUITE),$(eval $(call WASMTIME_C,$(folder))))

$(WASMTIME_OUT)/obj/%.o: $(WASMTIME_TESTS)/%.cc $(WASMTIME_HEADERS) $(WASMTIME)/rules.mk
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(WASMTIME_FLAGS) $(CXXFLAGS) -c $< -o $@

WASMTIME_NAMES_OF = $(basename $(notdir $(sort $(wildcard $(1)))))
WASMTIME_TEST_NAMES := $(call WASMTIME_NAMES_OF,$(WASMTIME_TESTS)/*.c $(WASMTIME_TESTS)/*.cc)
WASMTIME_PLATFORM_NAMES := $(call WASMTIME_NAMES_OF,$(WASMTIME_TESTS)/platform/*.c)
WASMTIME_TEST_PROGRAMS := $(WASMTIME_TEST_NAMES:%=$(WASMTIME_OUT)/tests/%.t) \
    $(WASMTIME_PLATFORM_NAMES:%=$(WASMTIME_OUT)/tests/platform/%.t)
WASMTIME_SUPPORT := $(addprefix $(WASMTIME_OUT)/obj/,hosting.o tap.o process.o)
WASMTIME_PLATFORM_SUPPORT := $(addprefix $(WASMTIME_OUT)/obj/,platform.o tap.o process.o)

.SECONDARY: $(patsubst %,$(WASMTIME_OUT)/obj/%.o,$(WASMTIME_TEST_NAMES) $(WASMTIME_PLATFORM_NAMES))
.SECONDARY: $(WASMTIME_SUPPORT) $(WASMTIME_PLATFORM_SUPPORT)

# What needs no Wasmtime: the platform's own promises.
$(WASMTIME_OUT)/tests/platform/%.t: $(WASMTIME_OUT)/obj/%.o $(WASMTIME_PLATFORM_SUPPORT) \
    $(WASMTIME_LIB)/libwasmtrap_wasmtime.so.0
	@mkdir -p $(@D)
	$(CC) $^ -Wl,-rpath,$(abspath $(WASMTIME_LIB)) -pthread -ldl -lm -o $@

$(WASMTIME_OUT)/tests/%.t: $(WASMTIME_OUT)/obj/%.o $(WASMTIME_SUPPORT) $(WASMTIME_LINKED)
	@mkdir -p $(@D)
	$(if $(wildcard $(WASMTIME_TESTS)/$*.cc),$(CXX),$(CC)) $< $(WASMTIME_SUPPORT) $(WASMTIME_LIBS) -o $@

# ---- The Python extension: one binary for all versions, built with the oldest headers there are ----

WASMTIME_PYTHON := $(WASMTIME)/python
WASMTIME_EXTENSION := $(WASMTIME_OUT)/python/wasmtime_host.abi3.so
WASMTIME_EXTENSION_OBJECTS := $(patsubst $(WASMTIME_ADAPTER)/python/%.c,$(WASMTIME_OUT)/obj/python/%.o,\
    $(sort $(wildcard $(WASMTIME_ADAPTER)/python/*.c)))
WASMTIME_PYTHON_TESTS ?=
WASMTIME_RUN_PYTHON = $(PYTHON) $(WASMTIME_PYTHON)/run_all.py --out $(WASMTIME_OUT)/python \
    --venvs $(WASMTIME_OUT)/venv --tests '$(WASMTIME_PYTHON_TESTS)' --versions '$(PYTHON_VERSIONS)' --runner

# The folder of Python's headers. They are a system's, which warnings leave alone.
$(WASMTIME_OUT)/headers: c-tests/python/interpreters.py
	@mkdir -p $(@D)
	$(PYTHON) $< include > $@

$(WASMTIME_OUT)/obj/python/%.o: $(WASMTIME_ADAPTER)/python/%.c $(WASMTIME_ADAPTER)/python/extension.h \
    $(WASMTIME_HEADERS) $(WASMTIME_OUT)/headers $(WASMTIME)/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=c99 $(WASMTIME_FLAGS) -fPIC $(CFLAGS) -DPy_LIMITED_API=0x03080000 \
	    -isystem "$$(cat $(WASMTIME_OUT)/headers)" -c $< -o $@

$(WASMTIME_EXTENSION): $(WASMTIME_EXTENSION_OBJECTS) $(WASMTIME_LINKED)
	@mkdir -p $(@D)
	$(CC) -shared $(WASMTIME_EXTENSION_OBJECTS) $(WASMTIME_LIBS) -o $@

.PHONY: run-wasmtime
run-wasmtime: $(WASMTIME_EXTENSION) $(WASMTIME_TEST_MODULES) ## SQLite in WebAssembly in Wasmtime in Python, and traps
	@PYTHONPATH=$(WASMTIME_OUT)/python PYTHONDONTWRITEBYTECODE=1 $(LIMITED) $(RUNNER) \
	    $(PYTHON) $(WASMTIME_PYTHON)/demo.py $(WASMTIME_MODULES)

# ---- The checks ----

.PHONY: check-wasmtime check-wasmtime-platform check-wasmtime-c check-wasmtime-python
check-wasmtime: check-wasmtime-platform check-wasmtime-c check-wasmtime-python ## Wasmtime, from C, C++ and Python

# Lints; what is exported; and what the fault handler may reach: the library's list, and the platform's behind it.
check-wasmtime-platform: $(WASMTIME_LIBRARY)
	$(LINT_CARGO) clippy --locked --lib --target-dir $(WASMTIME_OUT)/lint --manifest-path $(WASMTIME_ADAPTER)/Cargo.toml \
	    -- -D warnings
	for package in $(WASMTIME_ADAPTER) $(WASMTIME_ADAPTER)/host $(WASMTIME)/compiler; do \
	    $(LINT_CARGO) fmt --check --manifest-path $$package/Cargo.toml || exit 1; done
	$(PYTHON) $(WASMTIME)/check_exports.py --cargo '$(WASMTIME_CARGO)' --nm '$(TOOLS)nm -D' $<
	$(PYTHON) $(WASMTIME)/check_table.py --cargo '$(WASMTIME_CARGO)'
	cat c-tests/handler-safety/allowed.toml $(WASMTIME)/handler_safety.toml > $(WASMTIME_OUT)/handler_safety.toml
	$(PYTHON) c-tests/handler-safety/check.py --forbid-panics --header include/wasmtrap.h --tools "$(TOOLS)" \
	    --allowed $(WASMTIME_OUT)/handler_safety.toml --root wasmtrap_wasmtime::traps::fault_handler $<

check-wasmtime-c: $(WASMTIME_TEST_PROGRAMS) $(WASMTIME_TEST_MODULES)
	$(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED) $(RUNNER))' -r --ext .t $(WASMTIME_OUT)/tests

check-wasmtime-python: $(WASMTIME_EXTENSION) $(WASMTIME_TEST_MODULES)
	$(WASMTIME_RUN_PYTHON) '$(RUNNER)'

# ---- The specification's test suite ----

$(WASMTIME_OUT)/wasmtime-suite: $(patsubst %,$(WASMTIME_OUT)/obj/%.o,main script values) $(WASMTIME_LINKED)
	$(CC) $(filter %.o,$^) $(WASMTIME_LIBS) -o $@

WASMTIME_RUN_SUITE = $(PYTHON) $(WASMTIME_SUITE)/run.py --cargo '$(WASMTIME_CARGO)' \
    --compile-script $(WASM_COMPILE_SCRIPT) --suite $(WASMTIME_OUT)/wasmtime-suite --out $(WASMTIME_OUT)/suite \
    --only '$(SPEC_ONLY)' --runner

.PHONY: check-wasmtime-spec
check-wasmtime-spec: $(WASMTIME_OUT)/wasmtime-suite $(WASM_COMPILE_SCRIPT) ## the specification's suite on Wasmtime
	@$(WASMTIME_RUN_SUITE) '$(strip $(LIMITED) $(RUNNER))'

# ---- In the simulated Mach kernel ----

# The same platform on the library with the Mach backend; the host and the programs are those of above.
WASMTIME_MACH := $(WASMTIME_OUT)/simulated-mach
WASMTIME_MACH_LIB := $(WASMTIME_MACH)/lib
WASMTIME_MACH_PROFILES ?= ordinary apple-python-13 apple-python-14.4 apple-python-15 apple-python-26 developer-mode-off
WASMTIME_ON_MACH = LD_LIBRARY_PATH=$(abspath $(WASMTIME_MACH_LIB))

$(WASMTIME_MACH_LIB)/libwasmtrap_wasmtime.so.0: FORCE $(MACH_LIBRARY)
	@mkdir -p $(@D)
	@SIMULATED_MACH_LIBRARY=$(abspath $(dir $(MACH_LIBRARY))) $(CARGO) build --release --locked \
	    --target-dir $(WASMTIME_MACH) --manifest-path $(WASMTIME)/simulated-mach/Cargo.toml
	@cmp -s $(WASMTIME_MACH)/release/libwasmtrap_wasmtime.so $@ || cp $(WASMTIME_MACH)/release/libwasmtrap_wasmtime.so $@

# Every program in every profile; the specification's suite and the Python tests in one that kills the engines of old.
.PHONY: check-wasmtime-mach
check-wasmtime-mach: ## Wasmtime on simulated Mach ports
check-wasmtime-mach: mach-kernel $(WASMTIME_MACH_LIB)/libwasmtrap_wasmtime.so.0 $(WASMTIME_TEST_PROGRAMS) \
    $(WASMTIME_TEST_MODULES) $(WASMTIME_EXTENSION) $(WASMTIME_OUT)/wasmtime-suite \
    $(WASM_COMPILE_SCRIPT)
	@for profile in $(WASMTIME_MACH_PROFILES); do echo "profile $$profile:" && \
	    $(WASMTIME_ON_MACH) WASMTRAP_BACKEND=mach $(PROVE) $(PROVE_FLAGS) -r --ext .t \
	    --exec "$(strip $(LIMITED) $(call MACH_RUNNER_FOR,$$profile))" $(WASMTIME_OUT)/tests || exit 1; done
	$(WASMTIME_ON_MACH) WASMTRAP_BACKEND=mach $(WASMTIME_RUN_SUITE) \
	    '$(strip $(LIMITED) $(call MACH_RUNNER_FOR,apple-python-15))'
	$(WASMTIME_ON_MACH) $(WASMTIME_RUN_PYTHON) '$(call MACH_RUNNER_FOR,apple-python-15)'

# ---- The case that this library began with: the extension in the profiles of Apple's Python ----

WASMTIME_STOCK := $(WASMTIME_MACH)/stock_behavior.so
$(WASMTIME_STOCK): $(WASMTIME_PYTHON)/founding_case/stock_behavior.c $(MACH_LIBRARY)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(WASMTIME_FLAGS) -I$(MACH_INCLUDE) $(CFLAGS) -fPIC -shared $^ -o $@

.PHONY: check-wasmtime-founding-case
check-wasmtime-founding-case: ## real Wasmtime in Apple's Python, simulated: stock dies, ours lives
check-wasmtime-founding-case: mach-kernel $(WASMTIME_STOCK) $(WASMTIME_MACH_LIB)/libwasmtrap_wasmtime.so.0 \
    $(WASMTIME_EXTENSION) $(WASMTIME_TEST_MODULES)
	$(PYTHON) $(WASMTIME_PYTHON)/founding_case/run.py --kernel $(abspath $(MACH_KERNEL)) \
	    --profiles 'ordinary apple-python-13 apple-python-14.0 apple-python-14.4 apple-python-15 apple-python-26' \
	    --stock $(abspath $(WASMTIME_STOCK)) --out $(abspath $(WASMTIME_OUT)/python) \
	    --platform $(abspath $(WASMTIME_MACH_LIB)) --versions '$(PYTHON_VERSIONS)'

# ---- arm64: the platform and its programs, on a kernel in an emulated machine (c-tests/arm64-system) ----

# What the builds for other targets run on this machine, they share.
WASMTIME_CROSS := $(WASMTIME_OUT)/cross
WASMTIME_AARCH64 := $(WASMTIME_CROSS)/aarch64-unknown-linux-gnu/release/libwasmtrap_wasmtime.a
WASMTIME_AARCH64_OUT := $(WASMTIME_OUT)/aarch64
$(WASMTIME_AARCH64): FORCE
	@CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	    $(call WASMTIME_PLATFORM_BUILD,$(AARCH64_CARGO),$(WASMTIME_CROSS)) --target aarch64-unknown-linux-gnu

$(WASMTIME_AARCH64_OUT)/tests/%.t: $(WASMTIME_TESTS)/platform/%.c $(WASMTIME_HEADERS) $(WASMTIME_AARCH64)
	@mkdir -p $(@D)
	$(ARM64_CC) -std=c99 $(WASMTIME_FLAGS) $(CFLAGS) $< $(WASMTIME_TESTS)/support/platform.c \
	    c-tests/capi/support/tap.c c-tests/capi/support/process.c $(WASMTIME_AARCH64) -lgcc_s -lm -ldl \
	    $(ARM64_LINK_FLAGS) -o $@

.PHONY: check-wasmtime-aarch64
check-wasmtime-aarch64: ## Wasmtime's platform under an arm64 kernel
check-wasmtime-aarch64: $(ARM64_MACHINE) $(WASMTIME_PLATFORM_NAMES:%=$(WASMTIME_AARCH64_OUT)/tests/%.t)
	@$(call ARM64_LIST,$(WASMTIME_AARCH64_OUT)/tests,,platform,) > $(WASMTIME_AARCH64_OUT)/run.list
	$(ARM64_RUN) --out $(WASMTIME_AARCH64_OUT)/run --list $(WASMTIME_AARCH64_OUT)/run.list \
	    --files $(WASMTIME_AARCH64_OUT)/tests
	$(ARM64_PROVE) $(WASMTIME_AARCH64_OUT)/run/results

# ---- macOS, built from Linux: the platform, and its programs as far as they are not about Linux ----

WASMTIME_MACOS := $(WASMTIME_OUT)/macos
WASMTIME_MACOS_NAME := libwasmtrap_wasmtime.$(MAJOR).dylib
WASMTIME_MACOS_LIBRARY = $(WASMTIME_MACOS)/$(1)/lib/$(WASMTIME_MACOS_NAME)
# Contexts of signals in Linux's form.
WASMTIME_MACOS_NAMES := $(filter-out a_fault_that_is_refused_goes_on_as_it_was,$(WASMTIME_PLATFORM_NAMES))

# For an architecture, and a folder of sources.
define WASMTIME_MACOS_C
$(WASMTIME_MACOS)/$(1)/obj/%.o: $(2)/%.c $(WASMTIME_HEADERS) $(MACOS_TOOLCHAIN) $(WASMTIME)/rules.mk
	@mkdir -p $$(@D)
	$(MACOS_ENVIRONMENT) $(call MACOS_CC,$(1)) -std=c99 $(WASMTIME_FLAGS) -c $$< -o $$@
endef
$(foreach architecture,$(MACOS_ARCHITECTURES),$(foreach folder,$(WASMTIME_TESTS)/platform $(WASMTIME_TESTS)/support \
    c-tests/capi/support,$(eval $(call WASMTIME_MACOS_C,$(architecture),$(folder)))))

# For an architecture, and the variable with its cargo (c-tests/macos/rules.mk).
define WASMTIME_MACOS_RULES
WASMTIME_MACOS_BUILT_$(1) := $(WASMTIME_CROSS)/$(1)-apple-darwin/release
WASMTIME_MACOS_TESTS_$(1) := $(WASMTIME_MACOS_NAMES:%=$(WASMTIME_MACOS)/$(1)/tests/%.t)

$(call WASMTIME_MACOS_LIBRARY,$(1)): FORCE $(MACOS_TOOLCHAIN)
	@$(MACOS_ENVIRONMENT) MACOSX_DEPLOYMENT_TARGET=11.0 \
	    $$(call WASMTIME_PLATFORM_BUILD,$$($(2)),$(WASMTIME_CROSS)) --target $(1)-apple-darwin
	@mkdir -p $$(@D)
	@cmp -s $$(WASMTIME_MACOS_BUILT_$(1))/libwasmtrap_wasmtime.dylib $$@ || \
	    cp $$(WASMTIME_MACOS_BUILT_$(1))/libwasmtrap_wasmtime.dylib $$@
	@cp $$(WASMTIME_MACOS_BUILT_$(1))/libwasmtrap_wasmtime.a $$(@D)/

$$(WASMTIME_MACOS_TESTS_$(1)): $(WASMTIME_MACOS)/$(1)/tests/%.t: $(WASMTIME_MACOS)/$(1)/obj/%.o \
    $(patsubst %,$(WASMTIME_MACOS)/$(1)/obj/%.o,platform tap process) $(call WASMTIME_MACOS_LIBRARY,$(1))
	@mkdir -p $$(@D)
	$(MACOS_ENVIRONMENT) $(call MACOS_CC,$(1)) $$^ -Wl,-rpath,@loader_path/../lib -pthread -o $$@
.SECONDARY: $(WASMTIME_MACOS_NAMES:%=$(WASMTIME_MACOS)/$(1)/obj/%.o)
endef
$(foreach architecture,$(MACOS_ARCHITECTURES),$(eval $(call WASMTIME_MACOS_RULES,$(architecture),$(if \
    $(filter aarch64,$(architecture)),MACOS_AARCH64_CARGO,MACOS_X86_64_CARGO))))

.PHONY: check-wasmtime-macos
check-wasmtime-macos: ## Wasmtime's platform for macOS: exports, imports, names, programs
check-macos: check-wasmtime-macos
check-wasmtime-macos: $(foreach architecture,$(MACOS_ARCHITECTURES),\
    $(call WASMTIME_MACOS_LIBRARY,$(architecture)) \
    $(WASMTIME_MACOS_TESTS_$(architecture)))
	for architecture in $(MACOS_ARCHITECTURES); do \
	    $(PYTHON) $(WASMTIME)/check_exports.py --cargo '$(WASMTIME_CARGO)' --nm 'llvm-nm-$(MACOS_LLVM) -g' --mach-o \
	        $(WASMTIME_MACOS)/$$architecture/lib/$(WASMTIME_MACOS_NAME) || exit; \
	done
	$(PYTHON) $(WASMTIME)/check_macos.py --llvm $(MACOS_LLVM) --version $(VERSION) $(WASMTIME_MACOS)

include $(WASMTIME)/releases/rules.mk
