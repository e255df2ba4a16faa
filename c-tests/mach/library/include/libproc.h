/* proc_pidinfo, as <libproc.h> of macOS declares it. Here it fills in the number and the flags. */
#ifndef LIBPROC_H
#define LIBPROC_H

#include <stdint.h>

#include <sys/proc_info.h>

#ifdef __cplusplus
extern "C" {
#endif

int proc_pidinfo(int pid, int flavor, uint64_t argument, void *buffer, int size);

#ifdef __cplusplus
}
#endif

#endif
