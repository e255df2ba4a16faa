# The Mach backend on arm64: the simulated Mach kernel, its tests, the backend's, and the C harness on Mach exception
# ports, in the emulated machine. It is the layout of arm64's thread state and of its exceptions that is tried here; the
# profiles are those that c-tests/mach and c-tests/mach-matrix go through in full on x86-64.
#
#     make check-arm64-mach    takes some 20 minutes; ARM64_MACH_ONLY='controls|^kernel' runs what matches only

ARM64_MACH := $(ARM64_OUT)/mach
ARM64_MACH_PROFILES := ordinary apple-python-26
ARM64_MACH_ONLY ?= .
ARM64_COMMA := ,

# The simulated kernel is a Rust program with the standard library, the Mach library C, the library itself has neither.
ARM64_MACH_RELEASE := aarch64-unknown-linux-gnu/release
ARM64_MACH_KERNEL := $(ARM64_MACH)/cargo/$(ARM64_MACH_RELEASE)/simulated-xnu
ARM64_MACH_LIBRARY := $(ARM64_MACH)/lib/libsimulated_mach.so
ARM64_MACH_WASMTRAP := $(ARM64_MACH)/wasmtrap/$(ARM64_MACH_RELEASE)
ARM64_STD_CARGO = $(patsubst -Zbuild-std=%,-Zbuild-std=std$(ARM64_COMMA)panic_abort,$(AARCH64_CARGO))
ARM64_CARGO_ENVIRONMENT = CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$(ARM64_CC) \
    SIMULATED_MACH_LIBRARY=$(abspath $(ARM64_MACH)/lib)

$(ARM64_MACH_KERNEL): FORCE
	+@$(ARM64_CARGO_ENVIRONMENT) $(ARM64_STD_CARGO) build --release --locked --target aarch64-unknown-linux-gnu \
	    --manifest-path c-tests/mach/kernel/Cargo.toml --target-dir $(ARM64_MACH)/cargo

$(ARM64_MACH_WASMTRAP)/libwasmtrap.so $(ARM64_MACH_WASMTRAP)/libwasmtrap.a &: FORCE arm64-mach-library
	+@$(ARM64_CARGO_ENVIRONMENT) $(call BUILD,$(AARCH64_CARGO),$(ARM64_MACH)/wasmtrap) \
	    --target aarch64-unknown-linux-gnu --manifest-path c-tests/mach/wasmtrap/Cargo.toml

# As the dynamic linker asks for it.
$(ARM64_MACH)/lib/libwasmtrap.so.0: $(ARM64_MACH_WASMTRAP)/libwasmtrap.so
	ln -sf $(abspath $<) $@

# The rules of c-tests/mach and c-tests/mach-backend, with another folder and another compiler. Ten thousand threads
# take minutes where each of their Mach calls stops an emulated processor twice.
ARM64_MACH_MAKE = +@$(MAKE) $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) --no-print-directory SETUP=no \
    AARCH64_CARGO='$(AARCH64_CARGO)' CC='$(ARM64_CC) $(ARM64_LINK_FLAGS)' \
    CFLAGS='$(ARM64_C_FLAGS) -DHANG_SECONDS=1500' MACH_OUT=$(ARM64_MACH)
.PHONY: arm64-mach-library arm64-mach-programs
arm64-mach-library:
	$(ARM64_MACH_MAKE) $(ARM64_MACH_LIBRARY)
arm64-mach-programs: $(ARM64_MACH_WASMTRAP)/libwasmtrap.a
	$(ARM64_MACH_MAKE) MACH_BACKEND_LIB=$< -o $< \
	    $(patsubst $(MACH_OUT)/%,$(ARM64_MACH)/%,$(MACH_TESTS) $(MACH_CONTROLS) $(MACH_BACKEND_PROGRAMS))

# ---- The run ----

# Under the simulated kernel, in the profile $(1).
ARM64_MACH_RUN = $(abspath $(ARM64_MACH_KERNEL)) --profile=$(1) --
ARM64_MACH_HARNESS = EXCEPTION_PORTS=all LD_LIBRARY_PATH=$(abspath $(ARM64_MACH)/lib) $(call ARM64_MACH_RUN,ordinary)
# The programs of the backend run in the profiles in which c-tests/mach-backend has them.
ARM64_MACH_BACKEND = $(foreach name,$(MACH_BACKEND_NAMES),\
    $(if $(filter $(1),$(call MACH_BACKEND_IN,$(name))),echo "backend/$(1)/$(name).t: \
    $(call ARM64_MACH_RUN,$(1)) $(abspath $(ARM64_MACH))/backend/$(name).t";))

# An engine as Wasmtime is, killed (128 + SIGKILL) where it is, and one with another behavior, which lives; as TAP.
ARM64_MACH_CONTROL = echo "controls/$(1).t: sh $(abspath $(ARM64)/ends_with.sh) $(2) \
    $(call ARM64_MACH_RUN,apple-python-15) $(abspath $(ARM64_MACH))/controls/$(1).t";

.PHONY: check-arm64-mach
check-arm64-mach: $(ARM64_MACHINE) arm64-programs $(ARM64_MACH_KERNEL) $(ARM64_MACH)/lib/libwasmtrap.so.0 \
    arm64-mach-programs ## the Mach backend under a simulated Mach kernel, on an arm64 kernel
	@{ $(foreach profile,$(ARM64_MACH_PROFILES),$(call ARM64_LIST,$(ARM64_MACH)/tests,,kernel/$(profile),\
	    $(call ARM64_MACH_RUN,$(profile))); $(call ARM64_MACH_BACKEND,$(profile))) \
	    $(call ARM64_MACH_CONTROL,default_behavior_engine,137) $(call ARM64_MACH_CONTROL,state_behavior_engine,0) \
	    $(call ARM64_LIST,$(ARM64_C_TESTS)/capi/shared,loaded_by_dlopen.t,harness,$(ARM64_MACH_HARNESS)); \
	    } | grep -E '$(ARM64_MACH_ONLY)' > $(ARM64_OUT)/mach.list
	$(ARM64_RUN) --limit 1600 --time 4000 --out $(ARM64_OUT)/run-mach --list $(ARM64_OUT)/mach.list \
	    --files $(ARM64)/ends_with.sh $(ARM64_MACH_KERNEL) $(addprefix $(ARM64_MACH)/,lib tests controls backend) \
	    $(addprefix $(ARM64_C_TESTS)/capi/,shared lib)
	$(ARM64_PROVE) $(ARM64_OUT)/run-mach/results
