/*
 * tables RANGES SITES: traps and registrations while RANGES code ranges are registered, or one with SITES trap sites.
 *
 * The code is a million small functions that fault; the ranges share it out evenly, so that the same faults are taken
 * whatever RANGES is, and the difference is the tables' alone. They are taken in two ways: in the same function again
 * and again, and scattered over all of them, where a big table is cold in the caches (as is the code, for all sizes).
 */
#include "faults.h"
#include "library.h"
#include "worker.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A power of two, for the walk. */
enum { FUNCTIONS = 1 << 20, FUNCTION_SIZE = 16 };
enum { TRAPS = 400, WRITES = 200 };

static unsigned char *code;
static void *inaccessible;
static size_t ranges, sites;

static void write_code(void)
{
    size_t size = (size_t)FUNCTIONS * FUNCTION_SIZE;
    code = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker_require(code != MAP_FAILED, "mmap");
    /* The same pages for all sizes. */
    madvise(code, size, MADV_NOHUGEPAGE);
    const fault_t *fault = &faults[FAULT_MEMORY];
    for (size_t i = 0; i < FUNCTIONS; i++)
        memcpy(code + i * FUNCTION_SIZE, fault->start, (size_t)(fault->end - fault->start));
    worker_require(mprotect(code, size, PROT_READ | PROT_EXEC) == 0, "mprotect");
    __builtin___clear_cache((char *)code, (char *)code + size);
}

/* A range ends a byte before the next, so that there is room for one more. */
static size_t range_start(size_t index)
{
    return index == ranges ? (size_t)FUNCTIONS * FUNCTION_SIZE : index * (FUNCTIONS / ranges) * FUNCTION_SIZE;
}

static void register_ranges(void)
{
    for (size_t i = 0; i < ranges; i++)
        register_code(code + range_start(i), range_start(i + 1) - range_start(i) - 1);
}

static size_t site_offset(size_t index)
{
    return index * (FUNCTIONS / sites) * FUNCTION_SIZE;
}

static void register_sites(void)
{
    wasmtrap_site_t *table = calloc(sites, sizeof *table);
    worker_require(table != NULL, "calloc");
    for (size_t i = 0; i < sites; i++) {
        table[i].offset = (uint32_t)site_offset(i);
        table[i].code = WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
    }
    wasmtrap_code_desc_t range = {0};
    range.struct_size = sizeof range;
    range.start = code;
    range.length = (size_t)FUNCTIONS * FUNCTION_SIZE;
    range.sites = table;
    range.site_count = sites;
    range.flags = WASMTRAP_CODE_STRICT;
    uint64_t id;
    require_ok(wasmtrap_code_register(&range, &id));
    free(table);
}

/* ---- Traps ---- */

static void trap_at(size_t offset, wasmtrap_trap_t *record)
{
    wasmtrap_function_t function;
    unsigned char *start = code + offset;
    memcpy(&function, &start, sizeof function);
    if (wasmtrap_call(function, inaccessible, record) != WASMTRAP_TRAPPED)
        abort();
}

static void trap_in_one_place(const void *unused, int times)
{
    (void)unused;
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    size_t offset = sites ? site_offset(sites / 2) : range_start(ranges / 2);
    for (int i = 0; i < times; i++)
        trap_at(offset, &record);
}

/* Comes to each function once before it comes to one again: the generator has full period. */
static void trap_all_over(const void *unused, int times)
{
    (void)unused;
    static uint32_t place;
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    for (int i = 0; i < times; i++) {
        place = (place * 1664525u + 1013904223u) % FUNCTIONS;
        size_t offset = (size_t)place * FUNCTION_SIZE;
        trap_at(sites ? site_offset((size_t)((uint64_t)place * sites / FUNCTIONS)) : offset, &record);
    }
}

static double traps_in_one_place(const void *unused) { return worker_time(trap_in_one_place, unused, TRAPS); }
static double traps_all_over(const void *unused) { return worker_time(trap_all_over, unused, TRAPS); }

/* ---- Registrations ---- */

static void register_and_unregister(const void *unused, int times)
{
    (void)unused;
    static uint32_t place;
    for (int i = 0; i < times; i++) {
        place = place * 1664525u + 1013904223u;
        size_t index = (size_t)(((uint64_t)place * ranges) >> 32);
        wasmtrap_code_desc_t range = {0};
        range.struct_size = sizeof range;
        range.start = code + range_start(index + 1) - 1;
        range.length = 1;
        uint64_t id;
        require_ok(wasmtrap_code_register(&range, &id));
        require_ok(wasmtrap_code_unregister(id));
    }
}

static double writes(const void *unused) { return worker_time(register_and_unregister, unused, WRITES); }

int main(int argc, char **argv)
{
    if (argc != 3 || (ranges = strtoul(argv[1], NULL, 10)) == 0 || ranges > FUNCTIONS ||
        (sites = strtoul(argv[2], NULL, 10)) > FUNCTIONS) {
        fprintf(stderr, "usage: %s RANGES SITES (at most %d of each)\n", argv[0], FUNCTIONS);
        return 2;
    }
    require_ok(wasmtrap_init(NULL));
    inaccessible = inaccessible_memory();
    register_region(inaccessible, INACCESSIBLE_SIZE);
    require_ok(wasmtrap_thread_attach());
    write_code();
    if (sites) {
        register_sites();
        const measure_t measures[] = {
            {"lookup.scale.sites", argv[2], traps_in_one_place, NULL},
            {"lookup.scale.sites_scattered", argv[2], traps_all_over, NULL},
        };
        return worker_serve(measures, sizeof measures / sizeof *measures);
    }
    register_ranges();
    const measure_t measures[] = {
        {"lookup.scale", argv[1], traps_in_one_place, NULL},
        {"lookup.scale.scattered", argv[1], traps_all_over, NULL},
        {"table.write", argv[1], writes, NULL},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
