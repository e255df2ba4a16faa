"""What the operating system knows of this process, on Linux and on macOS."""

import os
import pathlib
import sys

if sys.platform == "darwin":
    # Not every interpreter of a process can load it, so that only those do that need it.
    import ctypes

    libc = ctypes.CDLL(None)

    class TaskInfo(ctypes.Structure):
        """struct proc_taskinfo of <sys/proc_info.h>"""

        LONG = ["virtual_size", "resident_size", "total_user", "total_system", "threads_user", "threads_system"]
        SHORT = ["policy", "faults", "pageins", "cow_faults", "messages_sent", "messages_received", "syscalls_mach",
                 "syscalls_unix", "context_switches", "thread_count", "running", "priority"]
        _fields_ = [(name, ctypes.c_uint64) for name in LONG]
        _fields_ += [(name, ctypes.c_int32) for name in SHORT]

    def task_info():
        info = TaskInfo()
        got = libc.proc_pidinfo(os.getpid(), 4, ctypes.c_uint64(0), ctypes.byref(info), ctypes.sizeof(info))
        assert got == ctypes.sizeof(info), got
        return info

    def threads():
        return task_info().thread_count

    def resident_bytes():
        return task_info().resident_size

    def mappings():
        """macOS does not count them; what they hold is in the resident bytes."""
        return 0

    def descriptors():
        return len(os.listdir("/dev/fd"))

    def loaded_objects():
        libc._dyld_get_image_name.restype = ctypes.c_char_p
        names = [libc._dyld_get_image_name(index) for index in range(libc._dyld_image_count())]
        return "\n".join(name.decode() for name in names if name)
else:

    def threads():
        return len(os.listdir("/proc/self/task"))

    def resident_bytes():
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def mappings():
        return len(pathlib.Path("/proc/self/maps").read_text().splitlines())

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def loaded_objects():
        return pathlib.Path("/proc/self/maps").read_text()
