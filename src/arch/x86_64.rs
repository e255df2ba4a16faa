//! x86-64, System V ABI.

use core::arch::asm;

#[cfg(target_os = "linux")]
use super::object_format::direct_landing_label;
use super::thread_pointer::load_thread;
use crate::shared::activation::Activation;
use crate::shared::thread::Thread;

/// This thread's record, null if it is not attached.
#[inline(always)]
pub(crate) fn current_thread() -> *const Thread {
    let thread: *const Thread;
    // SAFETY: reads the thread's word; it is only ever null or what `set_current_thread` wrote on this thread.
    unsafe {
        asm!(load_thread!("{0}"), out(reg) thread, options(nostack, readonly, pure));
    }
    thread
}

#[cfg(wasmtrap_mach)]
macro_rules! define_server_landing {
    () => {
        concat!(
            $crate::arch::define_label!($crate::arch::server_landing_label!()),
            "\nendbr64\ncld\nfninit\nmov ebx, 2\njmp 72f"
        )
    };
}
#[cfg(wasmtrap_mach)]
pub(crate) use define_server_landing;

/// Ends a signal handler in a landing.
///
/// # Safety
/// `activation` is the protected call in which a trap lands; nothing of the current stack is needed any more, and the
/// x87 state is the initial one.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn land_directly(activation: usize) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "mov rsp, {activation}",
            concat!("jmp ", direct_landing_label!()),
            activation = in(reg) activation,
            options(noreturn)
        );
    }
}

/// The same with another signal mask, which is set when the alternate stack is no longer in use.
///
/// # Safety
/// As above.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn land_with_mask(activation: usize, mask: u64) -> ! {
    // SAFETY: the caller's promise. Below a protected call's activation its stack is free, and a signal that arrives in
    // between leaves the word that rsp points at alone. What `syscall` destroys, rcx and r11, is not used.
    unsafe {
        asm!(
            "mov rsp, {activation}",
            "push rdx",
            "xor edx, edx",
            "mov rsi, rsp",
            "syscall",
            "lea rsp, [rsp + 8]",
            concat!("jmp ", direct_landing_label!()),
            activation = in(reg) activation,
            in("rax") libc::SYS_rt_sigprocmask,
            in("rdi") libc::SIG_SETMASK as usize,
            in("rdx") mask,
            in("r10") size_of::<u64>(),
            options(noreturn)
        );
    }
}

/// The code address that a return address stands for: itself.
pub(crate) fn code_address(return_address: usize) -> usize {
    return_address
}

/// Size of the callee-saved registers that `wasmtrap_call` pushes after rbp.
const PUSHED: usize = 5 * 8;

/// The frame pointer of the `wasmtrap_call` that the activation belongs to.
pub(crate) fn call_frame(activation: *const Activation) -> usize {
    activation.addr() + size_of::<Activation>() + PUSHED
}

