# Real WebAssembly on the library: wasm2c's C, compiled, with wasm_rt_wasmtrap.c as its runtime.
#
#     make run           a demonstration: a table of traps
#     make check-wasm    what the runtime promises, as TAP
#     make check-spec    the specification's own test suite
#
# WASM_LINK=static links all of them with the static library instead of the shared one. WABT=FOLDER takes the programs
# of another wabt than the one on the path (and what that ships, WABT_RUNTIME=FOLDER where it is not found around them).
# All of check-spec's SIMD passes with SIMDe 0.8.4 (CPATH=FOLDER in the environment), not with 0.7.4.

CC ?= cc
PYTHON ?= python3
WASM2C ?= $(WABT:%=%/)wasm2c
WAT2WASM ?= $(WABT:%=%/)wat2wasm
WAST2JSON ?= $(WABT:%=%/)wast2json
OBJCOPY ?= $(TOOLS)objcopy
NM ?= $(TOOLS)nm
CARGO ?= cargo
PROVE ?= prove
PROVE_FLAGS ?= -j2
LIB_SHARED ?= target/release/libwasmtrap.so
LIB_STATIC ?= target/release/archive/libwasmtrap.a
STATIC_LIBS ?= -lpthread -ldl
WASM_LINK ?= shared

WASM := c-tests/wasm
WASM_ADAPTER := adapters/wasm2c
WASM_OUT ?= target/wasm$(OF_WABT)
WASM_PROGRAMS := $(WASM_OUT)/$(WASM_LINK)

# ---- The library to link with ----

# The dynamic linker asks for the soname.
WASM_SONAME := $(WASM_OUT)/lib/libwasmtrap.so.0
$(WASM_SONAME): $(LIB_SHARED)
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@

ifeq ($(WASM_LINK),static)
WASM_LIBRARY := $(LIB_STATIC)
WASM_LIBS := $(LIB_STATIC) $(STATIC_LIBS) -pthread -lm -ldl
else
WASM_LIBRARY := $(WASM_SONAME)
WASM_LIBS := $(WASM_SONAME) -Wl,-rpath,$(abspath $(WASM_OUT)/lib) -pthread -lm -ldl
endif

# ---- Flags ----

# wabt's header and the sources of its runtime: looked for once, and only where they are wanted.
WABT_RUNTIME ?=
WABT_FLAGS = $(eval WABT_FLAGS := $(shell $(PYTHON) $(WASM_ADAPTER)/wabt_flags.py --wasm2c '$(WASM2C)' \
    $(WABT_RUNTIME:%=--runtime '%')))$(WABT_FLAGS)
WASM_INCLUDES = -Iinclude -I$(WASM_ADAPTER) -I$(WASM_OUT)/modules $(WABT_FLAGS)
# What is ours: C11, as wabt's runtime is, without a warning.
WASM_OWN_FLAGS := -std=c11 -pedantic -Wall -Wextra -Werror -D_GNU_SOURCE -fno-omit-frame-pointer -fPIC -pthread

# What wasm2c generates, as build.py compiles it. The benchmark of wabt's own runtime takes the first of them.
WASM_BUILD_FLAGS = $(shell PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(WASM_ADAPTER) $(PYTHON) -c \
    'import build; print(*build.$(1))')
WASM_TRAP_FLAGS = $(eval WASM_TRAP_FLAGS := $(call WASM_BUILD_FLAGS,TRAP_FLAGS))$(WASM_TRAP_FLAGS)
WASM_GENERATED_FLAGS = $(eval WASM_GENERATED_FLAGS := $(call WASM_BUILD_FLAGS,GENERATED_FLAGS) \
    -include $(WASM_ADAPTER)/wasm_rt_wasmtrap_module.h)$(WASM_GENERATED_FLAGS)

# ---- Modules ----

