# Unwinding at every instruction: `make check-unwind`, on Linux on x86-64; `make check-arm64-system` runs it on arm64.
#
# libunwind has _Unwind_Backtrace too, which must be libgcc's here: that comes first.

UNWIND := c-tests/unwind
UNWIND_OUT := $(C_TESTS_OUT)/unwind
UNWIND_LIBRARIES ?= -Wl,--no-as-needed -lgcc_s -lunwind-ptrace -lunwind-generic

$(UNWIND_OUT)/step.t: $(UNWIND)/step.c $(UNWIND)/ways.c $(UNWIND)/ways.h $(CAPI_SUPPORT) $(CAPI_LIB)/$(SHARED_NAME) \
    $(UNWIND)/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CAPI_FLAGS) $(CFLAGS) -O1 -I$(UNWIND) $(filter %.c %.o %$(SHARED_NAME),$^) \
	    -Wl,-rpath,$(SHARED_RPATH) $(UNWIND_LIBRARIES) $(CAPI_LIBS) -o $@

# There is no libunwind to link with for arm64.
ifeq ($(HOST_TARGET),X86_64_UNKNOWN_LINUX_GNU)
CHECKS += check-unwind
endif

.PHONY: check-unwind check-unwind-build
check-unwind-build: $(UNWIND_OUT)/step.t
check-unwind: check-unwind-build $(CAPI_JUMP) ## unwinders at every instruction of the ways through the library
	$(PROVE) --exec '$(LIMITED)' $(UNWIND_OUT)/step.t
	$(PROVE) --exec '$(LIMITED) env LD_PRELOAD=$(abspath $(CAPI_JUMP))' $(UNWIND_OUT)/step.t
	UNWIND_PROGRAM=$(UNWIND_OUT)/step.t $(PROVE) --exec '$(strip $(LIMITED) gdb -nx -batch -x)' $(UNWIND)/debugger.py
