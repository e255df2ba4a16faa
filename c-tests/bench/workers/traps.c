/*
 * The library and the floors, in one process: every kind of trap, and entering a protected call.
 *
 * wasmtrap_jump is the library where all its clients let traps leave their handler by a jump
 * (WASMTRAP_INIT_LEAVE_BY_JUMP); for wasmtrap there is one more, who does not.
 *
 * A protected call of the library gets a trap record. With a buffer for frames (wasmtrap_backtrace) it also walks the
 * stack, which is one frame deep here.
 */
#include "faults.h"
#include "floors.h"
#include "library.h"
#include "worker.h"

#include <stdlib.h>

enum { TRAPS = 400, FEWER_TRAPS = 150, CALLS = 40000 };

static void *inaccessible;

static int times_of(const fault_t *fault)
{
    return fault == &faults[FAULT_MEMORY] ? TRAPS : FEWER_TRAPS;
}

/* ---- The library ---- */

static void trap(wasmtrap_function_t function, wasmtrap_trap_t *record, int times)
{
    for (int i = 0; i < times; i++)
        if (wasmtrap_call(function, inaccessible, record) != WASMTRAP_TRAPPED)
            abort();
}

static void trap_by_fault(const void *argument, int times)
{
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    trap(((const fault_t *)argument)->function, &record, times);
}

static void trap_with_backtrace(const void *argument, int times)
{
    size_t frames[32];
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    record.frames = frames;
    record.frames_capacity = sizeof frames / sizeof *frames;
    trap(((const fault_t *)argument)->function, &record, times);
}

static double traps_by_jump(const void *fault) { return worker_time(trap_by_fault, fault, times_of(fault)); }

static double traps(const void *fault) { return by_sigreturn(traps_by_jump, fault); }

static double backtraces_by_jump(const void *fault)
{
    return worker_time(trap_with_backtrace, fault, times_of(fault));
}

static double backtraces(const void *fault) { return by_sigreturn(backtraces_by_jump, fault); }

static void raise_at_once(void *argument)
{
    (void)argument;
    wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void trap_by_raise(const void *unused, int times)
{
    (void)unused;
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    trap(raise_at_once, &record, times);
}

static double raises(const void *unused) { return worker_time(trap_by_raise, unused, CALLS); }

/* ---- The floors ---- */

typedef struct {
    floor_t floor;
    const fault_t *fault;
} floor_fault_t;

static void survive(const void *argument, int times)
{
    const floor_fault_t *what = argument;
    floor_faults(what->floor, what->fault, inaccessible, times);
}

static double floor_traps(const void *argument)
{
    const floor_fault_t *what = argument;
    floor_install(what->floor, what->fault);
    double time = worker_time(survive, what, times_of(what->fault));
    floor_remove(what->fault);
    return time;
}

static double floor_raises(const void *unused) { return worker_time(floor_jumps, unused, CALLS); }

/* ---- Calls that return ---- */

static void return_at_once(void *argument) { (void)argument; }
static void (*volatile called)(void *) = return_at_once;

static void call_plainly(const void *unused, int times)
{
    (void)unused;
    for (int i = 0; i < times; i++)
        called(NULL);
}

static void call_protected(const void *unused, int times)
{
    (void)unused;
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    for (int i = 0; i < times; i++)
        if (wasmtrap_call(called, NULL, &record) != WASMTRAP_OK)
            abort();
}

static double plain_calls(const void *unused) { return worker_time(call_plainly, unused, CALLS); }
static double protected_calls(const void *unused) { return worker_time(call_protected, unused, CALLS); }
static double floor_entries(const void *unused) { return worker_time(floor_calls, unused, CALLS); }

int main(void)
{
    limit_the_stack();
    init_to_leave_by_jump();
    inaccessible = inaccessible_memory();
    register_region(inaccessible, INACCESSIBLE_SIZE);
    require_ok(wasmtrap_thread_attach());
    floors_prepare();

    enum { OTHERS = 6 };
    measure_t measures[FAULT_KINDS * (2 + FLOORS) + OTHERS];
    floor_fault_t floor_faults_of[FAULT_KINDS][FLOORS];
    size_t count = 0;
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const fault_t *fault = &faults[kind];
        if (!fault->function) {
            worker_absent(fault->row, "wasmtrap", "this processor does not fault for it");
            continue;
        }
        register_code(fault->start, (size_t)(fault->end - fault->start));
        measures[count++] = (measure_t){fault->row, "wasmtrap", traps, fault};
        measures[count++] = (measure_t){fault->row, "wasmtrap_jump", traps_by_jump, fault};
        for (floor_t floor = 0; floor < FLOORS; floor++) {
            floor_faults_of[kind][floor] = (floor_fault_t){floor, fault};
            measures[count++] =
                (measure_t){fault->row, floor_names[floor], floor_traps, &floor_faults_of[kind][floor]};
        }
    }
    const measure_t others[OTHERS] = {
        {"trap.roundtrip", "wasmtrap_backtrace", backtraces, &faults[FAULT_MEMORY]},
        {"trap.kinds.raise", "wasmtrap", raises, NULL},
        {"trap.kinds.raise", "raw_jump", floor_raises, NULL},
        {"call.entry", "plain", plain_calls, NULL},
        {"call.entry", "wasmtrap", protected_calls, NULL},
        {"call.entry", "raw_jump", floor_entries, NULL},
    };
    for (int i = 0; i < OTHERS; i++)
        measures[count++] = others[i];
    return worker_serve(measures, count);
}
