/* <string.h> with the names of what stands for signals. */
#ifndef WINDOWS_STRING_H
#define WINDOWS_STRING_H

#include_next <string.h>

#ifdef __cplusplus
extern "C" {
#endif

const char *strsignal(int signal);

#ifdef __cplusplus
}
#endif

#endif