WASM_TOOLS := $(wildcard $(WASM_ADAPTER)/*.py)
WASM_HEADERS := $(WASM_ADAPTER)/wasm_rt_wasmtrap.h $(WASM_ADAPTER)/wasm_rt_wasmtrap_module.h include/wasmtrap.h
WASM_RUNTIME := $(WASM_OUT)/obj/wasm_rt_wasmtrap.o

# Modules that throw: `make` variable NAME_FEATURES has the flags of wat2wasm and wasm2c.
traps_FEATURES := --enable-exceptions
exceptions_FEATURES := --enable-exceptions
wide_FEATURES := --enable-memory64
several_FEATURES := --enable-multi-memory
shared_FEATURES := --enable-threads
# Before that word came, a thread could not be told to wasm2c's runtime.
shared_NEEDS := wasm_rt_init_thread
# Before that word came, memories with 64-bit addresses wanted all modules and the runtime to be compiled for them.
wide_NEEDS := WASM_DEFAULT_PAGE_SIZE
far_FEATURES := --enable-memory64
# Before that word came, the sum of an address and an offset wrapped around.
far_NEEDS := checked_add_u64

$(WASM_OUT)/modules/%.wasm: $(WASM)/modules/%.wat
	@mkdir -p $(@D)
	$(WAT2WASM) --debug-names $($*_FEATURES) $< -o $@

$(WASM_OUT)/modules/png.wasm: $(WASM)/third-party/requirements.txt $(WASM)/third-party/fetch.py
	@mkdir -p $(@D)
	$(PYTHON) $(WASM)/third-party/fetch.py $< $@

$(WASM_OUT)/modules/%.c: $(WASM_OUT)/modules/%.wasm $(WASM_TOOLS)
	$(PYTHON) $(WASM_ADAPTER)/translate.py --wasm2c $(WASM2C) --name $* $(addprefix --flag=,$($*_FEATURES)) $< $@

$(WASM_OUT)/modules/%.text.o: $(WASM_OUT)/modules/%.c $(WASM_HEADERS) $(WASM)/rules.mk
	$(CC) -O2 $(WASM_GENERATED_FLAGS) $(WASM_INCLUDES) -c $< -o $@

# The module and its description, in one object.
$(WASM_OUT)/modules/%.module.o: $(WASM_OUT)/modules/%.text.o
	$(PYTHON) $(WASM_ADAPTER)/describe_module.py --nm $(NM) --name $* \
	    $(WASM_OUT)/modules/$*.wasm $(WASM_OUT)/modules/$*.c $< $(WASM_OUT)/modules/$*.about.c
	$(CC) $(WASM_OWN_FLAGS) $(WASM_INCLUDES) -c $(WASM_OUT)/modules/$*.about.c -o $(WASM_OUT)/modules/$*.about.o
	$(OBJCOPY) --rename-section .text=wasm_code_$* $< $(WASM_OUT)/modules/$*.code.o
	$(CC) -r -nostdlib $(WASM_OUT)/modules/$*.code.o $(WASM_OUT)/modules/$*.about.o -o $@

.PRECIOUS: $(addprefix $(WASM_OUT)/modules/%,.wasm .c .text.o .module.o)

$(WASM_RUNTIME): $(WASM_ADAPTER)/wasm_rt_wasmtrap.c $(wildcard $(WASM_ADAPTER)/*.inc) $(WASM_HEADERS) $(WASM)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) $(WASM_INCLUDES) -c $< -o $@

# ---- make run ----

WASM_DEMO := $(patsubst $(WASM)/demo/%.c,$(WASM_OUT)/obj/demo/%.o,$(sort $(wildcard $(WASM)/demo/*.c)))
WASM_DEMO_MODULES := $(WASM_OUT)/modules/traps.module.o $(WASM_OUT)/modules/png.module.o

$(WASM_OUT)/obj/demo/%.o: $(WASM)/demo/%.c $(wildcard $(WASM)/demo/*.h) $(WASM_HEADERS) $(WASM_DEMO_MODULES)
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) $(WASM_INCLUDES) -c $< -o $@

$(WASM_PROGRAMS)/run: $(WASM_DEMO) $(WASM_DEMO_MODULES) $(WASM_RUNTIME) $(WASM_LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(filter %.o,$^) $(WASM_LIBS) -o $@

$(WASM_OUT)/sample.png: $(WASM)/demo/make_sample.py
	@mkdir -p $(@D)
	$(PYTHON) $< $@

.PHONY: run-c run-c-build
run-c-build: $(WASM_PROGRAMS)/run $(WASM_OUT)/sample.png
run-c: run-c-build ## the part of `make run` in C
	@$(RUNNER) $(WASM_PROGRAMS)/run $(WASM)/demo/expected_traps.txt $(WASM_OUT)/sample.png

# ---- make check-wasm ----

# tests/<promise>.c: a program each, with the modules that it declares. tests/standalone has a rule of its own.
WASM_TESTS := $(WASM)/tests
WASM_TEST_NAMES := $(patsubst $(WASM_TESTS)/%.c,%,$(sort $(wildcard $(WASM_TESTS)/*.c)))
WASM_TEST_PROGRAMS := $(WASM_TEST_NAMES:%=$(WASM_PROGRAMS)/tests/%.t)
WASM_TEST_SUPPORT := $(addprefix $(WASM_OUT)/obj/tests/,wasm_host.o tap.o process.o)
WASM_TEST_FLAGS := -I$(WASM_TESTS)/support -Ic-tests/capi/support
WASM_DLOPEN_TEST := $(WASM_PROGRAMS)/tests/a_module_loaded_by_dlopen_traps.t

# A test includes the headers of its modules, so these come first.
WASM_TEST_MODULES = $(patsubst %,$(WASM_OUT)/modules/%.module.o,$(shell sed -n 's/^extern const .*_module_t //p' \
    $(WASM_TESTS)/$(1).c | grep -o 'wasm_module_[a-z]*' | sed 's/wasm_module_//'))

define WASM_TEST_OBJECTS
$(WASM_OUT)/obj/tests/%.o: $(1)/%.c $(wildcard $(WASM_TESTS)/support/*.h) $(WASM_HEADERS)
	@mkdir -p $$(@D)
	$$(CC) $(WASM_OWN_FLAGS) $$(CFLAGS) $(WASM_INCLUDES) $(WASM_TEST_FLAGS) $$(WASM_TEST_EXTRA) -c $$< -o $$@
endef
$(foreach folder,$(WASM_TESTS) $(addprefix $(WASM_TESTS)/,features support standalone) c-tests/capi/support,\
    $(eval $(call WASM_TEST_OBJECTS,$(folder))))

define WASM_TEST_PROGRAM
$(WASM_OUT)/obj/tests/$(1).o: $(call WASM_TEST_MODULES,$(1))
$(WASM_PROGRAMS)/tests/$(1).t: $(WASM_OUT)/obj/tests/$(1).o $(call WASM_TEST_MODULES,$(1)) $(WASM_TEST_SUPPORT) \
    $(WASM_RUNTIME) $(WASM_LIBRARY)
	@mkdir -p $$(@D)
	$(CC) $$(filter %.o,$$^) $(WASM_LIBS) -o $$@
endef
$(foreach name,$(WASM_TEST_NAMES),$(eval $(call WASM_TEST_PROGRAM,$(name))))

# tests/features/<promise>.c: what not every wabt can do (feature_test.py); one module each.
WASM_FEATURE_NAMES := $(patsubst $(WASM_TESTS)/features/%.c,%,$(sort $(wildcard $(WASM_TESTS)/features/*.c)))
WASM_FEATURE_TESTS := $(WASM_FEATURE_NAMES:%=$(WASM_PROGRAMS)/tests/%.t)
WASM_FEATURE_MODULE = $(shell sed -n 's/^extern const .*_module_t wasm_module_\(.*\);/\1/p' \
    $(WASM_TESTS)/features/$(1).c)

define WASM_FEATURE_RULES
$(WASM_OUT)/obj/tests/$(1).o: $(WASM_OUT)/modules/$(2).module.o
$(WASM_PROGRAMS)/features/$(1): $(WASM_OUT)/obj/tests/$(1).o $(WASM_OUT)/modules/$(2).module.o $(WASM_TEST_SUPPORT) \
    $(WASM_RUNTIME) $(WASM_LIBRARY)
	@mkdir -p $$(@D)
	$(CC) $$(filter %.o,$$^) $(WASM_LIBS) -o $$@
$(WASM_PROGRAMS)/tests/$(1).t: $(WASM_TESTS)/features/$(1).c $(WASM)/modules/$(2).wat $(WASM)/feature_test.py \
    $(WASM_TOOLS) $(WASM_TEST_SUPPORT) $(WASM_RUNTIME) $(WASM_LIBRARY)
	@mkdir -p $$(@D)
	+@PYTHONPATH=$(WASM_ADAPTER) $(PYTHON) $(WASM)/feature_test.py --cc '$(CC)' --wat2wasm '$(WAT2WASM)' \
	    --wasm2c '$(WASM2C)' --flags='$($(2)_FEATURES)' --needs '$($(2)_NEEDS)' --wabt-flags='$$(WABT_FLAGS)' \
	    --make '$(MAKE) --no-print-directory SETUP=no' $(WASM)/modules/$(2).wat $$@ $(WASM_PROGRAMS)/features/$(1)
endef
$(foreach name,$(WASM_FEATURE_NAMES),\
    $(eval $(call WASM_FEATURE_RULES,$(name),$(call WASM_FEATURE_MODULE,$(name)))))

# The runtime as a shared object, and a module as another that needs it: how a host without C would have them.
$(WASM_OUT)/lib/libwasm_rt_wasmtrap.so: $(WASM_RUNTIME) $(WASM_SONAME)
	$(CC) -shared -Wl,-soname,$(@F) $^ -Wl,-rpath,$(abspath $(WASM_OUT)/lib) -pthread -o $@

$(WASM_OUT)/lib/%.wasm.so: $(WASM_OUT)/modules/%.module.o $(WASM_OUT)/lib/libwasm_rt_wasmtrap.so $(WASM_SONAME)
	$(CC) -shared $^ -Wl,-rpath,$(abspath $(WASM_OUT)/lib) -lm -o $@

$(WASM_OUT)/obj/tests/a_module_loaded_by_dlopen_traps.o: WASM_TEST_EXTRA := -DMODULE='"$(WASM_OUT)/lib/memory.wasm.so"'
$(WASM_OUT)/obj/tests/a_module_loaded_by_dlopen_traps.o: $(WASM_OUT)/modules/memory.module.o
$(WASM_DLOPEN_TEST): $(WASM_OUT)/obj/tests/a_module_loaded_by_dlopen_traps.o $(WASM_TEST_SUPPORT) \
    $(WASM_OUT)/lib/libwasm_rt_wasmtrap.so $(WASM_SONAME) | $(WASM_OUT)/lib/memory.wasm.so
	@mkdir -p $(@D)
	$(CC) $^ -Wl,-rpath,$(abspath $(WASM_OUT)/lib) -pthread -ldl -o $@

.PHONY: check-wasm check-wasm-build
check-wasm-build: $(WASM_TEST_PROGRAMS) $(WASM_FEATURE_TESTS) $(WASM_DLOPEN_TEST)
check-wasm: check-wasm-build ## what the WebAssembly runtime of the demonstration promises
	$(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED) $(RUNNER))' --ext .t $(WASM_PROGRAMS)/tests

# ---- make check-spec ----

WASM_SUITE := $(WASM)/suite
WASM_SUITE_OBJECTS := $(WASM_OUT)/obj/suite/suite.o $(WASM_OUT)/obj/suite/spectest.o

$(WASM_OUT)/obj/suite/%.o: $(WASM_SUITE)/%.c $(wildcard $(WASM_SUITE)/*.h) $(WASM_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) $(WASM_INCLUDES) -c $< -o $@

# -O1 for the modules: their code is run once. SPEC_ONLY=traps,linking runs these files only.
SPEC_NEEDS := $(WASM_SUITE_OBJECTS) $(WASM_RUNTIME) $(WASM_LIBRARY)
SPEC_RUN = PYTHONPATH=$(WASM_ADAPTER) $(PYTHON) $(WASM_SUITE)/run.py --cargo '$(CARGO)' --wast2json '$(WAST2JSON)' \
    --wasm2c '$(WASM2C)' --objcopy '$(OBJCOPY)' --cc '$(CC)' --out $(WASM_OUT)/suite/$(WASM_LINK) --runner '$(RUNNER)' \
    --module-flags '-O1 $(WASM_GENERATED_FLAGS) $(WASM_INCLUDES)' \
    --program-flags '-O0 -std=gnu11 -Wno-bidi-chars -I$(WASM_SUITE) $(WASM_INCLUDES)' \
    --link '$(WASM_SUITE_OBJECTS) $(WASM_RUNTIME) $(WASM_LIBS)' --only '$(SPEC_ONLY)'

.PHONY: check-spec check-spec-build
check-spec: $(SPEC_NEEDS) ## run the specification's test suite
	@$(SPEC_RUN)

check-spec-build: $(SPEC_NEEDS)
	@$(SPEC_RUN) --build-only
