# Tests of the Mach backend itself: what it does to exception ports, rights and messages.
#
# `make check-mach-backend` builds them and runs each in the host profiles of the simulated kernel where its promise
# makes sense. A folder is a subject; simulated/ has those that only the simulated kernel can tell, the rest are for a
# Mac too. support/ is linked into all of them, and so is what the C harness and the kernel's own tests have for it.

MACH_BACKEND := c-tests/mach-backend
MACH_OUT ?= target/mach
MACH_BACKEND_OUT ?= $(MACH_OUT)/backend
MACH_BACKEND_LIB ?= $(MACH_OUT)/wasmtrap/release/libwasmtrap.a
# What c-tests/mach/rules.mk, which comes later, builds.
MACH_BACKEND_KERNEL := c-tests/mach
MACH_BACKEND_MACH := $(MACH_OUT)/lib/libsimulated_mach.so
# What no program may take longer than. Only a hang does.
MACH_BACKEND_LIMIT := 120

# Pages that fault are what they are on a Mac (c-tests/capi/support/memory.h), and so are their signals and the names of
# ended threads (run_in_profiles.py): what would fail there is found here.
MACH_BACKEND_FLAGS = -DINACCESSIBLE_PAGES_ARE_HOLES -DPROTECTED_PAGE_SIGNAL=SIGBUS -D_GNU_SOURCE -DEMULATED=0 -g -O1 \
    -fno-omit-frame-pointer -pthread -MMD -MP -Iinclude -I$(MACH_BACKEND)/support \
    -Ic-tests/capi/support -I$(MACH_BACKEND_KERNEL)/tests/support -I$(MACH_INCLUDE)

MACH_BACKEND_SUPPORT_SOURCES := $(sort $(wildcard $(MACH_BACKEND)/support/*.[cS])) \
    $(addprefix c-tests/capi/support/,tap.c memory.c handlers.c host.c fiber.c fake_engine.c fake_engines.c \
    wasm_code.c wasm_code_x86_64.S wasm_code_aarch64.S) $(sort $(wildcard $(MACH_BACKEND_KERNEL)/tests/support/*.c))
MACH_BACKEND_SUPPORT := $(MACH_BACKEND_SUPPORT_SOURCES:c-tests/%=$(MACH_BACKEND_OUT)/obj/%.o)
MACH_BACKEND_SOURCES := $(filter-out $(MACH_BACKEND)/support/%,$(sort $(wildcard $(MACH_BACKEND)/*/*.c)))
MACH_BACKEND_NAMES := $(MACH_BACKEND_SOURCES:$(MACH_BACKEND)/%.c=%)
MACH_BACKEND_PROGRAMS := $(MACH_BACKEND_NAMES:%=$(MACH_BACKEND_OUT)/%.t)

$(MACH_BACKEND_OUT)/obj/%.c.o: c-tests/%.c $(MACH_BACKEND)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) $(MACH_BACKEND_FLAGS) $(CFLAGS) -c $< -o $@

$(MACH_BACKEND_OUT)/obj/%.S.o: c-tests/%.S $(MACH_BACKEND)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(MACH_BACKEND_FLAGS) $(CFLAGS) -c $< -o $@

$(MACH_BACKEND_PROGRAMS): $(MACH_BACKEND_OUT)/%.t: $(MACH_BACKEND_OUT)/obj/mach-backend/%.c.o \
    $(MACH_BACKEND_SUPPORT) $(MACH_BACKEND_LIB) $(MACH_BACKEND_MACH)
	@mkdir -p $(@D)
	$(CC) $^ $(STATIC_LIBS) -pthread -ldl -o $@

-include $(patsubst %,$(MACH_BACKEND_OUT)/obj/mach-backend/%.c.d,$(MACH_BACKEND_NAMES)) \
    $(MACH_BACKEND_SUPPORT:.o=.d)

# ---- Where each runs ----

# The library takes Mach ports in all of these; in the unsteady ones the kernel does not deliver every exception.
MACH_BACKEND_HARDENED := apple-python-13 apple-python-14.0 apple-python-14.2 apple-python-14.4 apple-python-14.6 \
    apple-python-15 apple-python-26
