# The C and C++ harness of the C API: one program, one promise, built against the shared and against the static library.
#
# `make check-c` builds and runs both sets. For another target, give its tools and a folder of its own, for example
#   make check-c CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
#       LIB_SHARED=... LIB_STATIC=... C_TESTS_OUT=target/c-tests-aarch64
#
# Programs: <folder>/<promise>.c or .cc; support/ is linked into all of them. A folder in standalone/ is no program's:
# what is in there is built as its own rule below says.

CAPI := c-tests/capi
LIB_SHARED ?= target/release/libwasmtrap.so
LIB_STATIC ?= target/release/archive/libwasmtrap.a
STATIC_LIBS ?= -lpthread -ldl -lgcc_s
C_TESTS_OUT ?= target/c-tests
PROVE ?= prove
PROVE_FLAGS ?= -j2
# A command that runs a program of the target, where the machine cannot; and whether it emulates another processor.
RUNNER ?=
EMULATED ?= $(if $(RUNNER),1,0)
# What the programs ask for, and where they look for it.
SHARED_NAME ?= libwasmtrap.so.0
SHARED_RPATH ?= $(abspath $(CAPI_LIB))
# Where those look that load it by dlopen.
DLOPEN_PATH ?= $(abspath $(CAPI_LIB))

CAPI_OUT := $(C_TESTS_OUT)/capi
CAPI_LIB := $(CAPI_OUT)/lib
CAPI_WARNINGS := -pedantic -Wall -Wextra -Werror
CAPI_FLAGS := $(CAPI_WARNINGS) -D_GNU_SOURCE -DEMULATED=$(EMULATED) -g -O1 -fno-omit-frame-pointer -pthread \
    -MMD -MP -Iinclude -I$(CAPI)/support -I$(CAPI_OUT)/include
CAPI_LIBS := -pthread -ldl

