# The fuzzers: api, sequences of calls against a model; decide, the decision against its rules; mach_message, exception
# messages against theirs.
#
# libFuzzer comes with the crate libfuzzer-sys, and what instruments the code is a pass of LLVM that every rustc has, so
# neither a nightly toolchain nor cargo-fuzz is needed, only a C++ compiler. `cargo fuzz run api` works too.

FUZZERS := decide api mach_message
FUZZ_HOST = $(shell $(CARGO) -vV | sed -n 's/^host: //p')
FUZZ_BINARIES = target/fuzz/$(FUZZ_HOST)/release

# As cargo-fuzz has them. A pass that is run by name is a stable option, as are its arguments.
FUZZ_RUSTFLAGS := --cfg fuzzing -Cpasses=sancov-module $(addprefix -Cllvm-args=-sanitizer-coverage-, level=4 \
    inline-8bit-counters pc-table trace-compares)

RUN_FUZZERS = $(foreach fuzzer,$(FUZZERS),fuzz/run.sh $(fuzzer) $(FUZZ_BINARIES) $(1) &&) true

.PHONY: fuzz-binaries
fuzz-binaries:
	@# With --target, because otherwise build scripts would be instrumented too.
	RUSTFLAGS="$(strip $(RUSTFLAGS) $(FUZZ_RUSTFLAGS))" $(CARGO) build --release --locked \
	    --manifest-path fuzz/Cargo.toml --target $(FUZZ_HOST) --target-dir target/fuzz

.PHONY: check-fuzz
check-fuzz: fuzz-binaries ## the fuzzers, over their corpora and a few more inputs (CHECK_FUZZ_RUNS), the same each time
	@# In a new corpus and from a given seed, so that the same code sees the same inputs.
	$(call RUN_FUZZERS,target/fuzz/check -seed=1 -runs=$(CHECK_FUZZ_RUNS))

.PHONY: fuzz
fuzz: fuzz-binaries ## the fuzzers for longer (FUZZ_SECONDS each), from a new seed, going on with what target/fuzz has
	$(call RUN_FUZZERS,target/fuzz/corpus -max_total_time=$(FUZZ_SECONDS))

CHECK_FUZZ_RUNS ?= 50000
FUZZ_SECONDS ?= 600
