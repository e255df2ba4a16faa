# What traps and protected calls cost: the library beside the least that the kernel allows and beside others that do the
# same, all in one run. Uses the library's soname, the wasm2c tools and the Python extension of the other rules.mk.
#
#     make bench                    BENCH_QUICK=yes for less than a minute once all is built; BENCH_ROUNDS=N for others
#     make check-bench              every contestant once, and the benchmark's own tests; asks for no time
#
# A contestant is a program that speaks the protocol of workers/worker.h. Engines take part twice, on their own handlers
# and on the library:
#
#     wasm2c      of the wabt on the path, or WABT=FOLDER of its programs; what that makes is in target/bench/of
#     Wasmtime    takes some minutes to build the first time, and a newer Rust than the library: BENCH_WASMTIME=no
#     Wasmer      likewise, and a newer Rust still, so that it is to be asked for: BENCH_WASMER=yes
#     WAMR        where its source is: WAMR_ROOT=FOLDER, as for check-wamr

BENCH := c-tests/bench
BENCH_OUT := target/bench$(OF_WABT)
BENCH_CARGO_OUT := target/bench/cargo
BENCH_QUICK ?= no
BENCH_ROUNDS ?= $(if $(filter yes,$(BENCH_QUICK)),31,251)
BENCH_WASMTIME ?= yes
BENCH_WASMER ?= no
STRIP ?= $(TOOLS)strip

# Those of c-tests/wasm and c-tests/python, whose rules come later.
BENCH_WASM_OUT := target/wasm$(OF_WABT)
BENCH_PYTHON_OUT := target/python$(OF_WABT)

BENCH_LIBRARY := $(BENCH_WASM_OUT)/lib/libwasmtrap.so.0
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
$(BENCH_OUT)/wasm2c: BENCH_PEER_LIBS := -lm
$(BENCH_PEERS): $(BENCH_OUT)/%: $(addprefix $(BENCH_OUT)/obj/,%.o peer.o faults.o worker.o)
	$(CC) -pthread $(filter %.o,$^) $(BENCH_PEER_LIBS) -o $@

# wasm2c's output on wabt's own runtime, compiled of the sources that this wabt ships, in one file or in three.
BENCH_WASM2C := $(BENCH_OUT)/wasm2c-module
BENCH_WASM2C_FLAGS = -std=gnu11 -w $(CFLAGS) -I$(BENCH_WASM2C) $(WABT_FLAGS)
$(BENCH_OUT)/obj/wasm2c.o: BENCH_INCLUDES = -std=gnu11 -I$(BENCH_WASM2C) $(WABT_FLAGS)
$(BENCH_OUT)/obj/wasm2c.o: $(BENCH_WASM2C)/bench.h
$(BENCH_OUT)/wasm2c: $(addprefix $(BENCH_OUT)/obj/,bench.o wabts_runtime.o)

$(BENCH_WASM2C)/bench.h $(BENCH_WASM2C)/bench.c &: $(BENCH)/modules/bench.wat
	@mkdir -p $(@D)
	$(WAT2WASM) $< -o $(BENCH_WASM2C)/bench.wasm
	$(WASM2C) $(BENCH_WASM2C)/bench.wasm -o $(BENCH_WASM2C)/bench.c

$(BENCH_OUT)/obj/bench.o: $(BENCH_WASM2C)/bench.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_WASM2C_FLAGS) $(WASM_TRAP_FLAGS) -c $< -o $@

$(BENCH_OUT)/obj/wabts_runtime.o: $(BENCH)/workers/wabts_runtime.c
	@mkdir -p $(@D)
	$(CC) $(BENCH_WASM2C_FLAGS) -D_GNU_SOURCE -c $< -o $@

# The same on the library, by the runtime of adapters/wasm2c.
$(BENCH_WASM_OUT)/modules/bench.wasm: $(BENCH)/modules/bench.wat
	@mkdir -p $(@D)
	$(WAT2WASM) --debug-names $< -o $@

$(BENCH_OUT)/obj/wasm2c_on_wasmtrap.o: $(BENCH)/workers/wasm2c_on_wasmtrap.c $(BENCH_WASM_OUT)/modules/bench.module.o
	@mkdir -p $(@D)
	$(CC) $(WASM_OWN_FLAGS) $(CFLAGS) $(WASM_INCLUDES) -I$(BENCH)/workers -c $< -o $@

