# `make check-quick`: one check of each kind, for the time between two thoughts: under three minutes on two idle
# processors with what cargo has fetched. What it leaves out: other interpreters, profiles, files of the specification's
# suite; endurance; the emulated arm64 machine; what is built for macOS; Wasmtime itself; the benchmark.

CHECKS_QUICK := quick-lint check-header check-rust check-exports check-handler-safety check-install quick-c check-wasm \
    quick-spec quick-python quick-mach quick-fuzz check-aarch64
NEEDS_check-quick := lint c install wasm python fuzz aarch64

.PHONY: check-quick
check-quick: all ## one check of each kind, in less than three minutes
	+@$(call RUN_CHECKS,$(CHECKS_QUICK))

.PHONY: quick-lint quick-c quick-spec quick-python quick-mach quick-fuzz
quick-lint: lint-text
	$(LINT_CARGO) fmt --check

# A folder for each thing that can happen to a fault: it is a trap, it is not, somebody else gets it.
QUICK_C = $(filter $(addprefix $(CAPI_OUT)/shared/,traps/% not_traps/% forwarding/%),$(CAPI_SHARED))
quick-c:
	+@$(MAKE) --no-print-directory -j2 SETUP=no $(QUICK_C)
	$(PROVE) $(PROVE_FLAGS) --exec '$(strip $(LIMITED))' $(QUICK_C)

quick-spec:
	+@$(MAKE) --no-print-directory SETUP=no check-spec SPEC_ONLY=traps,linking,memory_trap

quick-python:
	+@$(MAKE) --no-print-directory SETUP=no check-python PYTHON_TESTS='traps faulthandler' \
	    PYTHON_VERSIONS="$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

# Every trap once, where a port gets each exception, where none may be set, and where exceptions get lost.
QUICK_MACH := simulated/each_trap_arrives_once
QUICK_MACH_PROFILES := ordinary,apple-python-15,interrupted
quick-mach:
	+@$(MAKE) --no-print-directory SETUP=no mach-kernel $(MACH_BACKEND_OUT)/$(QUICK_MACH).t
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(MACH_BACKEND_KERNEL) $(PYTHON) $(MACH_BACKEND)/run_in_profiles.py \
	    --kernel=$(abspath $(MACH_OUT)/cargo/release/simulated-xnu) --limit=$(MACH_BACKEND_LIMIT) \
	    --out=$(MACH_BACKEND_OUT)/log $(QUICK_MACH_PROFILES):$(MACH_BACKEND_OUT)/$(QUICK_MACH).t

quick-fuzz:
	+@$(MAKE) --no-print-directory SETUP=no check-fuzz CHECK_FUZZ_RUNS=10000
