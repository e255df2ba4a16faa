# The library with its Mach backend, and the whole harness on it in the simulated kernel: environment x backend x tests.
#
#     make mach-library    target/mach/wasmtrap/release/libwasmtrap.{so,a}
#     make check-mach      the matrix; MATRIX_ENVIRONMENTS='ordinary bypassed' runs these environments only, and
#                          MATRIX_GROUPS='c-shared python' these groups of tests, MATRIX_BRIEF=1 no endurance
#
# Built once, for all environments: the library, and every program of c-tests/capi, c-tests/wasm and c-tests/python.

MACH_OUT ?= target/mach
MATRIX := c-tests/mach-matrix
MATRIX_ENVIRONMENTS ?=
MATRIX_GROUPS ?=
MATRIX_BRIEF ?=
MATRIX_RELEASE := $(MACH_OUT)/wasmtrap/release
MATRIX_SHARED := $(MATRIX_RELEASE)/libwasmtrap.so
MATRIX_STATIC := $(MATRIX_RELEASE)/libwasmtrap.a
# By its name, not by its variable: c-tests/mach/rules.mk may come later.
MATRIX_MACH_LIBRARY := $(abspath $(MACH_OUT)/lib/libsimulated_mach.so)

.PHONY: mach-library
mach-library: $(MATRIX_SHARED) ## build the library with its Mach backend, for the simulated Mach kernel

$(MATRIX_SHARED) $(MATRIX_STATIC) &: FORCE | $(MACH_OUT)/lib/libsimulated_mach.so
	@SIMULATED_MACH_LIBRARY=$(abspath $(MACH_OUT)/lib) $(call BUILD,$(CARGO),$(MACH_OUT)/wasmtrap) \
	    --manifest-path c-tests/mach/wasmtrap/Cargo.toml

# What a sub-make needs to build the harness for this library, beside the ordinary one.
MATRIX_MAKE = +@$(MAKE) --no-print-directory SETUP=no EMULATED=0 LIB_SHARED=$(abspath $(MATRIX_SHARED)) \
    LIB_STATIC=$(abspath $(MATRIX_STATIC)) STATIC_LIBS='$(STATIC_LIBS) $(MATRIX_MACH_LIBRARY)' \
    C_TESTS_OUT=$(MACH_OUT)/c-tests WASM_OUT=$(MACH_OUT)/wasm PYTHON_WASM=$(MACH_OUT)/wasm PYTHON_OUT=$(MACH_OUT)/python

# The C harness has pages that fault as a Mac has them (c-tests/capi/support/memory.h), and runs with --like-a-mac.
MATRIX_LIKE_A_MAC := -DINACCESSIBLE_PAGES_ARE_HOLES -DPROTECTED_PAGE_SIGNAL=SIGBUS

# Says what the library makes of an environment.
MATRIX_DESCRIBE := $(MACH_OUT)/matrix/describe
$(MATRIX_DESCRIBE): $(MATRIX)/describe.c include/wasmtrap.h $(MATRIX_STATIC)
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) $(CFLAGS) -Iinclude $(filter %.c %.a,$^) $(STATIC_LIBS) $(MATRIX_MACH_LIBRARY) -o $@

MATRIX_C = $(MATRIX_MAKE) CFLAGS='$(CFLAGS) $(MATRIX_LIKE_A_MAC)' CXXFLAGS='$(CXXFLAGS) $(MATRIX_LIKE_A_MAC)'

# The C harness alone, with the shared library.
.PHONY: mach-c-programs
mach-c-programs: mach-kernel mach-library
	$(MATRIX_C) c-programs-shared

.PHONY: mach-harness
mach-harness: mach-kernel mach-library $(MATRIX_DESCRIBE)
	$(MATRIX_C) check-c-build
	$(MATRIX_MAKE) check-wasm-build check-spec-build check-python-build

# Uses how c-tests/mach reads TAP, and how c-tests/python finds interpreters and runs a test.
MATRIX_PYTHON = PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(MATRIX):c-tests/mach:c-tests/python $(PYTHON)

.PHONY: check-mach
check-mach: mach-harness ## the whole harness with Mach exception ports, in the simulated kernel: the matrix
	$(MATRIX_PYTHON) -m doctest $(MATRIX)/*.py
	$(MATRIX_PYTHON) $(MATRIX)/run_in_environments.py --kernel $(abspath $(MACH_OUT)/cargo/release/simulated-xnu) \
	    --describe $(MATRIX_DESCRIBE) --out $(MACH_OUT) \
	    --environments '$(MATRIX_ENVIRONMENTS)' --groups '$(MATRIX_GROUPS)' \
	    $(if $(MATRIX_BRIEF),--brief)
