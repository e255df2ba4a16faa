/* <unistd.h> with what mingw's lacks. */
#ifndef WINDOWS_UNISTD_H
#define WINDOWS_UNISTD_H

#include_next <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

__attribute__((noreturn)) void _exit(int status);
/* Ends the process by abort() when the time is over. Earlier ones go on. */
unsigned alarm(unsigned seconds);

#ifdef __cplusplus
}
#endif

#endif
