# What a trap and a protected call cost, beside their floors in the same run.

.PHONY: bench
bench: $(LIB_SHARED) ## what traps and protected calls cost, as ratios to their floors
	@mkdir -p target/bench
	$(CC) $(C_WARNINGS) $(CFLAGS) -Iinclude c-tests/bench/trap_cost.c -o target/bench/trap_cost \
	    $(LIB_SHARED) -Wl,-rpath,'$(abspath $(dir $(LIB_SHARED)))'
	target/bench/trap_cost
