/* An engine in an object of its own, which is loaded and closed. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>

/* Installs a handler of SIGSEGV and SIGBUS that makes the page readable and writable when it faults, and calls the
 * earlier handler for all else; or puts those back that it has found. */
typedef void (*engine_start_t)(void *page, size_t size);
typedef void (*engine_stop_t)(void);
/* How many faults it has mended. */
typedef int (*engine_mended_t)(void);

#endif
