# Hosts as they are in the field: programs of other languages and their runtimes, built and run with the library.
#
#     make check-hosts
#
# sanitizers/*.c are programs of the C harness's kind, built with a sanitizer. collectors/ has a program for each
# language whose collector stops threads by signals; `make check-collectors COLLECTOR_RUNS=20` runs them more often.

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

# ---- Collectors ----

HOSTS_COLLECTORS := $(HOSTS_OUT)/collectors
COLLECTOR_RUNS ?= 2

$(HOSTS_COLLECTORS)/libtrapping.so: $(HOSTS)/collectors/trapping.c $(HOSTS)/collectors/trapping.h \
    $(CAPI_LIB)/$(SHARED_NAME)
	@mkdir -p $(@D)
	$(CC) -std=c99 $(CAPI_FLAGS) $(CFLAGS) -fPIC -shared $< $(addprefix $(CAPI)/support/,memory.c tap.c wasm_code.c \
	    wasm_code_x86_64.S wasm_code_aarch64.S) $(CAPI_LIB)/$(SHARED_NAME) -Wl,-rpath,$(SHARED_RPATH) -o $@

$(HOSTS_COLLECTORS)/boehm: $(HOSTS)/collectors/boehm.c $(HOSTS_COLLECTORS)/libtrapping.so
	$(CC) -std=c99 $(CAPI_FLAGS) $(CFLAGS) $^ -Wl,-rpath,$(abspath $(@D)) -lgc -o $@

$(HOSTS_COLLECTORS)/threads_d: $(HOSTS)/collectors/threads.d $(HOSTS_COLLECTORS)/libtrapping.so
	ldc2 -O1 -of=$@ $^ -L-rpath=$(abspath $(@D))

$(HOSTS_COLLECTORS)/threads.exe: $(HOSTS)/collectors/Threads.cs
	@mkdir -p $(@D)
	mcs -out:$@ $<

.PHONY: check-collectors check-collectors-build
check-collectors-build: $(addprefix $(HOSTS_COLLECTORS)/,libtrapping.so boehm threads_d threads.exe)
check-collectors: check-collectors-build ## hosts whose collectors stop threads by signals
	$(PYTHON) $(HOSTS)/collectors/run.py --library $(HOSTS_COLLECTORS)/libtrapping.so --programs $(HOSTS_COLLECTORS) \
	    --runs $(COLLECTOR_RUNS)

# ---- All of it ----

# With locals on the stack, and in the heap.
.PHONY: check-hosts check-hosts-build
check-hosts-build: $(HOSTS_SANITIZED) check-collectors-build
check-hosts: check-hosts-build ## the library in hosts of other languages, under collectors and sanitizers
	$(PROVE) --exec '$(strip $(LIMITED) env ASAN_OPTIONS=detect_stack_use_after_return=0)' $(HOSTS_SANITIZED)
	$(PROVE) --exec '$(strip $(LIMITED) env ASAN_OPTIONS=detect_stack_use_after_return=1)' \
	    $(filter %/address_sanitizer_sees_no_error.t,$(HOSTS_SANITIZED))
	+$(MAKE) --no-print-directory SETUP=no check-collectors
