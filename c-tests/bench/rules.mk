# What traps and protected calls cost: the library beside the least that the kernel allows and beside others that do the
# same, all in one run. Uses the library's soname, the wasm2c tools and the Python extension of the other rules.mk.
#
#     make bench                    BENCH_ROUNDS=31 for a quick look
#
# A contestant is a program that speaks the protocol of workers/worker.h. Those of other folders are added there, by
# BENCH_ALSO += PROGRAM and bench: PROGRAM.

BENCH := c-tests/bench
BENCH_OUT := target/bench
BENCH_ROUNDS ?= 251
STRIP ?= $(TOOLS)strip

BENCH_LIBRARY := target/wasm/lib/libwasmtrap.so.0
BENCH_LIBS := $(BENCH_LIBRARY) -Wl,-rpath,$(abspath $(dir $(BENCH_LIBRARY)))
BENCH_FLAGS := $(C_WARNINGS) -D_GNU_SOURCE -pthread -Iinclude

$(BENCH_OUT)/obj/%.o: $(BENCH)/workers/%.c $(wildcard $(BENCH)/workers/*.h) include/wasmtrap.h $(BENCH)/rules.mk
	@mkdir -p $(@D)
	$(CC) $(BENCH_FLAGS) $(CFLAGS) $(BENCH_INCLUDES) -c $< -o $@

# ---- With the library ----

BENCH_OURS := $(addprefix $(BENCH_OUT)/,traps tables threads attach)
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

# ---- The run ----

BENCH_ALSO ?=
BENCH_PYTHON_MODULE := target/python/modules/host_calls.so

.PHONY: bench
bench: $(BENCH_OURS) $(BENCH_PEERS) $(BENCH_OUT)/mach_calls $(BENCH_SIMULATED_XNU) target/python/wasmtrap.abi3.so \
    $(BENCH_PYTHON_MODULE) ## what traps and protected calls cost, beside floors and peers
	@PYTHONPATH=target/python PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(BENCH)/bench.py --workers $(BENCH_OUT) \
	    --python-module $(BENCH_PYTHON_MODULE) $(foreach program,$(BENCH_ALSO),--also $(program)) \
	    --mach '$(BENCH_SIMULATED_XNU) --profile=ordinary -- $(BENCH_OUT)/mach_calls' \
	    --library $(LIB_SHARED) --strip $(STRIP) --rounds $(BENCH_ROUNDS) --out $(BENCH_OUT)