CAPI_SUPPORT := $(patsubst $(CAPI)/%,$(CAPI_OUT)/obj/%.o,$(sort $(wildcard $(CAPI)/support/*.c $(CAPI)/support/*.S)))
# Promises that the target cannot keep: <folder>/<promise>, as a pattern.
CAPI_EXCEPT ?=
CAPI_SOURCES := $(filter-out $(addprefix $(CAPI)/,support/% standalone/% $(CAPI_EXCEPT:%=%.%)), \
    $(sort $(wildcard $(CAPI)/*/*.c $(CAPI)/*/*.cc)))
CAPI_NAMES := $(patsubst $(CAPI)/%,%,$(basename $(CAPI_SOURCES)))
CAPI_SHARED := $(CAPI_NAMES:%=$(CAPI_OUT)/shared/%.t)
CAPI_STATIC := $(CAPI_NAMES:%=$(CAPI_OUT)/static/%.t)
CAPI_OBJECTS := $(patsubst $(CAPI)/%,$(CAPI_OUT)/obj/%.o,$(CAPI_SOURCES))
CAPI_STANDALONE := $(CAPI_OUT)/shared/standalone/loaded_by_dlopen.t \
    $(CAPI_OUT)/static/standalone/linked_into_a_plugin.t

.PHONY: check-c check-c-build
check-c: check-c-build
	$(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED) $(RUNNER))' -r --ext .t $(CAPI_OUT)/shared $(CAPI_OUT)/static

# Linux on x86-64 only: the programs again with another way out of the handlers, but for those whose subject is what
# wasmtrap_init refuses, what a process may do whose seccomp filter kills, and the usual way itself.
ifeq ($(shell uname -sm)$(RUNNER),Linux x86_64)
CAPI_JUMP := $(CAPI_OUT)/lib/libleavebyjump.so
CAPI_NOT_BY_JUMP := bad_input/% forwarding/what_a_sandbox_refuses% leaving/a_jump_is_taken% leaving/a_breakpoint%
CAPI_BY_JUMP := $(filter-out $(CAPI_NOT_BY_JUMP:%=$(CAPI_OUT)/shared/%),$(CAPI_SHARED))
CHECKS += check-c-by-jump
.PHONY: check-c-by-jump
check-c-by-jump: $(CAPI_BY_JUMP) $(CAPI_JUMP)
	$(PROVE) $(PROVE_FLAGS) --exec '$(LIMITED) env LD_PRELOAD=$(abspath $(CAPI_JUMP))' $(CAPI_BY_JUMP)
$(CAPI_JUMP): $(CAPI)/standalone/leave_by_jump.c include/wasmtrap.h $(CAPI)/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CAPI_FLAGS) $(CFLAGS) -fPIC -shared $< -ldl -o $@
endif

check-c-build: $(CAPI_SHARED) $(CAPI_STATIC)

# Those that are linked with the shared library.
.PHONY: c-programs-shared
c-programs-shared: $(CAPI_SHARED)

# The programs of check-c-build, for who takes them elsewhere.
.PHONY: list-c-programs
list-c-programs:
	@printf '%s\n' $(CAPI_SHARED) $(CAPI_STATIC) $(CAPI_STANDALONE)

# The dynamic linker asks for the soname, which the build leaves to the installation.
$(CAPI_LIB)/$(SHARED_NAME): $(LIB_SHARED)
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@

# One FUNCTION(name) for each function that the header declares.
$(CAPI_OUT)/include/documented_functions.h: include/wasmtrap.h $(CAPI)/rules.mk
	@mkdir -p $(@D)
	grep -v '^//' $< | grep -oE '\bwasmtrap_[a-z_]+\(' | sort -u | sed 's/\(.*\)(/FUNCTION(\1)/' >$@

$(CAPI_OUT)/obj/%.c.o: $(CAPI)/%.c $(CAPI)/rules.mk | $(CAPI_OUT)/include/documented_functions.h
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CAPI_FLAGS) $(CAPI_EXTRA) $(CFLAGS) -c $< -o $@

$(CAPI_OUT)/obj/%.cc.o: $(CAPI)/%.cc $(CAPI)/rules.mk | $(CAPI_OUT)/include/documented_functions.h
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(CAPI_FLAGS) $(CXXFLAGS) -c $< -o $@

$(CAPI_OUT)/obj/%.S.o: $(CAPI)/%.S $(CAPI)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(CAPI_FLAGS) $(CFLAGS) -c $< -o $@

# The C++ compiler links the C++ programs, the C compiler the others.
define CAPI_PROGRAM
$(CAPI_OUT)/shared/$(basename $(1)).t: $(CAPI_OUT)/obj/$(1).o $(CAPI_SUPPORT) $(CAPI_LIB)/$(SHARED_NAME)
	@mkdir -p $$(@D)
	$(2) $$^ -Wl,-rpath,$(SHARED_RPATH) $(CAPI_LIBS) -o $$@
$(CAPI_OUT)/static/$(basename $(1)).t: $(CAPI_OUT)/obj/$(1).o $(CAPI_SUPPORT) $(LIB_STATIC)
	@mkdir -p $$(@D)
	$(2) $$^ $(STATIC_LIBS) $(CAPI_LIBS) -o $$@
endef
$(foreach source,$(patsubst $(CAPI)/%,%,$(filter %.c,$(CAPI_SOURCES))),$(eval $(call CAPI_PROGRAM,$(source),$(CC))))
$(foreach source,$(patsubst $(CAPI)/%,%,$(filter %.cc,$(CAPI_SOURCES))),$(eval $(call CAPI_PROGRAM,$(source),$(CXX))))

# What of support/ does without the library.
CAPI_WITHOUT_LIBRARY := $(addprefix $(CAPI_OUT)/obj/support/,tap.c.o process.c.o memory.c.o handlers.c.o \
    wasm_code.c.o wasm_code_x86_64.S.o wasm_code_aarch64.S.o)

# The library comes by dlopen alone: the program is linked without it.
$(CAPI_OUT)/obj/standalone/loaded_by_dlopen.c.o: CAPI_EXTRA := -DLIBRARY='"$(DLOPEN_PATH)/$(SHARED_NAME)"'
$(CAPI_OUT)/shared/standalone/loaded_by_dlopen.t: $(CAPI_OUT)/obj/standalone/loaded_by_dlopen.c.o \
    $(CAPI_WITHOUT_LIBRARY) $(CAPI_LIB)/$(SHARED_NAME)
	@mkdir -p $(@D)
	$(CC) $(filter %.o,$^) $(CAPI_LIBS) -o $@

# The static library is a part of a plug-in, which the program loads and closes.
CAPI_PLUGIN := $(CAPI_OUT)/lib/plugin.so
$(CAPI_OUT)/obj/standalone/plugin.c.o: CAPI_EXTRA := -fPIC
$(CAPI_PLUGIN): $(CAPI_OUT)/obj/standalone/plugin.c.o $(LIB_STATIC)
	@mkdir -p $(@D)
	$(CC) -shared $^ $(STATIC_LIBS) $(CAPI_LIBS) -o $@
$(CAPI_OUT)/obj/standalone/linked_into_a_plugin.c.o: CAPI_EXTRA := -DPLUGIN='"$(DLOPEN_PATH)/plugin.so"' \
    -DLIBRARY='"$(DLOPEN_PATH)/$(SHARED_NAME)"'
$(CAPI_OUT)/static/standalone/linked_into_a_plugin.t: $(CAPI_OUT)/obj/standalone/linked_into_a_plugin.c.o \
    $(CAPI_WITHOUT_LIBRARY) | $(CAPI_PLUGIN) $(CAPI_LIB)/$(SHARED_NAME)
	@mkdir -p $(@D)
	$(CC) $^ $(CAPI_LIBS) -o $@

# An engine whose object is closed while it is adopted.
CAPI_STANDALONE += $(CAPI_OUT)/shared/standalone/an_adopted_engine_is_closed.t
CAPI_ENGINE := $(CAPI_OUT)/lib/engine.so
$(CAPI_OUT)/obj/standalone/engine.c.o: CAPI_EXTRA := -fPIC
$(CAPI_ENGINE): $(CAPI_OUT)/obj/standalone/engine.c.o
	@mkdir -p $(@D)
	$(CC) -shared $^ -o $@
$(CAPI_OUT)/obj/standalone/an_adopted_engine_is_closed.c.o: CAPI_EXTRA := -DENGINE='"$(DLOPEN_PATH)/engine.so"'
$(CAPI_OUT)/shared/standalone/an_adopted_engine_is_closed.t: \
    $(CAPI_OUT)/obj/standalone/an_adopted_engine_is_closed.c.o $(CAPI_SUPPORT) $(CAPI_LIB)/$(SHARED_NAME) \
    | $(CAPI_ENGINE)
	@mkdir -p $(@D)
	$(CC) $(filter %.o,$^) $(CAPI_LIB)/$(SHARED_NAME) -Wl,-rpath,$(SHARED_RPATH) $(CAPI_LIBS) -o $@

# Its sigaction comes before libc's, as if it had been preloaded. ELF's way; Mach-O has another.
ifeq ($(filter %.dylib,$(SHARED_NAME)),)
CAPI_STANDALONE += $(CAPI_OUT)/shared/standalone/interposed_sigaction.t
endif
CAPI_INTERPOSER := $(CAPI_OUT)/lib/libinterposer.so
$(CAPI_OUT)/obj/standalone/interposed_sigaction.c.o: CAPI_EXTRA := -DPLUGIN='"$(DLOPEN_PATH)/plugin.so"'
$(CAPI_OUT)/obj/standalone/interposer.c.o: CAPI_EXTRA := -fPIC
$(CAPI_INTERPOSER): $(CAPI_OUT)/obj/standalone/interposer.c.o
	@mkdir -p $(@D)
	$(CC) -shared $^ -ldl -o $@
$(CAPI_OUT)/shared/standalone/interposed_sigaction.t: $(CAPI_OUT)/obj/standalone/interposed_sigaction.c.o \
    $(CAPI_SUPPORT) $(CAPI_INTERPOSER) $(CAPI_LIB)/$(SHARED_NAME) | $(CAPI_PLUGIN)
	@mkdir -p $(@D)
	$(CC) $(filter %.o,$^) -Wl,--no-as-needed $(filter %/libinterposer.so %/$(SHARED_NAME),$^) \
	    -Wl,-rpath,$(SHARED_RPATH) $(CAPI_LIBS) -o $@

check-c-build: $(CAPI_STANDALONE)

-include $(CAPI_OBJECTS:.o=.d) $(CAPI_SUPPORT:.o=.d) $(wildcard $(CAPI_OUT)/obj/standalone/*.d)
