# Hosts as they are in the field: programs of other languages and their runtimes, built and run with the library.
#
#     make check-hosts
#
# sanitizers/*.c are programs of the C harness's kind, built with a sanitizer.

HOSTS := c-tests/hosts
HOSTS_OUT := $(C_TESTS_OUT)/hosts
CHECKS += check-hosts

# ---- Sanitizers ----

# A sanitizer's programs, and its flag for the compiler.
HOSTS_SANITIZER_address := -fsanitize=address
HOSTS_SANITIZER_thread := -fsanitize=thread
HOSTS_SANITIZED := $(patsubst $(HOSTS)/%.c,$(HOSTS_OUT)/%.t,$(sort $(wildcard $(HOSTS)/sanitizers/*.c)))

# address_sanitizer_... and thread_sanitizer_...
$(HOSTS_OUT)/sanitizers/%.t: $(HOSTS)/sanitizers/%.c $(CAPI_SUPPORT) $(CAPI_LIB)/$(SHARED_NAME) $(HOSTS)/rules.mk
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CAPI_FLAGS) $(CFLAGS) -O1 $(HOSTS_SANITIZER_$(firstword $(subst _, ,$*))) \
	    $(filter %.c %.o %$(SHARED_NAME),$^) -Wl,-rpath,$(SHARED_RPATH) $(CAPI_LIBS) -o $@

-include $(HOSTS_SANITIZED:.t=.d)

# With locals on the stack, and in the heap.
.PHONY: check-hosts check-hosts-build
check-hosts-build: $(HOSTS_SANITIZED)
check-hosts: check-hosts-build ## the library in hosts of other languages, under collectors and sanitizers
	$(PROVE) --exec '$(strip $(LIMITED) env ASAN_OPTIONS=detect_stack_use_after_return=0)' $(HOSTS_SANITIZED)
	$(PROVE) --exec '$(strip $(LIMITED) env ASAN_OPTIONS=detect_stack_use_after_return=1)' \
	    $(filter %/address_sanitizer_sees_no_error.t,$(HOSTS_SANITIZED))
