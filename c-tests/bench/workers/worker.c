#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double worker_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

double worker_time(void (*work)(const void *argument, int times), const void *argument, int times)
{
    work(argument, times / 10);
    double start = worker_now();
    work(argument, times);
    return (worker_now() - start) / times;
}

void worker_require(int good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

void worker_absent(const char *row, const char *contestant, const char *reason)
{
    printf("absent %s %s %s\n", row, contestant, reason);
}

int worker_serve(const measure_t *measures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("measure %s %s\n", measures[i].row, measures[i].contestant);
    puts("ready");
    fflush(stdout);

    char line[256], wanted[256];
    while (fgets(line, sizeof line, stdin)) {
        const measure_t *found = NULL;
        for (size_t i = 0; i < count; i++) {
            snprintf(wanted, sizeof wanted, "%s %s\n", measures[i].row, measures[i].contestant);
            if (strcmp(line, wanted) == 0)
                found = &measures[i];
        }
        if (!found) {
            fprintf(stderr, "there is no measure %s", line);
            return 1;
        }
        printf("%.4f\n", found->round(found->argument));
        fflush(stdout);
    }
    return 0;
}