/// The body of `wasmtrap_call(function: rdi, argument: rsi, trap: rdx) -> eax`.
///
/// The frame, from the top: return address, rbp, rbx, r12 to r15, the activation, at which rsp points during the call.
/// A trap comes to `wasmtrap_landing` with rsp there again and everything else lost.
///
/// An exception that passes through comes to label 6: the table at the end names it as a cleanup for the call, and the
/// personality routine is C's (`__gcc_personality_v0` of the compiler's runtime), which knows cleanups and nothing
/// else.
///
/// Shadow stack (CET): the call saves ssp, the landing pops the shadow frames of what the trap has dropped. rdssp does
/// nothing where there is none and leaves the zero. endbr64 stands where an indirect branch arrives.
macro_rules! protected_call {
    () => {
        $crate::arch::protected_call_asm!(
            ".cfi_startproc",
            $crate::arch::unwind_tables!(),
            ".cfi_remember_state",
            "20:",
            "endbr64",
            // What is checked here is what the slow path would find in order; it finds the words for what is not.
            $crate::arch::load_thread!("rax"),
            "test rax, rax",
            "jz 3f",
            "cmp byte ptr [rax + {attention}], 0",
            "jne 3f",
            "test rdi, rdi",
            "jz 3f",
            "test rdx, rdx",
            "jz 21f",
            "cmp qword ptr [rdx + {trap_size}], {size_of_trap}",
            "jne 3f",
            "cmp qword ptr [rdx + {trap_frames}], 0",
            "jne 21f",
            "cmp qword ptr [rdx + {trap_capacity}], 0",
            "jne 3f",
            "21:",
            "push rbp",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset rbp, -16",
            "mov rbp, rsp",
            ".cfi_def_cfa_register rbp",
            "push rbx",
            "push r12",
            "push r13",
            "push r14",
            "push r15",
            ".cfi_offset rbx, -24",
            ".cfi_offset r12, -32",
            ".cfi_offset r13, -40",
            ".cfi_offset r14, -48",
            ".cfi_offset r15, -56",
            "sub rsp, {size_of_activation}",
            "mov rcx, qword ptr [rax + {chain}]",
            "mov qword ptr [rsp + {previous}], rcx",
            "mov qword ptr [rsp + {trap}], rdx",
            "stmxcsr dword ptr [rsp + {float_control}]",
            "fnstcw word ptr [rsp + {float_control} + 4]",
            "xor ecx, ecx",
            "rdsspq rcx",
            "mov qword ptr [rsp + {shadow_stack}], rcx",
            "mov qword ptr [rsp + {detached}], 0",
            "mov qword ptr [rax + {chain}], rsp", // from here on a trap lands here
            "mov rcx, rdi",
            "mov rdi, rsi",
            "4:",
            "call rcx",
            "5:",
            // The thread may be another one by now (a fiber), so its pointer is read again.
            $crate::arch::load_thread!("rax"),
            "test rax, rax",
            "jz 2f",
            "cmp qword ptr [rax + {chain}], rsp",
            "jne 2f",
            "mov rcx, qword ptr [rsp + {previous}]",
            "mov qword ptr [rax + {chain}], rcx",
            "xor eax, eax",
            "leave",
            ".cfi_remember_state",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_restore_state",
            // The chain does not end with this call.
            "2:",
            "mov rdi, rsp",
            "call {returned_out_of_order}",
            "leave",
            ".cfi_remember_state",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_restore_state",

            // From here to the record's end, ebx tells whose record it is: 0 this thread's, 1 none, 2 the server's.
            $crate::arch::define_server_landing!(),
            $crate::arch::define_label!($crate::arch::landing_label!()),
            "endbr64",
            "cld",
            "fninit", // empties the x87 stack too
            // A handler has all that already.
            $crate::arch::define_label!($crate::arch::direct_landing_label!()),
            "xor ebx, ebx",
            "jmp 72f",
            // After a raise the record has been handed out. Code that keeps to the ABI leaves nothing on the x87 stack
            // for a call; emptying it is all that may be needed, and takes a fraction of fninit's time.
            $crate::arch::define_label!($crate::arch::raise_landing_label!()),
            "emms",
            "mov ebx, 1",
            "72:",
            "lea rbp, [rsp + {frame}]",
            "fldcw word ptr [rsp + {float_control} + 4]",
            "ldmxcsr dword ptr [rsp + {float_control}]",
            "mov rax, qword ptr [rsp + {shadow_stack}]",
            "test rax, rax",
            "jz 71f",
            "xor ecx, ecx",
            "rdsspq rcx",
            "sub rax, rcx",
            "shr rax, 3", // shadow frames to drop, at most 255 by one incssp
            "70:",
            "mov ecx, 255",
            "cmp rax, rcx",
            "cmovb rcx, rax",
            "incsspq rcx",
            "sub rax, rcx",
            "jnz 70b",
            "71:",
            "cmp ebx, 1",
            "je 73f",
            "mov rdi, rsp",
            "mov esi, ebx",
            "call {trapped}",
            "73:",
            "mov eax, {trapped_status}",
            "mov rbx, qword ptr [rbp - 8]",
            "mov r12, qword ptr [rbp - 16]",
            "mov r13, qword ptr [rbp - 24]",
            "mov r14, qword ptr [rbp - 32]",
            "mov r15, qword ptr [rbp - 40]",
            "leave",
            ".cfi_remember_state",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_restore_state",

            // An exception passes: rax is its object. rbx is free, its caller's value is in the frame.
            "6:",
            "endbr64",
            "mov rbx, rax",
            "mov rdi, rsp",
            "call {unwound}",
            "mov rdi, rbx",
            "call {resume_unwinding}",
            "ud2",

            // Not ready, or a bad argument.
            ".cfi_restore_state",
            "3:",
            "push rdi",
            ".cfi_def_cfa_offset 16",
            "push rsi",
            ".cfi_def_cfa_offset 24",
            "push rdx",
            ".cfi_def_cfa_offset 32",
            "call {prepare}",
            "pop rdx",
            ".cfi_def_cfa_offset 24",
            "pop rsi",
            ".cfi_def_cfa_offset 16",
            "pop rdi",
            ".cfi_def_cfa_offset 8",
            "test eax, eax",
            "jnz 31f",
            $crate::arch::define_label!($crate::arch::prepared_call_label!()),
            $crate::arch::load_thread!("rax"),
            "jmp 21b",
            "31:",
            "jg {call_within_a_jump}",
            "ret",
            "9:",
            ".cfi_endproc",

            $crate::arch::exception_table!(),
            $crate::arch::label_addresses!(),
            size_of_activation = const size_of::<$crate::shared::activation::Activation>(),
            frame = const size_of::<$crate::shared::activation::Activation>() + 5 * 8,
        )
    };
}
pub(crate) use protected_call;