$(BENCH_OUT)/wasm2c_on_wasmtrap: $(addprefix $(BENCH_OUT)/obj/,wasm2c_on_wasmtrap.o library.o peer.o worker.o) \
    $(BENCH_WASM_OUT)/modules/bench.module.o $(BENCH_WASM_OUT)/obj/wasm_rt_wasmtrap.o $(BENCH_LIBRARY)
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

# ---- Wasmtime, from the crate: on its own handlers, adopted, and without std on the platform of adapters/wasmtime ----

BENCH_WASMTIME_PLATFORM := target/wasmtime/lib/libwasmtrap_wasmtime.so.0
BENCH_WASM_COMPILE := target/wasmtime/release/wasm-compile
BENCH_WASMTIME_CARGO = $(or $(WASMTIME_CARGO),$(CARGO))
# What a program is linked with, and looks for at run time.
BENCH_LINKED := target/adopted/lib
BENCH_RUSTC = rustc --release --locked --target-dir $(BENCH_CARGO_OUT)
BENCH_LINK_WITH = -- -L native=$(abspath $(1)) -C link-arg=-Wl,-rpath,$(abspath $(1))

BENCH_WASMTIME_PROGRAMS := $(addprefix $(BENCH_CARGO_OUT)/release/bench-wasmtime,-own-handlers -adopted -no-std)
BENCH_WASMTIME_MODULE := $(BENCH_OUT)/bench.module

$(BENCH_CARGO_OUT)/release/bench-wasmtime-own-handlers: FORCE
	@$(BENCH_WASMTIME_CARGO) $(BENCH_RUSTC) --manifest-path $(BENCH)/wasmtime/own-handlers/Cargo.toml --bin $(@F)

$(BENCH_CARGO_OUT)/release/bench-wasmtime-adopted: $(BENCH_LINKED)/libwasmtrap.so.0 FORCE
	@$(BENCH_WASMTIME_CARGO) $(BENCH_RUSTC) --manifest-path $(BENCH)/wasmtime/own-handlers/Cargo.toml --bin $(@F) \
	    $(call BENCH_LINK_WITH,$(BENCH_LINKED))

$(BENCH_CARGO_OUT)/release/bench-wasmtime-no-std: $(BENCH_WASMTIME_PLATFORM) FORCE
	@$(BENCH_WASMTIME_CARGO) $(BENCH_RUSTC) --manifest-path $(BENCH)/wasmtime/no-std/Cargo.toml \
	    $(call BENCH_LINK_WITH,$(dir $<))

# For the processor's family, not for this one: a host without Rust's standard library cannot ask what else it has.
$(BENCH_WASMTIME_MODULE): $(BENCH)/modules/bench.wat $(BENCH_WASM_COMPILE)
	@mkdir -p $(@D)
	$(BENCH_WASM_COMPILE) --target $(shell uname -m)-unknown-linux-gnu $< $@

# ---- Wasmer, from the crate, with its compiler Singlepass: on its own handlers, and adopted ----

BENCH_WASMER_PROGRAMS := $(addprefix $(BENCH_CARGO_OUT)/wasmer/release/bench-wasmer,-own-handlers -adopted)
# As new a Rust as c-tests/adopted takes for it.
BENCH_WASMER_RUSTC = $(ADOPTED_WASMER_CARGO) $(BENCH_RUSTC)/wasmer --ignore-rust-version \
    --manifest-path $(BENCH)/wasmer/Cargo.toml

$(BENCH_CARGO_OUT)/wasmer/release/bench-wasmer-own-handlers: FORCE
	@$(BENCH_WASMER_RUSTC) --bin $(@F)

$(BENCH_CARGO_OUT)/wasmer/release/bench-wasmer-adopted: $(BENCH_LINKED)/libwasmtrap.so.0 FORCE
	@$(BENCH_WASMER_RUSTC) --bin $(@F) $(call BENCH_LINK_WITH,$(BENCH_LINKED))

# ---- WAMR, the interpreter as c-tests/wamr builds it: on its own handler, and on the library ----

BENCH_WAMR_PROGRAMS := $(addprefix $(BENCH_OUT)/,wamr_own_handler wamr_on_wasmtrap)
BENCH_WAMR_LIBRARY := $(C_TESTS_OUT)/wamr/fast1/libvmlib.a

$(BENCH_WAMR_LIBRARY): check-wamr-build
$(addprefix $(BENCH_OUT)/obj/,wamr.o wamr_own_handler.o): BENCH_INCLUDES = -std=gnu11 \
    -I$(WAMR_ROOT)/core/iwasm/include -Iadapters/wamr
