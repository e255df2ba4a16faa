#include "faults.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "worker.h"

#define FAULT(name, code, resume)                                                                  \
    void fault_##name(void *address);                                                              \
    extern const char fault_##name##_start[], fault_##name##_resume[], fault_##name##_end[];       \
    __asm__(".pushsection .text\n.p2align 4\n.type fault_" #name ", @function\n"                   \
            ".globl fault_" #name ", fault_" #name "_start, fault_" #name "_resume\n"               \
            ".globl fault_" #name "_end\n"                                                         \
            "fault_" #name ":\nfault_" #name "_start:\n" code                                      \
            "fault_" #name "_resume:\n" resume "fault_" #name "_end:\n.popsection")
#define OF(name) fault_##name, fault_##name##_start, fault_##name##_resume, fault_##name##_end

#if defined(__x86_64__)
FAULT(memory, "  movl $1, (%rdi)\n", "  ret\n");
FAULT(unreachable, "  ud2\n", "  ret\n");
FAULT(division, "  xorl %ecx, %ecx\n  movl $1, %eax\n  cltd\n  idivl %ecx\n", "  ret\n");
FAULT(overflow, "  movq %rsp, %rax\n1:subq $4096, %rsp\n  orq $0, (%rsp)\n  jmp 1b\n", "  movq %rax, %rsp\n  ret\n");
#else
FAULT(memory, "  str wzr, [x0]\n", "  ret\n");
FAULT(unreachable, "  udf #0\n", "  ret\n");
FAULT(overflow, "  mov x1, sp\n1:sub sp, sp, #4096\n  str xzr, [sp]\n  b 1b\n", "  mov sp, x1\n  ret\n");
#endif

const fault_t faults[FAULT_KINDS] = {
    {"trap.roundtrip", SIGSEGV, OF(memory)},
    {"trap.kinds.unreachable", SIGILL, OF(unreachable)},
#if defined(__x86_64__)
    {"trap.kinds.division", SIGFPE, OF(division)},
#else
    {"trap.kinds.division", SIGFPE, NULL, NULL, NULL, NULL},
#endif
    {"trap.kinds.overflow", SIGSEGV, OF(overflow)},
};

void *inaccessible_memory(void)
{
    void *memory = mmap(NULL, INACCESSIBLE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker_require(memory != MAP_FAILED, "mmap");
    return memory;
}

void limit_the_stack(void)
{
    struct rlimit limit;
    worker_require(getrlimit(RLIMIT_STACK, &limit) == 0, "getrlimit");
    limit.rlim_cur = 256 * 1024;
    worker_require(setrlimit(RLIMIT_STACK, &limit) == 0, "setrlimit");
}
