/* A header in the style of ours, for claims_to_be_signal_safe.c. */

// Says that it is signal-safe, on the next
// line. Thread-safe, signal-safe.
void *wasmtrap_claims(size_t size);

// Says that it is not. Thread-safe, not
// signal-safe.
void *wasmtrap_does_not(size_t size);

// Says so, and is nowhere. Signal-safe.
int wasmtrap_is_missing(int value,
                        int other);