$(BENCH_OUT)/wamr_own_handler: BENCH_WAMR_LIBS :=
$(BENCH_OUT)/wamr_on_wasmtrap: BENCH_WAMR_LIBS := $(BENCH_LIBS)
$(BENCH_OUT)/wamr_on_wasmtrap: $(BENCH_OUT)/obj/library.o $(BENCH_LIBRARY)
# The objects first: what they define is not looked for in WAMR's library.
$(BENCH_WAMR_PROGRAMS): $(BENCH_OUT)/%: $(addprefix $(BENCH_OUT)/obj/,%.o wamr.o peer.o worker.o) $(BENCH_WAMR_LIBRARY)
	$(CC) -pthread $(filter %.o,$^) $(BENCH_WAMR_LIBRARY) $(BENCH_WAMR_LIBS) -lm -ldl -o $@

# ---- The run ----

BENCH_ALSO = $(foreach program,$(1),--also '$(program) $(2)')
BENCH_LEFT_OUT = --left-out '$(1)=$(2)'

ifneq ($(BENCH_WASMTIME),no)
BENCH_MORE += $(BENCH_WASMTIME_PROGRAMS) $(BENCH_WASMTIME_MODULE)
BENCH_MORE_RUN += $(call BENCH_ALSO,$(BENCH_WASMTIME_PROGRAMS),$(BENCH_WASMTIME_MODULE))
else
BENCH_MORE_RUN += $(call BENCH_LEFT_OUT,wasmtime,BENCH_WASMTIME=no)
endif
ifneq ($(BENCH_WASMER),no)
BENCH_MORE += $(BENCH_WASMER_PROGRAMS)
BENCH_MORE_RUN += $(call BENCH_ALSO,$(BENCH_WASMER_PROGRAMS),$(BENCH)/modules/bench.wat)
else
BENCH_MORE_RUN += $(call BENCH_LEFT_OUT,wasmer,BENCH_WASMER=no)
endif
ifneq ($(WAMR_ROOT),)
BENCH_MORE += $(BENCH_WAMR_PROGRAMS)
BENCH_MORE_RUN += $(call BENCH_ALSO,$(BENCH_WAMR_PROGRAMS),$(BENCH_WASM2C)/bench.wasm)
else
BENCH_MORE_RUN += $(call BENCH_LEFT_OUT,wamr,no WAMR_ROOT)
endif

BENCH_PYTHON_MODULE := $(BENCH_PYTHON_OUT)/modules/host_calls.so

BENCH_BUILT := $(BENCH_OURS) $(BENCH_PEERS) $(BENCH_OUT)/wasm2c_on_wasmtrap $(BENCH_OUT)/mach_calls \
    $(BENCH_SIMULATED_XNU) $(BENCH_PYTHON_OUT)/wasmtrap.abi3.so $(BENCH_PYTHON_MODULE)
BENCH_PYTHON := PYTHONPATH=$(BENCH_PYTHON_OUT) PYTHONDONTWRITEBYTECODE=1 $(PYTHON)
BENCH_RUN = $(BENCH_PYTHON) $(BENCH)/bench.py --workers $(BENCH_OUT) --python-module $(BENCH_PYTHON_MODULE) \
    --mach '$(BENCH_SIMULATED_XNU) --profile=ordinary -- $(BENCH_OUT)/mach_calls' \
    --library $(LIB_SHARED) --strip $(STRIP)

.PHONY: bench
bench: $(BENCH_BUILT) $(BENCH_MORE) ## what traps and protected calls cost, beside floors and peers
	@$(BENCH_RUN) $(BENCH_MORE_RUN) --rounds $(BENCH_ROUNDS) --out $(BENCH_OUT)

# Without the engines whose build is long, or whose source is not there.
BENCH_SHORT := wasmtime wasmer wamr
.PHONY: check-bench
check-bench: $(BENCH_BUILT) ## the benchmark's own tests, after one round of each contestant but the large engines
	$(BENCH_RUN) $(foreach engine,$(BENCH_SHORT),$(call BENCH_LEFT_OUT,$(engine),no part of check-bench)) \
	    --rounds 1 --out $(BENCH_OUT)/short
	$(BENCH_PYTHON) $(BENCH)/self_test.py $(BENCH_OUT)/short $(BENCH_SHORT:%=--without %)