// The activation keeps the stack aligned for the call: return address, rbp and five registers are 56 bytes.
const _: () = assert!((8 + 8 + PUSHED + size_of::<Activation>()).is_multiple_of(16));

/// The body of a function with the parameters of `wasmtrap_call`, which have been checked: makes the call within a
/// setjmp, and jumps after a trap.
macro_rules! call_within_a_jump {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "push rbp",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset rbp, -16",
            "mov rbp, rsp",
            ".cfi_def_cfa_register rbp",
            "push rbx",
            "push r12",
            "push r13",
            "push r14",
            ".cfi_offset rbx, -24",
            ".cfi_offset r12, -32",
            ".cfi_offset r13, -40",
            ".cfi_offset r14, -48",
            "sub rsp, {size_of_jump}",
            "mov rbx, rdi",
            "mov r12, rsi",
            "mov r13, rdx",
            "mov rdi, rsp",
            "call {setjmp}",
            "endbr64",
            "test eax, eax",
            "jnz 2f",
            "mov rdi, rbx",
            "mov rsi, r12",
            "mov rdx, r13",
            concat!("call ", $crate::arch::prepared_call_label!()),
            "cmp eax, {trapped_status}",
            "jne 3f",
            "mov rdi, rsp",
            "mov esi, 1",
            "call {longjmp}",
            "2:",
            "mov eax, {trapped_status}",
            "3:",
            "lea rsp, [rbp - 32]",
            "pop r14",
            "pop r13",
            "pop r12",
            "pop rbx",
            "pop rbp",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_endproc",
            size_of_jump = const $crate::outside::call::SIZE_OF_JUMP,
            setjmp = sym $crate::outside::call::_setjmp,
            longjmp = sym $crate::outside::call::longjmp,
            trapped_status = const $crate::abi::WASMTRAP_TRAPPED,
        )
    };
}
pub(crate) use call_within_a_jump;

/// The body of `wasmtrap_raise(code: edi, payload: rsi) -> !`: tells Rust where it was called from, and lands.
macro_rules! raise {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "endbr64",
            "mov rdx, qword ptr [rsp]",
            "lea rcx, [rsp + 8]",
            "mov r8, rbp",
            "sub rsp, 8",
            ".cfi_def_cfa_offset 16",
            "call {raised}",
            "mov rsp, rax",
            $crate::arch::jump_to_raise_landing!(),
            ".cfi_endproc",
            raised = sym $crate::outside::call::raised,
        )
    };
}
pub(crate) use raise;

