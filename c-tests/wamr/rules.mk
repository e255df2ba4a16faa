# WAMR on the library (adapters/wamr), as one builds it: by CMake, on an installed tree.
#
#     make check-wamr WAMR_ROOT=<a checkout of github.com/bytecodealliance/wasm-micro-runtime> [WAMRC=<its compiler>]
#
# Not in CHECKS: WAMR's source is in none of the registries that the set-up uses. With both interpreters, and with code
# that WAMRC has compiled if it is given.

WAMR_TESTS := c-tests/wamr
WAMR_OUT := $(C_TESTS_OUT)/wamr
WAMR_TREE := $(WAMR_OUT)/installed
WAMR_MODULES := $(patsubst %,$(WAMR_OUT)/modules/%.wasm,memory caller)
WAMR_ROOT ?=
WAMRC ?=

$(WAMR_OUT)/modules/%.wasm: c-tests/wasm/modules/%.wat
	@mkdir -p $(@D)
	$(WAT2WASM) $< -o $@

$(WAMR_OUT)/modules/%.aot: $(WAMR_OUT)/modules/%.wasm
	$(WAMRC) -o $@ $<

.PHONY: check-wamr check-wamr-build
check-wamr-build: $(WAMR_MODULES) $(if $(WAMRC),$(WAMR_MODULES:.wasm=.aot))
	@[ -d '$(WAMR_ROOT)/build-scripts' ] || { echo "WAMR_ROOT='$(WAMR_ROOT)' has no build-scripts" >&2; exit 1; }
	$(MAKE) --no-print-directory SETUP=no install DESTDIR= PREFIX='$(abspath $(WAMR_TREE))' >/dev/null
	for fast in 0 1; do \
	    cmake -S $(WAMR_TESTS) -B $(WAMR_OUT)/fast$$fast -DCMAKE_PREFIX_PATH='$(abspath $(WAMR_TREE))' \
	        -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER='$(firstword $(CC))' -DWAMR_BUILD_FAST_INTERP=$$fast \
	        -DWAMR_ROOT_DIR='$(abspath $(WAMR_ROOT))' -DSUPPORT='$(abspath $(CAPI)/support)' && \
	    cmake --build $(WAMR_OUT)/fast$$fast --parallel 2 || exit 1; done

check-wamr: check-wamr-build ## WAMR (WAMR_ROOT) on the library: both interpreters, and AOT if there is WAMRC
	for fast in 0 1; do WAMR_MODULES=$(WAMR_OUT)/modules WAMR_SUFFIX=wasm \
	    $(PROVE) --exec '$(strip $(LIMITED))' --ext .t $(WAMR_OUT)/fast$$fast || exit 1; done
	$(if $(WAMRC),WAMR_MODULES=$(WAMR_OUT)/modules WAMR_SUFFIX=aot $(PROVE) --exec '$(strip $(LIMITED))' --ext .t \
	    $(WAMR_OUT)/fast1)
