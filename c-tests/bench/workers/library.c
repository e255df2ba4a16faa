#include "library.h"

#include <stdio.h>
#include <stdlib.h>

void require_ok(wasmtrap_status_t status)
{
    if (status == WASMTRAP_OK)
        return;
    fprintf(stderr, "%s: %s\n", wasmtrap_status_name(status), wasmtrap_last_error());
    exit(1);
}

uint64_t register_code(const void *start, size_t length)
{
    wasmtrap_code_desc_t code = {0};
    code.struct_size = sizeof code;
    code.start = start;
    code.length = length;
    code.flags = WASMTRAP_CODE_STRICT;
    uint64_t id;
    require_ok(wasmtrap_code_register(&code, &id));
    return id;
}

uint64_t register_region(const void *base, size_t length)
{
    wasmtrap_region_desc_t region = {0};
    region.struct_size = sizeof region;
    region.base = base;
    region.length = length;
    uint64_t id;
    require_ok(wasmtrap_region_register(&region, &id));
    return id;
}

void init_to_leave_by_jump(void)
{
    wasmtrap_options_t options = {.struct_size = sizeof options, .flags = WASMTRAP_INIT_LEAVE_BY_JUMP};
    require_ok(wasmtrap_init(&options));
}

double by_sigreturn(double (*measure)(const void *), const void *argument)
{
    wasmtrap_client_desc_t other = {.struct_size = sizeof other, .name = "who does not ask for it"};
    wasmtrap_client_t client = 0;
    require_ok(wasmtrap_client_open(&other, &client));
    double time = measure(argument);
    require_ok(wasmtrap_client_close(client));
    return time;
}
