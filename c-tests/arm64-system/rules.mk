# The C and C++ harness under a real arm64 Linux kernel, in an emulated machine (qemu-system-aarch64): with ptrace, the
# records of the signal frame, branch targets that are enforced, limits that hold, which qemu-user has not.
#
#     make check-arm64-system
#
# It runs there, in one go:
#   shared, static   c-tests/capi with the library as it is, without what only takes long (ARM64_LONGEST below)
#   hardened         the programs of `shared` with a library that was built with branch targets and signed return
#                    addresses, and is guarded: a branch to anything but a target in it ends the program
#   unwind           c-tests/unwind
#   arm64            what only this processor has: tests/*.c, with that library
# The programs themselves sign their return addresses.
#
# Some of it by a part of their names (a regular expression), as they are in run.list:
#
#     make check-arm64-system ARM64_ONLY='^hardened/stacks/|a_sent_signal'
#
# mach.mk runs the simulated Mach kernel there. Anything else can run there by run.py: $(ARM64_RUN), after
# $(ARM64_MACHINE).

ARM64 := c-tests/arm64-system
ARM64_OUT := target/arm64-system
ARM64_CC := aarch64-linux-gnu-gcc
ARM64_CXX := aarch64-linux-gnu-g++
ARM64_SYSROOT := /usr/aarch64-linux-gnu

# ---- The machine ----

ARM64_SYSTEM := $(ARM64_OUT)/system
$(ARM64_SYSTEM)/version: $(ARM64)/fetch-system.sh
	$< $(ARM64_SYSTEM)

ARM64_INIT := $(ARM64_OUT)/init
$(ARM64_INIT): $(ARM64)/init.c $(ARM64)/rules.mk
	@mkdir -p $(@D)
	$(ARM64_CC) $(C_WARNINGS) -Wshadow -D_GNU_SOURCE -O2 -g -static $< -o $@

# A use's own --out, --files and commands come after it.
ARM64_RUN := $(PYTHON) $(ARM64)/run.py --system $(ARM64_SYSTEM) --init $(ARM64_INIT) --at $(ARM64_SYSROOT)/lib=/lib
ARM64_MACHINE := $(ARM64_SYSTEM)/version $(ARM64_INIT)
ARM64_PROVE = $(PROVE) $(PROVE_FLAGS) --exec '$(PYTHON) $(ARM64)/replay.py' -r --ext .t

.PHONY: check-arm64-machine
check-arm64-machine: $(ARM64_MACHINE) ## the emulated machine tells all that happens in it, also how it dies itself
	$(PYTHON) -m doctest $(ARM64)/console.py
	$(PROVE) --exec '$(PYTHON)' $(ARM64)/self_test.py :: $(ARM64_OUT)/self-test $(ARM64_RUN)

# ---- The library, hardened ----

# All of it has to have branch targets, the core library too, so that it is built from source.
ARM64_FROM_SOURCE := -Zbuild-std=core,alloc,compiler_builtins
ARM64_CARGO = $(if $(findstring -Zbuild-std,$(AARCH64_CARGO)),,RUSTC_BOOTSTRAP=1) $(AARCH64_CARGO) \
    $(if $(findstring -Zbuild-std,$(AARCH64_CARGO)),,$(ARM64_FROM_SOURCE))
ARM64_HARDENED := $(ARM64_OUT)/hardened
ARM64_HARDENED_LIBRARY := $(ARM64_HARDENED)/cargo/aarch64-unknown-linux-gnu/release/libwasmtrap.so
ARM64_DSO_HANDLE := $(ARM64_HARDENED)/dso_handle.o
$(ARM64_DSO_HANDLE): $(ARM64)/dso_handle.c
	@mkdir -p $(@D)
	$(ARM64_CC) $(C_WARNINGS) -O2 -fPIC -c $< -o $@

$(ARM64_HARDENED_LIBRARY): RUSTFLAGS += $(AARCH64_FRAMES) -Zbranch-protection=bti,pac-ret -Clink-arg=-Wl,-z,force-bti \
    -Clink-arg=-nostartfiles -Clink-arg=$(abspath $(ARM64_DSO_HANDLE))
$(ARM64_HARDENED_LIBRARY): $(ARM64_DSO_HANDLE) FORCE
	+@CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$(ARM64_CC) \
	$(call BUILD,$(ARM64_CARGO),$(ARM64_HARDENED)/cargo) --target aarch64-unknown-linux-gnu

# As the dynamic linker asks for it.
$(ARM64_HARDENED)/lib/libwasmtrap.so.0: $(ARM64_HARDENED_LIBRARY)
	@mkdir -p $(@D)
	ln -sf $(abspath $<) $@

ARM64_GUARD := $(ARM64_HARDENED)/lib/guard_branch_targets.so
$(ARM64_GUARD): $(ARM64)/guard_branch_targets.c $(ARM64)/rules.mk
	@mkdir -p $(@D)
	$(ARM64_CC) $(C_WARNINGS) -Wshadow -D_GNU_SOURCE -O2 -g -fPIC -shared $< -o $@

# ---- The programs ----

