/*
 * WAMR on the library, by adapters/wamr.
 */
#include "library.h"
#include "wamr.h"

const char contestant[] = "wamr_on_wasmtrap";

void set_up(void) { require_ok(wasmtrap_init(NULL)); }
