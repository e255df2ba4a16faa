/* sysctlbyname, as <sys/sysctl.h> of macOS declares it. */
#ifndef SYS_SYSCTL_H
#define SYS_SYSCTL_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

int sysctlbyname(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);

#ifdef __cplusplus
}
#endif

#endif