/// The body of a signal entry point, `(signal: edi, siginfo: rsi, ucontext: rdx)`: adds the stack pointer and the
/// number of the entry point, from which `entered` can tell whether the kernel called or another handler did.
macro_rules! signal_entry {
    ($entry:literal) => {
        core::arch::naked_asm!(
            "endbr64",
            "mov rcx, rsp",
            // The kernel clears the direction flag for a handler but leaves the alignment check on, under which no
            // compiled code works (sigcontext handling in arch/x86/kernel/signal.c: DF, RF and TF are cleared).
            "pushfq",
            "test dword ptr [rsp], {alignment_check}",
            "jz 2f",
            "and dword ptr [rsp], ~{alignment_check}",
            "popfq",
            "jmp 3f",
            "2:",
            "lea rsp, [rsp + 8]",
            "3:",
            "xor r8d, r8d", // no link register here
            "mov r9d, {entry}",
            "jmp {entered}",
            entry = const $entry,
            alignment_check = const 1 << 18,
            entered = sym $crate::inside::signals::entry::entered,
        )
    };
}
pub(crate) use signal_entry;

/// Tells the current stack pointer.
#[cfg(target_os = "linux")]
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nostack, nomem, preserves_flags)) };
    sp
}

/// Whether the thread has a user shadow stack.
#[cfg(target_os = "linux")]
pub(crate) fn has_shadow_stack() -> bool {
    let ssp: u64;
    // SAFETY: rdssp does nothing where there is no shadow stack.
    unsafe { asm!("xor {0:e}, {0:e}", "rdsspq {0}", out(reg) ssp, options(nostack, nomem)) };
    ssp != 0
}

/// Leaves the current stack for good: `handler` runs with `frame` as the kernel would have left it, and returns to what
/// the frame says.
///
/// # Safety
/// `frame` is a signal frame that rt_sigreturn accepts, with the return address first; nothing of the current stack is
/// needed any more.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn enter_signal_frame(
    handler: usize,
    signal: libc::c_int,
    siginfo: usize,
    ucontext: usize,
    frame: usize,
    _link: usize,
) -> ! {
    // SAFETY: the caller's promise. rax is 0 because the kernel clears it (variadic handlers look at al).
    unsafe {
        asm!(
            "mov rsp, {frame}",
            "xor eax, eax",
            "jmp r11",
            frame = in(reg) frame,
            in("r11") handler, // not rax, which has just been cleared
            in("edi") signal,
            in("rsi") siginfo,
            in("rdx") ucontext,
            options(noreturn)
        )
    }
}

/// A system call, with the kernel's own return value: -errno for errors. errno itself is not touched.
///
/// # Safety
/// As the system call's.
#[inline(always)]
#[cfg(target_os = "linux")]
pub(crate) unsafe fn system_call(number: libc::c_long, arguments: [usize; 4]) -> isize {
    let result: isize;
    // SAFETY: the caller's promise; rcx and r11 are what `syscall` destroys.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result
}

/// The body of a function that calls a signal handler on another stack and comes back:
/// `(handler: rdi, signal: esi, siginfo: rdx, ucontext: rcx, top: r8)`, where `top` is a multiple of 16.
#[cfg(target_os = "macos")]
macro_rules! call_on_stack {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "push rbp",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset rbp, -16",
            "mov rbp, rsp",
            ".cfi_def_cfa_register rbp",
            "mov rsp, r8",
            "mov rax, rdi",
            "mov edi, esi",
            "mov rsi, rdx",
            "mov rdx, rcx",
            "call rax",
            "leave",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_endproc",
        )
    };
}
#[cfg(target_os = "macos")]
pub(crate) use call_on_stack;
