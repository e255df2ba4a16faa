/* What a program asks about its signature, its process and its machine. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <libproc.h>
#include <sys/sysctl.h>

#include "call.h"

/* libSystem exports it; no public header declares it. */
int csops(pid_t pid, unsigned int operation, void *buffer, size_t size);

static int with_errno(kern_return_t error) {
  if (error == 0)
    return 0;
  errno = error == KERN_NOT_SUPPORTED ? ENOSYS : error;
  return -1;
}

int csops(pid_t pid, unsigned int operation, void *buffer, size_t size) {
  return with_errno(CALL(csops, (uint64_t)pid, operation, POINTER(buffer), size));
}

int sysctlbyname(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size) {
  if (new_value != NULL || new_size != 0) {
    errno = EPERM;
    return -1;
  }
  return with_errno(CALL(sysctlbyname, POINTER(name), strlen(name), POINTER(old), POINTER(old_size)));
}

int proc_pidinfo(int pid, int flavor, uint64_t argument, void *buffer, int size) {
  struct proc_bsdinfo information;
  (void)argument;
  if (flavor != PROC_PIDTBSDINFO) {
    errno = EINVAL;
    return 0;
  }
  if (size < (int)sizeof information) {
    errno = ENOMEM;
    return 0;
  }
  memset(&information, 0, sizeof information);
  information.pbi_pid = (uint32_t)pid;
  if (with_errno(CALL(process_flags, (uint64_t)pid, POINTER(&information.pbi_flags))) != 0)
    return 0;
  memcpy(buffer, &information, sizeof information);
  return (int)sizeof information;
}
