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
