# What traps and protected calls cost: the library beside the least that the kernel allows and beside others that do the
# same, all in one run. Uses the library's soname, the wasm2c tools and the Python extension of the other rules.mk.
#
#     make bench                    BENCH_QUICK=yes for less than a minute once all is built; BENCH_ROUNDS=N for others
#     make check-bench              every contestant once, and the benchmark's own tests; asks for no time
#
# A contestant is a program that speaks the protocol of workers/worker.h. Wasmtime takes some minutes to build the first
# time, and a newer Rust than the library; BENCH_WASMTIME=no leaves it out.

BENCH := c-tests/bench
BENCH_OUT := target/bench
BENCH_QUICK ?= no
BENCH_ROUNDS ?= $(if $(filter yes,$(BENCH_QUICK)),31,251)
BENCH_WASMTIME ?= yes
STRIP ?= $(TOOLS)strip

BENCH_LIBRARY := target/wasm/lib/libwasmtrap.so.0
BENCH_LIBS := $(BENCH_LIBRARY) -Wl,-rpath,$(abspath $(dir $(BENCH_LIBRARY)))
BENCH_FLAGS := $(C_WARNINGS) -D_GNU_SOURCE -pthread -Iinclude

$(BENCH_OUT)/obj/%.o: $(BENCH)/workers/%.c $(wildcard $(BENCH)/workers/*.h) include/wasmtrap.h $(BENCH)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) $(CFLAGS) $(BENCH_INCLUDES) -c $< -o $@

# ---- With the library ----

BENCH_OURS := $(addprefix $(BENCH_OUT)/,traps tables threads attach start_up interrupts)
$(BENCH_OURS): $(BENCH_OUT)/%: $(addprefix $(BENCH_OUT)/obj/,%.o library.o floors.o faults.o worker.o) $(BENCH_LIBRARY)
	$(CC) -pthread $(filter %.o,$^) $(BENCH_LIBS) -o $@

# ---- Peers ----

BENCH_PEERS := $(addprefix $(BENCH_OUT)/,sigsetjmp libsigsegv wasm2c)
$(BENCH_OUT)/libsigsegv: BENCH_PEER_LIBS := -lsigsegv
$(BENCH_OUT)/wasm2c: BENCH_PEER_LIBS := -lwasm-rt-impl -lm
$(BENCH_PEERS): $(BENCH_OUT)/%: $(addprefix $(BENCH_OUT)/obj/,%.o peer.o faults.o worker.o)
	$(CC) -pthread $(filter %.o,$^) $(BENCH_PEER_LIBS) -o $@

# wasm2c's output on wasm2c's own runtime, both as Debian's wabt brings them.
BENCH_WASM2C := $(BENCH_OUT)/wasm2c-module
BENCH_WASM2C_INCLUDES := -I$(BENCH_WASM2C) -I/usr/share/wabt/wasm2c
$(BENCH_OUT)/obj/wasm2c.o: BENCH_INCLUDES := $(BENCH_WASM2C_INCLUDES)
$(BENCH_OUT)/obj/wasm2c.o: $(BENCH_WASM2C)/bench.h
$(BENCH_OUT)/wasm2c: $(BENCH_OUT)/obj/bench.o

$(BENCH_WASM2C)/bench.h $(BENCH_WASM2C)/bench.c &: $(BENCH)/modules/bench.wat
	@mkdir -p $(@D)
	$(WAT2WASM) $< -o $(BENCH_WASM2C)/bench.wasm
	$(WASM2C) $(BENCH_WASM2C)/bench.wasm -o $(BENCH_WASM2C)/bench.c

$(BENCH_OUT)/obj/bench.o: $(BENCH_WASM2C)/bench.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -w $(WASM_TRAP_FLAGS) $(BENCH_WASM2C_INCLUDES) -c $< -o $@

# The same on the library, by the runtime of adapters/wasm2c.
target/wasm/modules/bench.wasm: $(BENCH)/modules/bench.wat
	@mkdir -p $(@D)
	$(WAT2WASM) --debug-names $< -o $@

$(BENCH_OUT)/obj/wasm2c_on_wasmtrap.o: $(BENCH)/workers/wasm2c_on_wasmtrap.c target/wasm/modules/bench.module.o
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) $(WASM_INCLUDES) -I$(BENCH)/workers -c $< -o $@

$(BENCH_OUT)/wasm2c_on_wasmtrap: $(addprefix $(BENCH_OUT)/obj/,wasm2c_on_wasmtrap.o peer.o faults.o worker.o) \
    target/wasm/modules/bench.module.o target/wasm/obj/wasm_rt_wasmtrap.o $(BENCH_LIBRARY)
	$(CC) -pthread $(filter %.o,$^) $(BENCH_LIBS) -lm -ldl -o $@

# ---- In the simulated Mach kernel of c-tests/mach ----

BENCH_MACH_INCLUDES := -Ic-tests/mach/library/include
BENCH_MACH_LIBRARY := $(BENCH_OUT)/mach/libwasmtrap.so.0
BENCH_SIMULATED_MACH := target/mach/lib/libsimulated_mach.so
BENCH_SIMULATED_XNU := target/mach/cargo/release/simulated-xnu

$(BENCH_MACH_LIBRARY): $(BENCH_SIMULATED_MACH) FORCE
	@SIMULATED_MACH_LIBRARY=$(abspath $(dir $<)) $(call BUILD,$(CARGO),target/mach/wasmtrap) \
	    --manifest-path c-tests/mach/wasmtrap/Cargo.toml
	@mkdir -p $(@D)
	@cmp -s target/mach/wasmtrap/release/libwasmtrap.so $@ || cp target/mach/wasmtrap/release/libwasmtrap.so $@

$(BENCH_OUT)/obj/mach_calls.o: BENCH_INCLUDES := $(BENCH_MACH_INCLUDES)
$(BENCH_OUT)/mach_calls: $(addprefix $(BENCH_OUT)/obj/,mach_calls.o library.o faults.o worker.o) $(BENCH_MACH_LIBRARY) \
    $(BENCH_SIMULATED_MACH)
	$(CC) -pthread $^ -Wl,-rpath,$(abspath $(dir $(BENCH_MACH_LIBRARY))) -o $@

# ---- Wasmtime, from the crate: on its own handlers and on the platform of adapters/wasmtime ----

BENCH_WASMTIME_PLATFORM := target/wasmtime/lib/libwasmtrap_wasmtime.so.0
BENCH_WASM_COMPILE := target/wasmtime/release/wasm-compile
BENCH_WASMTIME_BUILD = $(or $(WASMTIME_CARGO),$(CARGO)) rustc --release --locked --target-dir $(BENCH_OUT)/cargo
BENCH_WASMTIME_PROGRAMS := $(addprefix $(BENCH_OUT)/cargo/release/bench-wasmtime,-own-handlers -adopted -on-wasmtrap)
BENCH_WASMTIME_MODULE := $(BENCH_OUT)/bench.module

$(BENCH_OUT)/cargo/release/bench-wasmtime-own-handlers: FORCE
	@$(BENCH_WASMTIME_BUILD) --manifest-path $(BENCH)/wasmtime/own-handlers/Cargo.toml --bin $(@F)

BENCH_LINKED := target/adopted/lib
$(BENCH_OUT)/cargo/release/bench-wasmtime-adopted: $(BENCH_LINKED)/libwasmtrap.so.0 FORCE
	@$(BENCH_WASMTIME_BUILD) --manifest-path $(BENCH)/wasmtime/own-handlers/Cargo.toml --bin $(@F) -- \
	    -L native=$(abspath $(BENCH_LINKED)) -C link-arg=-Wl,-rpath,$(abspath $(BENCH_LINKED))

$(BENCH_OUT)/cargo/release/bench-wasmtime-on-wasmtrap: $(BENCH_WASMTIME_PLATFORM) FORCE
	@$(BENCH_WASMTIME_BUILD) --manifest-path $(BENCH)/wasmtime/on-wasmtrap/Cargo.toml -- \
	    -L native=$(abspath $(dir $<)) -C link-arg=-Wl,-rpath,$(abspath $(dir $<))

# For the processor's family, not for this one: a host without Rust's standard library cannot ask what else it has.
$(BENCH_WASMTIME_MODULE): $(BENCH)/modules/bench.wat $(BENCH_WASM_COMPILE)
	@mkdir -p $(@D)
	$(BENCH_WASM_COMPILE) --target $(shell uname -m)-unknown-linux-gnu $< $@

ifneq ($(BENCH_WASMTIME),no)
BENCH_ALSO := $(BENCH_WASMTIME_PROGRAMS) $(BENCH_WASMTIME_MODULE)
BENCH_ALSO_RUN := $(foreach program,$(BENCH_WASMTIME_PROGRAMS),--also '$(program) $(BENCH_WASMTIME_MODULE)')
endif

# ---- The run ----

BENCH_PYTHON_MODULE := target/python/modules/host_calls.so

BENCH_BUILT := $(BENCH_OURS) $(BENCH_PEERS) $(BENCH_OUT)/wasm2c_on_wasmtrap $(BENCH_OUT)/mach_calls \
    $(BENCH_SIMULATED_XNU) \
    target/python/wasmtrap.abi3.so $(BENCH_PYTHON_MODULE)
BENCH_PYTHON := PYTHONPATH=target/python PYTHONDONTWRITEBYTECODE=1 $(PYTHON)
BENCH_RUN = $(BENCH_PYTHON) $(BENCH)/bench.py --workers $(BENCH_OUT) --python-module $(BENCH_PYTHON_MODULE) \
    --mach '$(BENCH_SIMULATED_XNU) --profile=ordinary -- $(BENCH_OUT)/mach_calls' \
    --library $(LIB_SHARED) --strip $(STRIP)

.PHONY: bench
bench: $(BENCH_BUILT) $(BENCH_ALSO) ## what traps and protected calls cost, beside floors and peers
	@$(BENCH_RUN) $(BENCH_ALSO_RUN) --rounds $(BENCH_ROUNDS) --out $(BENCH_OUT)

# Without Wasmtime, whose build is long.
.PHONY: check-bench
check-bench: $(BENCH_BUILT) ## the benchmark's own tests, after one round of each contestant but Wasmtime
	$(BENCH_RUN) --rounds 1 --out $(BENCH_OUT)/short
	$(BENCH_PYTHON) $(BENCH)/self_test.py $(BENCH_OUT)/short --without wasmtime --without wasmtime_backtraces \
	    --without wasmtime_adopted --without wasmtime_adopted_backtraces \
	    --without wasmtime_on_wasmtrap --without wasmtime_on_wasmtrap_backtraces
