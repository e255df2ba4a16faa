/* Takes a lock.
 *
 * only: elf
 * expect: external pthread_mutex_lock, external pthread_mutex_unlock
 */
#include <pthread.h>
#include "rust_names.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int handle(int *shared) ENTRY;
int handle(int *shared)
{
    pthread_mutex_lock(&mutex);
    int value = ++*shared;
    pthread_mutex_unlock(&mutex);
    return value;
}
