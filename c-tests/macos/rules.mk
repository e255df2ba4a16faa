# macOS, built and checked from Linux, for arm64 and x86-64.
#
#     make macos          the libraries, the harness, and a folder to run on a Mac: target/macos/run-on-mac
#     make check-macos    all that, and what can be seen of it without a Mac
#
# cargo builds the libraries, zig's clang compiles C and C++ (it brings the headers), ld64.lld links (c-tests/macos/cc).
# On a Mac, `make SETUP=no macos` builds for this Mac with its own tools, all but the part for Python; it takes GNU make
# and GNU sed.

MACOS := c-tests/macos
MACOS_OUT := target/macos
MACOS_NAME := libwasmtrap.$(MAJOR).dylib
# LLVM's tools by the names of their Debian packages; the set-up picks another version where there is no 19.
MACOS_LLVM ?= 19

# ---- The compiler ----

MACOS_ZIG := $(MACOS_OUT)/zig
MACOS_SYSROOT := $(MACOS_OUT)/sysroot
ifeq ($(shell uname -s),Darwin)
MACOS_ARCHITECTURES := $(patsubst arm64,aarch64,$(shell uname -m))
MACOS_TOOLCHAIN :=
MACOS_ENVIRONMENT :=
MACOS_CC = cc -mmacosx-version-min=11.0
MACOS_CXX = c++ -mmacosx-version-min=11.0
MACOS_AARCH64_CARGO := $(CARGO)
MACOS_X86_64_CARGO := $(CARGO)
else
MACOS_ARCHITECTURES := aarch64 x86_64
MACOS_TOOLCHAIN := $(MACOS_SYSROOT)/done
MACOS_ENVIRONMENT := ZIG='$(abspath $(MACOS_ZIG))/zig' LD64=ld64.lld-$(MACOS_LLVM) \
    SYSROOT='$(abspath $(MACOS_SYSROOT))' SDKROOT='$(abspath $(MACOS_SYSROOT))' \
    ZIG_GLOBAL_CACHE_DIR='$(abspath $(MACOS_ZIG))/cache' ZIG_LOCAL_CACHE_DIR='$(abspath $(MACOS_ZIG))/cache' \
    CARGO_TARGET_AARCH64_APPLE_DARWIN_LINKER='$(abspath $(MACOS)/cc)' \
    CARGO_TARGET_X86_64_APPLE_DARWIN_LINKER='$(abspath $(MACOS)/cc)'
MACOS_CC = $(MACOS)/cc -target $(1)-macos.11.0
MACOS_CXX = $(MACOS)/c++ -target $(1)-macos.11.0
endif

$(MACOS_ZIG)/done: $(MACOS)/requirements.txt
	rm -rf $(MACOS_ZIG)
	$(PYTHON) -m venv $(MACOS_ZIG)
	$(MACOS_ZIG)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary=:all: \
	    --requirement $<
	@# Without Python's start before each file.
	ln -s "$$($(MACOS_ZIG)/bin/python -c 'import ziglang; print(*ziglang.__path__)')/zig" $(MACOS_ZIG)/zig
	touch $@

# What the linker is told of the system's libraries. zig's list is for arm64e, Apple's own kind of arm64; what it names
# is there for arm64 as well.
$(MACOS_SYSROOT)/done: $(MACOS_ZIG)/done $(MACOS)/libc++.tbd
	@mkdir -p $(@D)
	sed 's/arm64e-macos/arm64-macos/g; s/arm64e\.x1-/arm64e-/g' \
	    "$$($(MACOS_ZIG)/bin/python -c 'import ziglang; print(*ziglang.__path__)')/lib/libc/darwin/libSystem.tbd" \
	    > $(@D)/libSystem.tbd
	cp $(MACOS)/libc++.tbd $(@D)/
	touch $@

# ---- The libraries and the harness ----

MACOS_LINUX_ONLY := $(shell sed 's/[[:space:]]*\#.*//; /^$$/d' $(MACOS)/linux-only.txt)

