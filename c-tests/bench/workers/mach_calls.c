/*
 * What a trap with the Mach backend takes: how often the kernel is entered, by the server thread and by the thread that
 * traps; the messages that the server receives and sends, and their bytes, as the simulated Mach kernel counts them, in
 * which this runs; and how often the heap is asked for memory, by any thread.
 */
#include "faults.h"
#include "library.h"
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <mach/mach.h>
#include <simulated_mach.h>

enum { TRAPS = 200, MOST_THREADS = 8 };

/* ---- The heap: the C library's, counted ---- */

static uint64_t allocations;

/* glibc's own functions under the names that a program may take. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count_one(void) { __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED); }

void *malloc(size_t size)
{
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    count_one();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned_alloc(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* ---- The kernel ---- */

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

/* The server is the only one of them. */
static simulated_messages_t messages_of_others(void)
{
    simulated_messages_t all = {0};
    for (int i = 0; i < other_count; i++) {
        simulated_messages_t messages;
        require_success(simulated_thread_messages(other_ports[i], &messages), "simulated_thread_messages");
        all.received += messages.received;
        all.received_bytes += messages.received_bytes;
        all.sent += messages.sent;
        all.sent_bytes += messages.sent_bytes;
    }
    return all;
}

static double messages(const void *unused)
{
    (void)unused;
    simulated_messages_t before = messages_of_others();
    trap(TRAPS);
    simulated_messages_t after = messages_of_others();
    return (double)(after.received - before.received + after.sent - before.sent) / TRAPS;
}

static double bytes_received(const void *unused)
{
    (void)unused;
    uint64_t before = messages_of_others().received_bytes;
    trap(TRAPS);
    return (double)(messages_of_others().received_bytes - before) / TRAPS;
}

static double bytes_sent(const void *unused)
{
    (void)unused;
    uint64_t before = messages_of_others().sent_bytes;
    trap(TRAPS);
    return (double)(messages_of_others().sent_bytes - before) / TRAPS;
}

static double allocations_of_traps(const void *unused)
{
    (void)unused;
    uint64_t before = __atomic_load_n(&allocations, __ATOMIC_RELAXED);
    trap(TRAPS);
    return (double)(__atomic_load_n(&allocations, __ATOMIC_RELAXED) - before) / TRAPS;
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
        {"mach.messages", "both", messages, NULL},
        {"mach.bytes", "received", bytes_received, NULL},
        {"mach.bytes", "sent", bytes_sent, NULL},
        {"mach.allocations", "all_threads", allocations_of_traps, NULL},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
