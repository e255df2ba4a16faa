/*
 * How often the kernel is entered for a trap with the Mach backend, by the server thread and by the thread that traps,
 * as the simulated Mach kernel counts it. Runs in that kernel.
 */
#include "faults.h"
#include "library.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>

#include <mach/mach.h>
#include <simulated_mach.h>

enum { TRAPS = 200, MOST_THREADS = 8 };

static void *inaccessible;
static mach_port_t own_port, other_ports[MOST_THREADS];
static int other_count;

static void require_success(kern_return_t result, const char *what)
{
    if (result == KERN_SUCCESS)
        return;
    fprintf(stderr, "%s: %d\n", what, result);
    exit(1);
}

/* The server is the only other thread. */
static void find_the_threads(void)
{
    thread_act_array_t threads;
    mach_msg_type_number_t count;
    own_port = mach_thread_self();
    require_success(task_threads(mach_task_self(), &threads, &count), "task_threads");
    for (mach_msg_type_number_t i = 0; i < count && other_count < MOST_THREADS; i++)
        if (threads[i] != own_port)
            other_ports[other_count++] = threads[i];
}

static uint64_t calls_of(mach_port_t thread)
{
    uint64_t calls;
    require_success(simulated_thread_calls(thread, &calls), "simulated_thread_calls");
    return calls;
}

static uint64_t calls_of_others(void)
{
    uint64_t calls = 0;
    for (int i = 0; i < other_count; i++)
        calls += calls_of(other_ports[i]);
    return calls;
}

static void trap(int times)
{
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    for (int i = 0; i < times; i++) {
        if (wasmtrap_call(faults[FAULT_MEMORY].function, inaccessible, &record) != WASMTRAP_TRAPPED)
            abort();
        /* What came as a signal would not be counted. */
        if (record.exception == 0)
            abort();
    }
}

static double server_calls(const void *unused)
{
    (void)unused;
    uint64_t before = calls_of_others();
    trap(TRAPS);
    return (double)(calls_of_others() - before) / TRAPS;
}

static double own_calls(const void *unused)
{
    (void)unused;
    uint64_t before = calls_of(own_port);
    trap(TRAPS);
    return (double)(calls_of(own_port) - before) / TRAPS;
}

int main(void)
{
    if (!simulated_mach_is_here()) {
        fputs("this is to be run in the simulated Mach kernel\n", stderr);
        return 1;
    }
    wasmtrap_options_t options = {0};
    options.struct_size = sizeof options;
    options.backend = WASMTRAP_BACKEND_MACH_PORTS;
    require_ok(wasmtrap_init(&options));
    inaccessible = inaccessible_memory();
    register_region(inaccessible, INACCESSIBLE_SIZE);
    const fault_t *fault = &faults[FAULT_MEMORY];
    register_code(fault->start, (size_t)(fault->end - fault->start));
    trap(1);
    find_the_threads();
    const measure_t measures[] = {
        {"mach.calls", "server", server_calls, NULL},
        {"mach.calls", "thread", own_calls, NULL},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