# For an architecture, and the variable with its cargo.
define MACOS_RULES
MACOS_BUILT_$(1) := $(MACOS_OUT)/build/$(1)-apple-darwin/release
MACOS_LIBRARIES_$(1) := $(MACOS_OUT)/$(1)/lib/$(MACOS_NAME) $(MACOS_OUT)/$(1)/lib/libwasmtrap.a

$$(MACOS_BUILT_$(1))/libwasmtrap.dylib $$(MACOS_BUILT_$(1))/libwasmtrap.a &: FORCE $(MACOS_TOOLCHAIN)
	@$(MACOS_ENVIRONMENT) MACOSX_DEPLOYMENT_TARGET=11.0 \
	$$(call BUILD,$$($(2)),$(MACOS_OUT)/build) --target $(1)-apple-darwin

$(MACOS_OUT)/$(1)/lib/$(MACOS_NAME): $$(MACOS_BUILT_$(1))/libwasmtrap.dylib
	@mkdir -p $$(@D)
	cp $$< $$@

$(MACOS_OUT)/$(1)/lib/libwasmtrap.a: $$(MACOS_BUILT_$(1))/libwasmtrap.a
	@mkdir -p $$(@D)
	cp $$< $$@

MACOS_HARNESS_$(1) = $(MACOS_ENVIRONMENT) $$(MAKE) --no-print-directory SETUP=no \
	    CC='$(call MACOS_CC,$(1))' CXX='$(call MACOS_CXX,$(1))' RUNNER= STATIC_LIBS= \
	    C_TESTS_OUT=$(MACOS_OUT)/$(1)/c-tests CAPI_EXCEPT='$(MACOS_LINUX_ONLY)' \
	    LIB_SHARED=$(MACOS_OUT)/$(1)/lib/$(MACOS_NAME) LIB_STATIC=$(MACOS_OUT)/$(1)/lib/libwasmtrap.a \
	    SHARED_NAME=$(MACOS_NAME) SHARED_RPATH=@loader_path/../../lib DLOPEN_PATH=@executable_path/../../lib

.PHONY: macos-harness-$(1)
macos-harness-$(1): $$(MACOS_LIBRARIES_$(1))
	+@$$(MACOS_HARNESS_$(1)) check-c-build
	+@$$(MACOS_HARNESS_$(1)) list-c-programs >$(MACOS_OUT)/$(1)/c-programs.txt
endef
$(eval $(call MACOS_RULES,aarch64,MACOS_AARCH64_CARGO))
$(eval $(call MACOS_RULES,x86_64,MACOS_X86_64_CARGO))

# ---- The Mach backend's own tests, and the controls, as far as they are not about the simulated kernel ----

