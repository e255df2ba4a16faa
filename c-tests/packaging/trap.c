/* A user's program, as small as one can be that traps for real: a load from a guard page, in code of its own that
 * stands in for compiled WebAssembly. It exits with 0 if the trap was caught, with the right code and address. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>

#include <wasmtrap.h>

/* The linker makes __start_ and __stop_ symbols for a section with such a name. */
#define WASM_CODE __attribute__((section("wasm_code"), noinline))
extern const char __start_wasm_code[], __stop_wasm_code[];

enum { GUARD_SIZE = 65536, WASM_ADDRESS = 4660 };

WASM_CODE static void load(void *memory)
{
    (void)((volatile char *)memory)[WASM_ADDRESS];
}

static int check(wasmtrap_status_t status, const char *what)
{
    if (status < 0)
        fprintf(stderr, "%s: %s: %s\n", what, wasmtrap_status_name(status), wasmtrap_last_error());
    return status >= 0;
}

int main(void)
{
    void *memory = mmap(NULL, GUARD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    wasmtrap_code_desc_t code = {0};
    wasmtrap_region_desc_t region = {0};
    wasmtrap_trap_t trap = {0};
    uint64_t code_id, region_id;

    if (memory == MAP_FAILED)
        return 2;
    code.struct_size = sizeof code;
    code.start = __start_wasm_code;
    code.length = (size_t)(__stop_wasm_code - __start_wasm_code);
    code.flags = WASMTRAP_CODE_STRICT;
    region.struct_size = sizeof region;
    region.base = memory;
    region.length = GUARD_SIZE;
    trap.struct_size = sizeof trap;

    if (!check(wasmtrap_init(NULL), "wasmtrap_init") ||
        !check(wasmtrap_code_register(&code, &code_id), "wasmtrap_code_register") ||
        !check(wasmtrap_region_register(&region, &region_id), "wasmtrap_region_register"))
        return 2;
    if (wasmtrap_call(load, memory, &trap) != WASMTRAP_TRAPPED)
        return 1;
    printf("%s at address %zu\n", wasmtrap_code_name(trap.code), trap.region_offset);
    return trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS && trap.region_offset == WASM_ADDRESS ? 0 : 1;
}
