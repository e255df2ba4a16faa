/* struct proc_bsdinfo, as <sys/proc_info.h> of macOS has it. */
#ifndef SYS_PROC_INFO_H
#define SYS_PROC_INFO_H

#include <stdint.h>

#define PROC_PIDTBSDINFO 3
#define PROC_FLAG_LP64 0x10
/* The process has called exec. */
#define PROC_FLAG_EXEC 0x4000

struct proc_bsdinfo {
  uint32_t pbi_flags;
  uint32_t pbi_status;
  uint32_t pbi_xstatus;
  uint32_t pbi_pid;
  uint32_t pbi_ppid;
  uint32_t pbi_uid;
  uint32_t pbi_gid;
  uint32_t pbi_ruid;
  uint32_t pbi_rgid;
  uint32_t pbi_svuid;
  uint32_t pbi_svgid;
  uint32_t rfu_1;
  char pbi_comm[16];
  char pbi_name[32];
  uint32_t pbi_nfiles;
  uint32_t pbi_pgid;
  uint32_t pbi_pjobc;
  uint32_t e_tdev;
  uint32_t e_tpgid;
  int32_t pbi_nice;
  uint64_t pbi_start_tvsec;
  uint64_t pbi_start_tvusec;
};

#endif
