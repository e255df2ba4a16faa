#include "peer.h"

#include <stdlib.h>

#include "worker.h"

void return_at_once(void *argument) { (void)argument; }

static void trap(const void *argument, int times)
{
    const trap_t *what = argument;
    for (int i = 0; i < times; i++)
        if (!peer_call(what->function, what->argument))
            abort();
}

double peer_traps(const void *argument)
{
    return worker_time(trap, argument, ((const trap_t *)argument)->times);
}

static void call(const void *argument, int times)
{
    const trap_t *what = argument;
    for (int i = 0; i < times; i++)
        if (peer_call(what->function, what->argument))
            abort();
}

double peer_calls(const void *argument)
{
    return worker_time(call, argument, ((const trap_t *)argument)->times);
}
