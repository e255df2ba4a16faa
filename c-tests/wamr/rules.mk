# WAMR on the library (adapters/wamr), as one builds it: by CMake, on an installed tree.
#
#     make check-wamr WAMR_ROOT=<a checkout of github.com/bytecodealliance/wasm-micro-runtime> [WAMRC=<its compiler>]
#
# Not in CHECKS: WAMR's source is in none of the registries that the set-up uses. With both interpreters, and with code
# that WAMRC has compiled if it is given.

WAMR_TESTS := c-tests/wamr
WAMR_OUT := $(C_TESTS_OUT)/wamr
WAMR_TREE := $(WAMR_OUT)/installed
WAMR_MODULES := $(patsubst %,$(WAMR_OUT)/modules/%.wasm,memory caller traps)
WAMR_ROOT ?=
WAMRC ?=

# Without exceptions. And LLVM leaves out a load whose value nobody uses, and makes a loop of a recursion that adds.
$(WAMR_OUT)/modules/%.wasm: c-tests/wasm/modules/%.wat
	@mkdir -p $(@D)
	sed -e '/tag\|throw/d' -e 's/(drop (\(...\)\.load/(\1.store (i32.const 0) (\1.load/' \
	    -e 's/i32\.add \((i32.const 1) (call \$$recurse\)/i32.sub \1/' $< > $(@:.wasm=.wat)
	$(WAT2WASM) $(@:.wasm=.wat) -o $@

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
	cmake -S $(WAMR_TESTS)/iwasm -B $(WAMR_OUT)/iwasm -DCMAKE_PREFIX_PATH='$(abspath $(WAMR_TREE))' \
	    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER='$(firstword $(CC))' -DWAMR_BUILD_LIBC_WASI=0 \
	    -DWAMR_BUILD_SIMD=0 -DWAMR_ROOT_DIR='$(abspath $(WAMR_ROOT))'
	cmake --build $(WAMR_OUT)/iwasm --parallel 2

# iwasm prints what it traps with, and is the library's client.
WAMR_COMMAND = $(LIMITED) $(WAMR_OUT)/iwasm/iwasm/iwasm --function load $(1) 2000000000 2>&1 | \
    grep -x 'Exception: out of bounds memory access'

check-wamr: check-wamr-build ## WAMR (WAMR_ROOT) on the library: both interpreters, and AOT if there is WAMRC
	for fast in 0 1; do WAMR_MODULES=$(WAMR_OUT)/modules WAMR_SUFFIX=wasm \
	    $(PROVE) --exec '$(strip $(LIMITED))' --ext .t $(WAMR_OUT)/fast$$fast || exit 1; done
	$(if $(WAMRC),WAMR_MODULES=$(WAMR_OUT)/modules WAMR_SUFFIX=aot $(PROVE) --exec '$(strip $(LIMITED))' --ext .t \
	    $(WAMR_OUT)/fast1)
	readelf --dynamic $(WAMR_OUT)/iwasm/iwasm/iwasm | grep 'NEEDED.*libwasmtrap'
	$(call WAMR_COMMAND,$(WAMR_OUT)/modules/memory.wasm)
	$(if $(WAMRC),$(call WAMR_COMMAND,$(WAMR_OUT)/modules/memory.aot))
