/*
 * What a process pays once: from the beginning of main to the end of its first trap, with the library (set up, code and
 * a region registered, the thread attached by its first protected call) and with the floor's bare handler on an
 * alternate stack. Each is measured in a process that has done nothing before, by that process itself; a round is the
 * best of some.
 *
 *     start_up           serves the driver
 *     start_up MEASURE   is such a process, and prints its nanoseconds
 */
#include "faults.h"
#include "floors.h"
#include "library.h"
#include "worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 5, STACK_SIZE = 64 * 1024 };

static const fault_t *const fault = &faults[FAULT_MEMORY];

static void trap_with_the_library(void *inaccessible)
{
    require_ok(wasmtrap_init(NULL));
    register_code(fault->start, (size_t)(fault->end - fault->start));
    register_region(inaccessible, INACCESSIBLE_SIZE);
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    if (wasmtrap_call(fault->function, inaccessible, &record) != WASMTRAP_TRAPPED)
        abort();
}

static void trap_with_the_floor(void *inaccessible)
{
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_size = STACK_SIZE;
    stack.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker_require(stack.ss_sp != MAP_FAILED, "mmap");
    worker_require(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    floors_prepare();
    floor_install(RAW_JUMP_FULL_MASK, fault);
    floor_faults(RAW_JUMP_FULL_MASK, fault, inaccessible, 1);
}

static const struct {
    const char *name;
    void (*trap)(void *inaccessible);
} ways[] = {{"wasmtrap", trap_with_the_library}, {"raw_jump_full_mask", trap_with_the_floor}};
enum { WAYS = sizeof ways / sizeof *ways };

static double in_this_process(const char *name)
{
    double start = worker_now();
    void *inaccessible = inaccessible_memory();
    for (int way = 0; way < WAYS; way++)
        if (strcmp(name, ways[way].name) == 0)
            ways[way].trap(inaccessible);
    return worker_now() - start;
}

static double in_a_fresh_process(const char *name)
{
    int ends[2];
    worker_require(pipe(ends) == 0, "pipe");
    pid_t child = fork();
    worker_require(child >= 0, "fork");
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/proc/self/exe", "start_up", name, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *answer = fdopen(ends[0], "r");
    double time = 0;
    int status, read = answer ? fscanf(answer, "%lf", &time) : 0;
    worker_require(waitpid(child, &status, 0) == child, "waitpid");
    if (read != 1 || status != 0) {
        fprintf(stderr, "start_up %s: wait status %#x\n", name, (unsigned)status);
        exit(1);
    }
    fclose(answer);
    return time;
}

static double start_up(const void *name)
{
    double best = in_a_fresh_process(name);
    for (int i = 1; i < PROCESSES; i++) {
        double time = in_a_fresh_process(name);
        best = time < best ? time : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        printf("%.0f\n", in_this_process(argv[1]));
        return 0;
    }
    measure_t measures[WAYS];
    for (int way = 0; way < WAYS; way++)
        measures[way] = (measure_t){"start_up", ways[way].name, start_up, ways[way].name};
    return worker_serve(measures, WAYS);
}
