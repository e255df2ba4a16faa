# What an x86-64 processor can do and the machine at hand may not, under Debian's kernel in an emulated machine
# (qemu-system-x86_64, -cpu max): protection keys.
#
#     make check-x86-64-system
#
# The programs are those of c-tests/capi about protection keys, which skip where there are none. Here that would be a
# failure. The machine is that of c-tests/arm64-system, for another architecture.

X86 := c-tests/x86-64-system
X86_OUT := target/x86-64-system
X86_SYSTEM := $(X86_OUT)/system
$(X86_SYSTEM)/version: $(ARM64)/fetch-system.sh
	$< $(X86_SYSTEM) amd64

X86_INIT := $(X86_OUT)/init
$(X86_INIT): $(ARM64)/init.c $(X86)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(C_WARNINGS) -Wshadow -D_GNU_SOURCE -O2 -static $< -o $@

X86_TESTS := $(patsubst $(CAPI)/leaving/%.c,$(X86_OUT)/tests/%.t,$(wildcard $(CAPI)/leaving/protection_keys_*.c))
X86_C_FLAGS := $(C_WARNINGS) -Wshadow -D_GNU_SOURCE -DEMULATED=0 -DHAS_PROTECTION_KEYS -O1 -g -fno-omit-frame-pointer \
    -pthread -Iinclude -I$(CAPI)/support
# Statically: the machine has no other files than these.
X86_LINK_FLAGS := -static -Wl,--strip-debug
$(X86_OUT)/tests/%.t: $(CAPI)/leaving/%.c $(CAPI_SUPPORT) $(LIB_STATIC) $(X86)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(X86_C_FLAGS) $< $(CAPI_SUPPORT) $(LIB_STATIC) $(X86_LINK_FLAGS) -o $@

# Each again where traps leave their handlers by a jump, as far as the rights let them.
X86_BY_JUMP := $(X86_TESTS:%.t=%.by_jump.t)
$(X86_OUT)/tests/%.by_jump.t: $(CAPI)/leaving/%.c $(CAPI)/standalone/leave_by_jump.c $(CAPI_SUPPORT) $(LIB_STATIC) \
    $(X86)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(X86_C_FLAGS) -DSTATICALLY $(filter %.c,$^) $(CAPI_SUPPORT) $(LIB_STATIC) $(X86_LINK_FLAGS) \
	    -Wl,--wrap=wasmtrap_init,--wrap=wasmtrap_client_open -o $@

.PHONY: check-x86-64-system
check-x86-64-system: $(X86_SYSTEM)/version $(X86_INIT) $(X86_TESTS) $(X86_BY_JUMP)
check-x86-64-system: ## protection keys, under an emulated x86-64 kernel
	@(cd $(X86_OUT)/tests && for test in $(notdir $(X86_TESTS) $(X86_BY_JUMP)); do \
	    echo "$$test: $$PWD/$$test"; done) > $(X86_OUT)/run.list
	$(PYTHON) $(ARM64)/run.py --machine x86-64 --system $(X86_SYSTEM) --init $(X86_INIT) --memory 512 \
	    --out $(X86_OUT)/run --list $(X86_OUT)/run.list --files $(X86_OUT)/tests
	$(PROVE) --exec '$(PYTHON) $(ARM64)/replay.py' -r --ext .t $(X86_OUT)/run/results
