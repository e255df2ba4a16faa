/*
 * WAMR's signal handler, called by libwasmtrap instead of by the kernel. See README.md for how it gets here.
 *
 * WAMR prepares each thread that is to run WebAssembly (os_thread_signal_init): it installs its handler for SIGSEGV and
 * SIGBUS and sets an alternate stack. The handler decides by the fault's address alone, and jumps to the innermost call
 * of WAMR's on its thread, or calls what was installed before it. Both are kept.
 */
#define WASMTRAP_WAMR_IMPLEMENTATION
#include "wasmtrap_wamr.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "wasmtrap.h"

typedef void (*signal_function_t)(int signal, siginfo_t *info, void *context);

/* What the process has of it: from the first thread that WAMR prepares, to the end of the last one. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int prepared_threads;
static wasmtrap_client_t client;
/* Set before the library has the fault handler, and never to another value. */
static signal_function_t handler_of_wamr;

/* A fault handler looks at these. initial-exec: the first look of a thread at other models' variables may allocate. */
#define FOR_HANDLERS static __thread __attribute__((tls_model("initial-exec")))
FOR_HANDLERS volatile sig_atomic_t prepared;
FOR_HANDLERS volatile sig_atomic_t jumping;
FOR_HANDLERS sigset_t mask_of_fault;

static void declined(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
}

static wasmtrap_verdict_t ask_wamr(wasmtrap_fault_t *fault, void *user)
{
    siginfo_t made;
    siginfo_t *info = fault->siginfo;

    (void)user;
    /* A fault whose address the processor does not tell is in no memory of WAMR's, whatever si_addr says. */
    if (!prepared || fault->kind != WASMTRAP_FAULT_MEMORY || !(fault->flags & WASMTRAP_HAS_FAULT_ADDRESS))
        return WASMTRAP_VERDICT_FORWARD;
    if (fault->ucontext != NULL) {
        /* In here every signal is blocked, and WAMR's jump does not restore the mask. */
        mask_of_fault = ((ucontext_t *)fault->ucontext)->uc_sigmask;
        jumping = 1;
    }
    if (info == NULL) { /* A Mach exception. */
        memset(&made, 0, sizeof made);
        made.si_signo = SIGSEGV;
        made.si_code = SEGV_ACCERR;
        made.si_addr = (void *)fault->fault_address;
        info = &made;
    }
    handler_of_wamr(info->si_signo, info, fault->ucontext);
    jumping = 0;
    return WASMTRAP_VERDICT_FORWARD;
}

/* `lock` is held. */
static int open_client(signal_function_t handler)
{
    wasmtrap_options_t options;
    wasmtrap_client_desc_t desc;
    wasmtrap_status_t status;

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.fault_kinds = WASMTRAP_FAULT_MEMORY;
    memset(&desc, 0, sizeof desc);
    desc.struct_size = sizeof desc;
    desc.name = "WAMR";
    desc.options = &options;
    status = wasmtrap_client_open(&desc, &client);
    if (status != WASMTRAP_OK)
        return -1;
    handler_of_wamr = handler;
    if (wasmtrap_client_set_fault_handler(client, ask_wamr, NULL, WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK)
        return 0;
    /* wasmtrap_last_error has been written by what failed: closing succeeds. */
    wasmtrap_client_close(client);
    client = 0;
    return -1;
}

int wasmtrap_wamr_sigaction(int signal, const struct sigaction *action, struct sigaction *earlier)
{
    int result = 0;

    if ((signal != SIGSEGV && signal != SIGBUS) || action == NULL || !(action->sa_flags & SA_SIGINFO)) {
        errno = EINVAL;
        return -1;
    }
    if (!prepared) {
        pthread_mutex_lock(&lock);
        if (client == 0)
            result = open_client(action->sa_sigaction);
        if (result == 0 && wasmtrap_thread_attach() != WASMTRAP_OK)
            result = -1;
        if (result == 0) {
            prepared_threads++;
            jumping = 0;
            prepared = 1;
        } else {
            fprintf(stderr, "WAMR on libwasmtrap: %s\n", wasmtrap_last_error());
            errno = ENOTSUP;
        }
        pthread_mutex_unlock(&lock);
    }
    if (result == 0 && earlier != NULL) {
        memset(earlier, 0, sizeof *earlier);
        earlier->sa_sigaction = declined;
        earlier->sa_flags = SA_SIGINFO;
    }
    return result;
}

int wasmtrap_wamr_sigaltstack(const stack_t *stack, stack_t *earlier)
{
    (void)stack;
    if (earlier != NULL) {
        memset(earlier, 0, sizeof *earlier);
        earlier->ss_flags = SS_DISABLE;
    } else if (prepared) {
        prepared = 0;
        pthread_mutex_lock(&lock);
        /* The thread stays attached: it may be the host's, or another engine's, and detaching is not counted. */
        if (--prepared_threads == 0 && wasmtrap_client_close(client) == WASMTRAP_OK)
            client = 0;
        pthread_mutex_unlock(&lock);
    }
    return 0;
}

int wasmtrap_wamr_sigmask(int how, const sigset_t *set, sigset_t *earlier)
{
    /* In WAMR's handler, which blocks its signals: they are blocked there. */
    if (jumping && how == SIG_BLOCK)
        return 0;
    if (jumping && how == SIG_UNBLOCK) {
        jumping = 0;
        return pthread_sigmask(SIG_SETMASK, &mask_of_fault, earlier);
    }
    return pthread_sigmask(how, set, earlier);
}