MACOS_MACH_TESTS := $(filter-out support/% simulated/%,\
    $(patsubst c-tests/mach-backend/%.c,%,$(sort $(wildcard c-tests/mach-backend/*/*.c))))
MACOS_CONTROLS := $(patsubst c-tests/mach/controls/%.c,controls/%,$(sort $(wildcard c-tests/mach/controls/*_engine.c)))
MACOS_MACH_SUPPORT := $(patsubst c-tests/%,%,$(sort $(wildcard c-tests/mach-backend/support/*.[cS])) \
    $(wildcard $(addprefix c-tests/mach/tests/support/,exception_server.c ports.c))) $(addprefix capi/support/,\
    tap.c memory.c handlers.c host.c fiber.c wasm_code.c wasm_code_x86_64.S wasm_code_aarch64.S)
MACOS_MACH_FLAGS := -D_GNU_SOURCE -DEMULATED=0 -g -O1 -fno-strict-aliasing -fno-omit-frame-pointer -MMD -MP -Iinclude \
    -Ic-tests/mach-backend/support -Ic-tests/capi/support -Ic-tests/mach/tests/support -Ic-tests/mach/controls

# For an architecture.
define MACOS_MACH_RULES
MACOS_MACH_$(1) := $(MACOS_OUT)/$(1)/mach
MACOS_CC_$(1) := $(MACOS_ENVIRONMENT) $(call MACOS_CC,$(1))
MACOS_MACH_PROGRAMS_$(1) := $$(MACOS_MACH_TESTS:%=$$(MACOS_MACH_$(1))/%.t) $$(MACOS_CONTROLS:%=$$(MACOS_MACH_$(1))/%.t)

$$(MACOS_MACH_$(1))/obj/%.c.o: c-tests/%.c $(MACOS)/rules.mk $(MACOS_TOOLCHAIN)
	@mkdir -p $$(@D)
	$$(MACOS_CC_$(1)) $(C_WARNINGS) $(MACOS_MACH_FLAGS) -c $$< -o $$@

$$(MACOS_MACH_$(1))/obj/%.S.o: c-tests/%.S $(MACOS)/rules.mk $(MACOS_TOOLCHAIN)
	@mkdir -p $$(@D)
	$$(MACOS_CC_$(1)) $(MACOS_MACH_FLAGS) -c $$< -o $$@

$$(MACOS_MACH_TESTS:%=$$(MACOS_MACH_$(1))/%.t): $$(MACOS_MACH_$(1))/%.t: $$(MACOS_MACH_$(1))/obj/mach-backend/%.c.o \
    $$(MACOS_MACH_SUPPORT:%=$$(MACOS_MACH_$(1))/obj/%.o) $(MACOS_OUT)/$(1)/lib/libwasmtrap.a
	@mkdir -p $$(@D)
	$$(MACOS_CC_$(1)) $$^ -pthread -o $$@

$$(MACOS_CONTROLS:%=$$(MACOS_MACH_$(1))/%.t): $$(MACOS_MACH_$(1))/%.t: $$(MACOS_MACH_$(1))/obj/mach/%.c.o \
    $$(MACOS_MACH_$(1))/obj/mach/controls/engine.c.o $$(MACOS_MACH_$(1))/obj/capi/support/tap.c.o
	@mkdir -p $$(@D)
	$$(MACOS_CC_$(1)) $$^ -pthread -o $$@

.PHONY: macos-mach-$(1)
macos-mach-$(1): $$(MACOS_MACH_PROGRAMS_$(1))
-include $$(wildcard $$(MACOS_MACH_$(1))/obj/*/*.d $$(MACOS_MACH_$(1))/obj/*/*/*.d $$(MACOS_MACH_$(1))/obj/*/*/*/*.d)
endef
$(foreach architecture,$(MACOS_ARCHITECTURES),$(eval $(call MACOS_MACH_RULES,$(architecture))))

# ---- Python ----

# WebAssembly for the tests of the Python extension: the runtime and the modules, each a shared object. The extension
# itself is built on the Mac, with the headers of the Python that is there (python-on-mac.sh).
MACOS_MODULES := traps host_calls starts
MACOS_WASM_INCLUDES = -Iinclude -Iadapters/wasm2c -Itarget/wasm/modules -Iadapters/python/module $(WABT_FLAGS)
MACOS_OWN_FLAGS := -std=c11 -pedantic -Wall -Wextra -Werror -O2 -g -fno-omit-frame-pointer -fPIC
# As for Linux (c-tests/wasm/rules.mk), in clang's words.
MACOS_MODULE_FLAGS := -std=c11 -w -O2 -fPIC -fno-optimize-sibling-calls -fno-omit-frame-pointer -frounding-math \
    -ffp-contract=off -finline-hint-functions -include adapters/wasm2c/wasm_rt_wasmtrap_module.h
MACOS_PYTHON_PARTS := $(if $(MACOS_TOOLCHAIN),$(MACOS_ARCHITECTURES))

# For an architecture.
define MACOS_PYTHON_RULES
MACOS_PYTHON_$(1) := $(MACOS_OUT)/$(1)/python
MACOS_COMPILE_$(1) := $(MACOS_ENVIRONMENT) $(call MACOS_CC,$(1))
MACOS_PYTHON_FILES_$(1) := $$(MACOS_PYTHON_$(1))/lib/libwasm_rt_wasmtrap.so \
    $(MACOS_MODULES:%=$$(MACOS_PYTHON_$(1))/modules/%.so) $$(MACOS_PYTHON_$(1))/helpers/float_modes.so

$$(MACOS_PYTHON_$(1))/lib/libwasm_rt_wasmtrap.so: adapters/wasm2c/wasm_rt_wasmtrap.c \
    $(wildcard adapters/wasm2c/*.h adapters/wasm2c/*.inc) include/wasmtrap.h $(MACOS_OUT)/$(1)/lib/$(MACOS_NAME)
	@mkdir -p $$(@D)
	$$(MACOS_COMPILE_$(1)) $(MACOS_OWN_FLAGS) $$(MACOS_WASM_INCLUDES) -c $$< -o $$@.o
	$$(MACOS_COMPILE_$(1)) -shared $$@.o $(MACOS_OUT)/$(1)/lib/$(MACOS_NAME) -Wl,-install_name,@rpath/$$(@F) -o $$@
	@rm $$@.o

$$(MACOS_PYTHON_$(1))/modules/%.so: target/wasm/modules/%.c target/python/modules/%.interface.c \
    $$(MACOS_PYTHON_$(1))/lib/libwasm_rt_wasmtrap.so adapters/wasm2c/describe_module.py $(MACOS)/module-exports.txt
	@mkdir -p $$(@D)
	$$(MACOS_COMPILE_$(1)) $(MACOS_MODULE_FLAGS) $$(MACOS_WASM_INCLUDES) -c $$< -o $$@.o
	$(PYTHON) adapters/wasm2c/describe_module.py --mach-o --nm llvm-nm-$(MACOS_LLVM) \
	    --objdump llvm-objdump-$(MACOS_LLVM) --name $$* target/wasm/modules/$$*.wasm $$< $$@.o $$@.about.c
	$$(MACOS_COMPILE_$(1)) $(MACOS_OWN_FLAGS) $$(MACOS_WASM_INCLUDES) -c $$@.about.c -o $$@.about.o
	$$(MACOS_COMPILE_$(1)) $(MACOS_OWN_FLAGS) $$(MACOS_WASM_INCLUDES) -c target/python/modules/$$*.interface.c \
	    -o $$@.interface.o
	$$(MACOS_COMPILE_$(1)) -shared $$@.o $$@.about.o $$@.interface.o $$(MACOS_PYTHON_$(1))/lib/libwasm_rt_wasmtrap.so \
	    $(MACOS_OUT)/$(1)/lib/$(MACOS_NAME) -Wl,-install_name,@rpath/$$(@F) -Wl,-rpath,@loader_path/../lib \
	    -Wl,-rpath,@loader_path/../../lib -Wl,-exported_symbols_list,$(MACOS)/module-exports.txt -o $$@
	@rm $$@.*

$$(MACOS_PYTHON_$(1))/helpers/%.so: c-tests/python/tests/helpers/%.c $(MACOS_TOOLCHAIN)
	@mkdir -p $$(@D)
	$$(MACOS_COMPILE_$(1)) $(MACOS_OWN_FLAGS) -c $$< -o $$@.o
	$$(MACOS_COMPILE_$(1)) -shared $$@.o -Wl,-install_name,@rpath/$$(@F) -o $$@
	@rm $$@.o

.PHONY: macos-python-$(1)
macos-python-$(1): $$(MACOS_PYTHON_FILES_$(1))
endef
$(foreach architecture,$(MACOS_PYTHON_PARTS),$(eval $(call MACOS_PYTHON_RULES,$(architecture))))

# ---- What goes to a Mac ----

MACOS_FOLDER := $(MACOS_OUT)/run-on-mac

.PHONY: macos
macos: $(MACOS_ARCHITECTURES:%=macos-harness-%)
macos: $(MACOS_ARCHITECTURES:%=macos-mach-%)
macos: $(MACOS_PYTHON_PARTS:%=macos-python-%) ## build libraries and harness for macOS: target/macos/run-on-mac
	rm -rf $(MACOS_FOLDER)
	mkdir -p $(MACOS_FOLDER)/include
	cp $(MACOS)/run-on-mac.sh $(MACOS_FOLDER)/
	cp include/wasmtrap.h $(MACOS_FOLDER)/include/
	set -e; for architecture in $(MACOS_ARCHITECTURES); do \
	    built=$(MACOS_OUT)/$$architecture; folder=$(MACOS_FOLDER)/$$architecture; \
	    mkdir -p $$folder/capi; \
	    cp -RL $$built/lib $$folder/lib; \
	    cp -RL $$built/c-tests/capi/lib $$folder/capi/lib; \
	    while read -r program; do \
	        copy=$$folder/$${program#$$built/c-tests/}; mkdir -p $${copy%/*}; cp $$program $$copy; \
	    done <$$built/c-programs.txt; \
	    for program in $(MACOS_MACH_TESTS) $(MACOS_CONTROLS); do \
	        copy=$$folder/mach/$$program.t; mkdir -p $${copy%/*}; cp $$built/mach/$$program.t $$copy; \
	    done; \
	done
ifneq ($(MACOS_PYTHON_PARTS),)
	for architecture in $(MACOS_PYTHON_PARTS); do \
	    cp -RL $(MACOS_OUT)/$$architecture/python $(MACOS_FOLDER)/$$architecture/python || exit; \
	done
	mkdir -p $(MACOS_FOLDER)/python $(MACOS_FOLDER)/wasm/demo
	cp $(foreach folder,$(filter-out -isystem,$(WABT_FLAGS)),$(wildcard $(folder)/wasm-rt*.h)) \
	    adapters/wasm2c/wasm_rt_wasmtrap.h adapters/python/module/module_interface.h $(MACOS_FOLDER)/include/
	cp $(MACOS)/python-on-mac.sh $(MACOS_FOLDER)/python/run.sh
	cp -R adapters/python/extension c-tests/python/tests $(addprefix c-tests/python/,interpreters.py run_tests.py \
	    demo_table.py requirements.txt) $(MACOS_FOLDER)/python/
	rm -rf $(MACOS_FOLDER)/python/tests/__pycache__
	cp c-tests/wasm/demo/expected_traps.txt $(MACOS_FOLDER)/wasm/demo/
endif
	@echo 'Take $(MACOS_FOLDER) to a Mac, and run run-on-mac.sh there.'

# ---- That unwind_info.py finds what it looks for ----

# For an architecture.
define MACOS_UNWIND_RULES
$(MACOS_OUT)/$(1)/unwind/%.dylib: $(MACOS)/unwind/functions.S $(MACOS)/rules.mk $(MACOS_TOOLCHAIN)
	@mkdir -p $$(@D)
	$$(MACOS_CC_$(1)) -D$$* -c $$< -o $$@.o
	$$(MACOS_CC_$(1)) -shared $$@.o -o $$@
	@rm $$@.o

.PHONY: check-macos-unwind-$(1)
check-macos-unwind-$(1): $(foreach kind,WHOLE NO_INFORMATION SYMBOL_IN_THE_MIDDLE,\
    $(MACOS_OUT)/$(1)/unwind/$(kind).dylib)
	$(PYTHON) $(MACOS)/unwind_info.py $(MACOS_OUT)/$(1)/unwind/WHOLE.dylib
	$(PYTHON) $(MACOS)/unwind_info.py --finds '_first' $(MACOS_OUT)/$(1)/unwind/NO_INFORMATION.dylib
	$(PYTHON) $(MACOS)/unwind_info.py --finds '_middle' $(MACOS_OUT)/$(1)/unwind/SYMBOL_IN_THE_MIDDLE.dylib
check-macos: check-macos-unwind-$(1)
endef
$(foreach architecture,$(MACOS_ARCHITECTURES),$(eval $(call MACOS_UNWIND_RULES,$(architecture))))

.PHONY: check-macos
check-macos: macos ## what is built for macOS, as far as it shows without a Mac
	for architecture in $(MACOS_ARCHITECTURES); do \
	    $(PYTHON) packaging/check-exports.py --cc "$(CC)" --nm llvm-nm-$(MACOS_LLVM) --mach-o include/wasmtrap.h \
	        $(MACOS_OUT)/$$architecture/lib/$(MACOS_NAME) || exit; \
	done
	$(PYTHON) -m doctest $(MACOS)/check_artifacts.py
	$(PYTHON) $(MACOS)/check_artifacts.py --llvm $(MACOS_LLVM) --version $(VERSION) $(MACOS_FOLDER)
