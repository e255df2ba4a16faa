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
MACH_BACKEND_LIMIT := 200

MACH_BACKEND_FLAGS = -D_GNU_SOURCE -DEMULATED=0 -g -O1 -fno-omit-frame-pointer -pthread -MMD -MP -Iinclude \
    -I$(MACH_BACKEND)/support -Ic-tests/capi/support -I$(MACH_BACKEND_KERNEL)/tests/support -I$(MACH_INCLUDE)

MACH_BACKEND_SUPPORT_SOURCES := $(sort $(wildcard $(MACH_BACKEND)/support/*.[cS])) \
    $(addprefix c-tests/capi/support/,tap.c memory.c handlers.c host.c fiber.c wasm_code.c wasm_code_x86_64.S \
    wasm_code_aarch64.S) $(sort $(wildcard $(MACH_BACKEND_KERNEL)/tests/support/*.c))
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

$(MACH_BACKEND_PROGRAMS): $(MACH_BACKEND_OUT)/%.t: $(MACH_BACKEND_OUT)/obj/mach-backend/%.c.o $(MACH_BACKEND_SUPPORT) $(MACH_BACKEND_LIB) \
    $(MACH_BACKEND_MACH)
	@mkdir -p $(@D)
	$(CC) $^ $(STATIC_LIBS) -pthread -ldl -o $@

-include $(patsubst %,$(MACH_BACKEND_OUT)/obj/mach-backend/%.c.d,$(MACH_BACKEND_NAMES)) \
    $(MACH_BACKEND_SUPPORT:.o=.d)

# ---- Where each runs ----

# All profiles in which the library takes Mach ports, and the kernel delivers every exception.
MACH_BACKEND_STEADY := ordinary apple-python-13 apple-python-14.0 apple-python-14.4 apple-python-15 apple-python-26 \
    developer-mode-off crash-reporter debugger
MACH_BACKEND_UNSTEADY := interrupted bypassed
MACH_BACKEND_WITHOUT := hardened-only-one-exception-port sandboxed translated
MACH_BACKEND_RUN_OUT := ports-run-out

# By folder; but a program has its own list where that is named for it.
MACH_BACKEND_PROFILES_OF_simulated/the_backend_follows_from_the_host := $(MACH_BACKEND_STEADY) \
    $(MACH_BACKEND_UNSTEADY) $(MACH_BACKEND_WITHOUT) $(MACH_BACKEND_RUN_OUT)
MACH_BACKEND_PROFILES_OF_simulated/each_trap_arrives_once := $(MACH_BACKEND_STEADY) $(MACH_BACKEND_UNSTEADY)
MACH_BACKEND_PROFILES_OF_simulated/running_out_of_ports_is_survived := $(MACH_BACKEND_RUN_OUT)

empty :=
comma := ,
MACH_BACKEND_JOB = $(subst $(empty) $(empty),$(comma),$(strip $(or $(MACH_BACKEND_PROFILES_OF_$(1)), \
    $(MACH_BACKEND_STEADY)))):$(MACH_BACKEND_OUT)/$(1).t

.PHONY: mach-backend-programs
mach-backend-programs: $(MACH_BACKEND_PROGRAMS)

.PHONY: check-mach-backend
check-mach-backend: mach-kernel mach-backend-programs ## the Mach backend and its rights, in the simulated kernel
	$(PYTHON) -m doctest $(MACH_BACKEND)/run_in_profiles.py
	$(PYTHON) $(MACH_BACKEND)/run_in_profiles.py --kernel=$(abspath $(MACH_OUT)/cargo/release/simulated-xnu) \
	    --limit=$(MACH_BACKEND_LIMIT) --out=$(MACH_BACKEND_OUT)/log \
	    $(foreach name,$(MACH_BACKEND_NAMES),$(call MACH_BACKEND_JOB,$(name)))