ARM64_C_FLAGS := -O2 -g -mbranch-protection=standard
# A program that steps through the library takes minutes where the emulator has half a processor.
ARM64_PATIENCE := -DHANG_SECONDS=900
# The memory of the machine is small, and nothing there reads debug information.
ARM64_LINK_FLAGS := -Wl,--strip-debug
# RUNNER is empty: the processor is emulated, the system is not.
ARM64_C_TESTS := $(ARM64_OUT)/c-tests
.PHONY: arm64-programs
arm64-programs:
	+@$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) --no-print-directory SETUP=no \
	    check-c-build check-unwind-build RUNNER= CC='$(ARM64_CC) $(ARM64_LINK_FLAGS)' \
	    CXX='$(ARM64_CXX) $(ARM64_LINK_FLAGS)' \
	    C_TESTS_OUT=$(ARM64_C_TESTS) \
	    CFLAGS='$(ARM64_C_FLAGS) $(ARM64_PATIENCE)' CXXFLAGS='$(ARM64_C_FLAGS) $(ARM64_PATIENCE)' \
	    LIB_SHARED=$(AARCH64)/libwasmtrap.so LIB_STATIC=$(AARCH64)/archive/libwasmtrap.a TOOLS=aarch64-linux-gnu- \
	    UNWIND_LIBRARIES='-Wl,--no-as-needed -lgcc_s'

# tests/<promise>.c, linked with the harness's support and with all of tests/code.
ARM64_CODE := $(wildcard $(ARM64)/tests/code/*.S)
ARM64_TESTS := $(patsubst $(ARM64)/tests/%.c,$(ARM64_OUT)/arm64/%.t,$(wildcard $(ARM64)/tests/*.c))
ARM64_SUPPORT := $(patsubst c-tests/capi/%,$(ARM64_C_TESTS)/capi/obj/%.o,$(wildcard c-tests/capi/support/*.[cS]))
$(ARM64_OUT)/arm64/%.t: $(ARM64)/tests/%.c $(ARM64_CODE) arm64-programs $(ARM64)/rules.mk
	@mkdir -p $(@D)
	$(ARM64_CC) $(C_WARNINGS) -Wshadow -D_GNU_SOURCE $(ARM64_C_FLAGS) -fno-omit-frame-pointer -pthread -Iinclude \
	    -Ic-tests/capi/support $< $(ARM64_CODE) $(ARM64_SUPPORT) $(ARM64_C_TESTS)/capi/lib/libwasmtrap.so.0 \
	    -Wl,-rpath,$(abspath $(ARM64_C_TESTS)/capi/lib) $(ARM64_LINK_FLAGS) -o $@

# ---- The run ----

# NAME: COMMAND for the programs in a folder. $(1) is the folder, $(2) what is left out of it, $(3) what the names begin
# with, $(4) the environment. What is left out loads the library by its path.
ARM64_LIST = (cd $(1) && find . -name '*.t' $(addprefix -not -name ,$(2)) | sort | \
    sed "s|^\./\(.*\)|$(3)/\1: $(4) $$PWD/\1|")
ARM64_HARDENED_ENVIRONMENT = LD_LIBRARY_PATH=$(abspath $(ARM64_HARDENED)/lib) LD_PRELOAD=$(abspath $(ARM64_GUARD))

# What does the same thing tens of thousands of times takes half a minute to two each here, and the emulator, on x86-64,
# orders memory as that does: it would see no more than there. By hand: ARM64_LONGEST=
ARM64_LONGEST ?= $(addsuffix .t,refused_calls_disturb_no_other_thread ten_thousand_threads_leave_nothing_behind \
    a_hundred_thousand_ranges_are_ordinary the_alternate_stack_is_never_used_up ranges_come_and_go_while_threads_trap \
    a_handler_may_jump_out_ten_thousand_times nothing_is_lost_and_nothing_comes_late)
# And what runs once, with the library as it is, shared.
ARM64_ENDURANCE := $(ARM64_LONGEST) $(addsuffix .t,many_threads_trap_at_once children_of_a_busy_process_trap \
    a_stack_limit_keeps_room_for_imports init_and_shutdown_race_with_calls)

# Which of the programs run: all.
ARM64_ONLY ?= .

# What takes longest, to step through the library, begins first.
.PHONY: check-arm64-system
check-arm64-system: check-arm64-machine arm64-programs $(ARM64_TESTS) $(ARM64_GUARD) \
    $(ARM64_HARDENED)/lib/libwasmtrap.so.0 ## c-tests/capi under an arm64 kernel
	@{ $(call ARM64_LIST,$(ARM64_C_TESTS)/unwind,,unwind,) && \
	    $(call ARM64_LIST,$(ARM64_C_TESTS)/capi/shared,$(ARM64_LONGEST),shared,) && \
	    $(call ARM64_LIST,$(ARM64_C_TESTS)/capi/static,$(ARM64_ENDURANCE),static,) && \
	    $(call ARM64_LIST,$(ARM64_C_TESTS)/capi/shared,loaded_by_dlopen.t $(ARM64_ENDURANCE),hardened,\
	        $(ARM64_HARDENED_ENVIRONMENT)) && \
	    $(call ARM64_LIST,$(ARM64_OUT)/arm64,,arm64,$(ARM64_HARDENED_ENVIRONMENT)); } | \
	    grep -E '$(ARM64_ONLY)' > $(ARM64_OUT)/run.list
	$(ARM64_RUN) --out $(ARM64_OUT)/run --list $(ARM64_OUT)/run.list \
	    --files $(addprefix $(ARM64_C_TESTS)/capi/,shared static lib) $(ARM64_C_TESTS)/unwind \
	    $(ARM64_HARDENED)/lib $(ARM64_OUT)/arm64
	$(ARM64_PROVE) $(ARM64_OUT)/run/results

include $(ARM64)/mach.mk
