/* The library's server thread, seen from outside. */
#ifndef SERVER_THREAD_H
#define SERVER_THREAD_H

#include <mach/mach.h>

/* Sets the library up with Mach ports and finds the thread that this starts: a send right of the caller's. No other
 * thread must start meanwhile. */
mach_port_t init_and_find_server(void);

#endif