# What the kernel frees, and the library cannot tell from the others; and opted-out ports in an ordinary program.
MACH_BACKEND_FREED := ordinary-14.4 plugin-host-14.4 library-validation-off-15 sip-off-14.6
MACH_BACKEND_STEADY := ordinary ordinary-11 $(MACH_BACKEND_HARDENED) developer-mode-off crash-reporter debugger
MACH_BACKEND_UNSTEADY := interrupted bypassed
# It takes signals in these.
MACH_BACKEND_WITHOUT := hardened-only-one-exception-port sandboxed translated
# One of each kind, for what does not depend on the rules about behaviors.
MACH_BACKEND_SOME := ordinary apple-python-14.4 apple-python-15 debugger

# By folder, or by program where its own name is here.
MACH_BACKEND_IN_adoption := $(MACH_BACKEND_STEADY)
MACH_BACKEND_IN_bad_input := $(MACH_BACKEND_SOME)
MACH_BACKEND_IN_fault_handler := $(MACH_BACKEND_SOME)
MACH_BACKEND_IN_fork := $(MACH_BACKEND_SOME)
MACH_BACKEND_IN_traps := $(MACH_BACKEND_SOME)
MACH_BACKEND_IN_restoring := $(MACH_BACKEND_STEADY)
MACH_BACKEND_IN_sharing := $(MACH_BACKEND_STEADY)
MACH_BACKEND_IN_simulated := $(MACH_BACKEND_SOME)
MACH_BACKEND_IN_restoring/thread_lifetimes_leave_no_right := $(MACH_BACKEND_SOME)
# Where the slips that they have a host make do not kill.
MACH_BACKEND_IN_bad_input/a_destroyed_thread_port_is_survived := ordinary developer-mode-off debugger
MACH_BACKEND_IN_bad_input/a_lost_port_set_is_replaced := ordinary developer-mode-off debugger
MACH_BACKEND_IN_simulated/the_backend_follows_from_the_host := $(MACH_BACKEND_STEADY) $(MACH_BACKEND_FREED) \
    $(MACH_BACKEND_UNSTEADY) $(MACH_BACKEND_WITHOUT) ports-run-out
MACH_BACKEND_IN_simulated/a_declined_fault_is_forgotten_when_ours_go_on_top := $(MACH_BACKEND_SOME) bypassed
# A debugger takes the steps.
MACH_BACKEND_IN_simulated/every_step_of_the_trampoline_unwinds := $(filter-out debugger,$(MACH_BACKEND_SOME))
MACH_BACKEND_IN_simulated/no_step_to_the_fault_handler_keeps_others_waiting := \
    $(MACH_BACKEND_IN_simulated/every_step_of_the_trampoline_unwinds)
MACH_BACKEND_IN_simulated/each_trap_arrives_once := $(MACH_BACKEND_STEADY) $(MACH_BACKEND_UNSTEADY)
MACH_BACKEND_IN_simulated/what_may_not_be_set_is_not_put_back := \
    $(filter-out apple-python-13 apple-python-14.2,$(MACH_BACKEND_HARDENED)) \
    $(filter-out ordinary-%,$(MACH_BACKEND_FREED))
MACH_BACKEND_IN_simulated/running_out_of_ports_is_survived := ports-run-out

MACH_BACKEND_FOLDER = $(patsubst %/,%,$(dir $(1)))
MACH_BACKEND_IN = $(or $(MACH_BACKEND_IN_$(1)),$(MACH_BACKEND_IN_$(MACH_BACKEND_FOLDER)))
MACH_BACKEND_JOB = $(subst $(empty) $(empty),$(comma),$(strip $(MACH_BACKEND_IN))):$(MACH_BACKEND_OUT)/$(1).t

.PHONY: mach-backend-programs
mach-backend-programs: $(MACH_BACKEND_PROGRAMS)

.PHONY: check-mach-backend
check-mach-backend: mach-kernel mach-backend-programs ## the Mach backend and its rights, in the simulated kernel
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(MACH_BACKEND_KERNEL) $(PYTHON) $(MACH_BACKEND)/run_in_profiles.py \
	    --kernel=$(abspath $(MACH_OUT)/cargo/release/simulated-xnu) --limit=$(MACH_BACKEND_LIMIT) \
	    --out=$(MACH_BACKEND_OUT)/log \
	    $(foreach name,$(MACH_BACKEND_NAMES),$(call MACH_BACKEND_JOB,$(name)))
