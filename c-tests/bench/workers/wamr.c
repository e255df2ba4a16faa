#include "wamr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "wasm_export.h"
#include "worker.h"

enum { STACK = 64 * 1024 };

static wasm_module_inst_t instance;
static wasm_exec_env_t environment;

/* The argument is an export. */
int peer_call(void (*function)(void *), void *argument)
{
    (void)function;
    uint32_t values[1];
    if (wasm_runtime_call_wasm(environment, argument, 0, values))
        return 0;
    wasm_runtime_clear_exception(instance);
    return 1;
}

static void refuse(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static uint8_t *read_all(const char *path, uint32_t *size)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    worker_require(file != NULL, path);
    *size = (uint32_t)fread(bytes, 1, sizeof bytes, file);
    worker_require(feof(file), path);
    fclose(file);
    return bytes;
}

static void load(const char *path)
{
    char error[128] = "";
    uint32_t size;
    uint8_t *bytes = read_all(path, &size);
    wasm_module_t module = wasm_runtime_load(bytes, size, error, sizeof error);
    if (!module)
        refuse(path, error);
    instance = wasm_runtime_instantiate(module, STACK, 0, error, sizeof error);
    if (!instance)
        refuse(path, error);
    environment = wasm_runtime_create_exec_env(instance, STACK);
    if (!environment)
        refuse(path, "no environment");
}

static void *export(const char *name)
{
    void *function = wasm_runtime_lookup_function(instance, name);
    if (!function)
        refuse(name, "no such export");
    return function;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        refuse(argv[0], "wants a module");
    set_up();
    RuntimeInitArgs arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.mem_alloc_type = Alloc_With_System_Allocator;
    if (!wasm_runtime_full_init(&arguments))
        refuse("WAMR", "cannot be set up");
    load(argv[1]);

    const trap_t past_the_end = {NULL, export("load_past_the_end"), TRAPS};
    const trap_t unreachable = {NULL, export("reach_the_unreachable"), RAISES};
    const trap_t call = {NULL, export("nothing"), RAISES};
    const measure_t measures[] = {
        {"trap.roundtrip", contestant, peer_traps, &past_the_end},
        {"trap.kinds.raise", contestant, peer_traps, &unreachable},
        {"call.entry", contestant, peer_calls, &call},
    };
    static const char *const in_software = "the interpreter looks itself, as in trap.kinds.raise";
    worker_absent("trap.kinds.unreachable", contestant, in_software);
    worker_absent("trap.kinds.division", contestant, in_software);
    worker_absent("trap.kinds.overflow", contestant, "the interpreter has a stack of its own, and looks itself");
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
