//! x86-64, System V ABI.

use core::arch::asm;

#[cfg(target_os = "linux")]
use super::jump_landing_label;
use super::thread_pointer::load_thread;
use crate::shared::activation::Activation;
use crate::shared::thread::Thread;

/// This thread's record, null if it is not attached.
#[inline(always)]
pub(crate) fn current_thread() -> *const Thread {
    let thread: *const Thread;
    // SAFETY: reads the thread's word; it is only ever null or what `set_current_thread` wrote on this thread.
    #[cfg(target_env = "musl")]
    unsafe {
        asm!(load_thread!("rax"), out("rax") thread, options(readonly, pure));
    }
    // SAFETY: as above.
    #[cfg(not(target_env = "musl"))]
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

/// From the activation to the end of the frame: the registers, the caller's frame pointer, the return address.
pub(crate) const FRAME_SIZE: usize = size_of::<Activation>() + PUSHED + 16;

/// How many words the seal is over.
pub(crate) const SEALED_WORDS: usize = 10;

/// The words that the seal is over, in the order in which `wasmtrap_call` takes them.
///
/// # Safety
/// The frame of the activation can be read.
pub(crate) unsafe fn sealed_words(activation: *const Activation) -> [u64; SEALED_WORDS] {
    let frame = call_frame(activation);
    // SAFETY: the caller's promise.
    let word = |address: usize| unsafe { core::ptr::with_exposed_provenance::<u64>(address).read() };
    // SAFETY: the caller's promise.
    let (trap, previous) =
        unsafe { ((&raw const (*activation).trap).read(), (&raw const (*activation).previous).read()) };
    [
        previous.addr() as u64,
        word(frame + 8), // return address
        activation.addr() as u64,
        word(frame), // rbp
        word(frame - 8),
        trap.addr() as u64,
        word(frame - 16),
        word(frame - 24),
        word(frame - 32),
        word(frame - 40),
    ]
}

/// The instruction between a call's store to its thread's list and its look at `attention`.
#[cfg(target_os = "macos")]
macro_rules! barrier {
    () => {
        "lock or dword ptr [rsp], 0"
    };
}
#[cfg(target_os = "macos")]
pub(crate) use barrier;

/// A call of another module's function: by its entry in the GOT, not through the PLT, for which lld makes no unwind
/// tables.
macro_rules! call_elsewhere {
    ($symbol:literal) => {
        concat!("call qword ptr [rip + ", $symbol, "@GOTPCREL]")
    };
}
pub(crate) use call_elsewhere;

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
            $crate::arch::define_itself!(),
            "20:",
            "endbr64",
            // What is checked here is what the slow path would find in order; it finds the words for what is not.
            $crate::arch::load_thread!("rax"),
            "test rax, rax",
            "jz 3f",
            "test rdi, rdi",
            "jz 3f",
            "test rdx, rdx",
            "jz 22f",
            "cmp qword ptr [rdx + {trap_size}], {size_of_trap}",
            "jne 3f",
            "cmp qword ptr [rdx + {trap_capacity}], 0",
            "jne 23f",
            "22:",
            "mov rcx, qword ptr [rax + {depth}]",
            "cmp rcx, qword ptr [rax + {capacity}]",
            "jae 3f",
            "mov r8, qword ptr [rax + {entries}]",
            // The next call out must be further out; else it may have been left by longjmp.
            "mov r9, qword ptr [r8 + 8*rcx - 8]",
            "cmp r9, rsp",
            "jbe 3f",
            // From here on a shutdown finds the thread inside. It sets `attention` before it looks, and has all threads
            // pass a barrier in between, so that one of the two sees the other (`outside::library`).
            "lea r10, [rcx + 1]",
            "mov qword ptr [rax + {depth}], r10",
            $crate::arch::barrier_of_a_call!(),
            "xor r10d, r10d",
            "cmp byte ptr [rax + {attention}], r10b",
            "jne 30f",
            "21:", // r8 is where the thread's entries are, rcx the index of this call, r9 the entry before, r10 zero
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
            "mov qword ptr [rsp + {previous}], r9",
            "mov qword ptr [rsp + {trap}], rdx",
            "stmxcsr dword ptr [rsp + {float_control}]",
            "fnstcw word ptr [rsp + {float_control} + 4]",
            "mov qword ptr [rsp + {droppable}], r10",
            "mov qword ptr [rsp + {run}], r10",
            "rdsspq r10",
            "mov qword ptr [rsp + {shadow_stack}], r10",
            // The seal: the words are those of `sealed_words`.
            $crate::arch::address_of!("r11", "{keys}"),
            "imul r9, qword ptr [r11 + 8]",
            "add r9, qword ptr [rbp + 8]",
            "imul rdx, qword ptr [r11 + 48]",
            "add rdx, r12",
            "imul r9, qword ptr [r11 + 16]",
            "add r9, rsp",
            "imul rdx, qword ptr [r11 + 56]",
            "add rdx, r13",
            "imul r9, qword ptr [r11 + 24]",
            "add r9, qword ptr [rbp]",
            "imul rdx, qword ptr [r11 + 64]",
            "add rdx, r14",
            "imul r9, qword ptr [r11 + 32]",
            "add r9, rbx",
            "imul rdx, qword ptr [r11 + 72]",
            "add rdx, r15",
            "imul r9, qword ptr [r11]",
            "imul rdx, qword ptr [r11 + 40]",
            "add r9, rdx",
            "add r9, qword ptr [r11 + 80]",
            "mov qword ptr [rsp + {seal}], r9",
            "mov qword ptr [r8 + 8*rcx], rsp", // from here on a trap lands here
            "mov rcx, rdi",
            "mov rdi, rsi",
            "4:",
            "call rcx",
            "5:",
            // The thread may be another one by now (a fiber), so its pointer is read again.
            $crate::arch::load_thread!("rax"),
            "test rax, rax",
            "jz 2f",
            "mov rcx, qword ptr [rax + {depth}]",
            "mov r8, qword ptr [rax + {entries}]",
            "cmp qword ptr [r8 + 8*rcx - 8], rsp",
            "jne 2f",
            "dec rcx",
            "mov qword ptr [rax + {depth}], rcx",
            "mov qword ptr [r8 + 8*rcx], 0",
            "mov qword ptr [rsp + {seal}], 0",
            "xor eax, eax",
            "mov rsp, rbp", // two micro-operations with the next, where leave is three
            "pop rbp",
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

            // From here to the record's end, ebx tells what is left to do: 0 to hand out this thread's record, 1
            // nothing, 2 to hand out the server's record, 3 to put the signal mask back. rbp is nothing yet.
            ".cfi_remember_state",
            ".cfi_def_cfa rsp, {above_activation}",
            $crate::arch::define_server_landing!(),
            // The activation is in rax too. A handler changes the interrupted context register by register; where that
            // has its pc already, and its rsp not yet, unwinders go by rax.
            ".cfi_def_cfa rax, {above_activation}",
            $crate::arch::define_label!($crate::arch::landing_label!()),
            "endbr64",
            ".cfi_def_cfa rsp, {above_activation}",
            "cld",
            "fninit", // empties the x87 stack too
            "xor ebx, ebx",
            "jmp 72f",
            // After a raise, with the activation in rax, the record has been handed out, and ebx is 1 or 3. Code that
            // keeps to the ABI leaves nothing on the x87 stack for a call; emptying it is all that may be needed, and
            // takes a fraction of fninit's time.
            $crate::arch::define_label!($crate::arch::raise_landing_label!()),
            ".cfi_remember_state",
            ".cfi_def_cfa rax, {above_activation}",
            "mov rsp, rax",
            ".cfi_restore_state",
            "emms",
            // The same with ebx 0, rsp and the x87 state as they are to be.
            $crate::arch::define_jump_landing!(),
            "72:",
            "lea rbp, [rsp + {frame}]",
            ".cfi_restore_state",
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
            $crate::arch::call_elsewhere!("{resume_unwinding}"),
            "ud2",

            // Not ready, or a bad argument, or no room, or a call that may have been left. `prepare` makes room too,
            // and makes the depth one higher.
            ".cfi_restore_state",
            "23:",
            "cmp qword ptr [rdx + {trap_frames}], 0",
            "jne 22b",
            "jmp 3f",
            "30:",
            "mov qword ptr [rax + {depth}], rcx",
            "3:",
            "push rdi",
            ".cfi_def_cfa_offset 16",
            "push rsi",
            ".cfi_def_cfa_offset 24",
            "push rdx",
            ".cfi_def_cfa_offset 32",
            "mov rcx, rsp",
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
            "mov rcx, qword ptr [rax + {depth}]",
            "mov r8, qword ptr [rax + {entries}]",
            "dec rcx",
            "mov r9, qword ptr [r8 + 8*rcx - 8]",
            "xor r10d, r10d",
            "jmp 21b",
            "31:",
            "cmp eax, {within_a_jump}",
            "je {call_within_a_jump}",
            "ret",
            "9:",
            ".cfi_endproc",

            $crate::arch::exception_table!(),
            $crate::arch::label_addresses!(),
            run = const core::mem::offset_of!($crate::shared::activation::Activation, run),
            size_of_activation = const size_of::<$crate::shared::activation::Activation>(),
            frame = const size_of::<$crate::shared::activation::Activation>() + 5 * 8,
            // From the activation to where the stack pointer was before the call that came here.
            above_activation = const size_of::<$crate::shared::activation::Activation>() + 5 * 8 + 16,
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
            "xor esi, esi",
            $crate::arch::call_elsewhere!("{setjmp}"),
            "endbr64",
            "test eax, eax",
            "jnz 2f",
            "mov rdi, rbx",
            "mov rsi, r12",
            "mov rdx, r13",
            $crate::arch::call_prepared!(),
            "cmp eax, {trapped_status}",
            "jne 3f",
            "mov rdi, rsp",
            "mov esi, 1",
            $crate::arch::call_elsewhere!("{longjmp}"),
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
            setjmp = sym $crate::outside::platform::set_jump,
            longjmp = sym $crate::outside::platform::jump,
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
            "mov ebx, edx",
            $crate::arch::jump_to_raise_landing!(),
            ".cfi_endproc",
            raised = sym $crate::outside::call::raised,
        )
    };
}
pub(crate) use raise;

/// The body of `wasmtrap_run_call(run: rdi, function: rsi, argument: rdx, trap: rcx) -> eax`.
macro_rules! run_call {
    () => {
        $crate::arch::run_call_asm!(
            ".cfi_startproc",
            "endbr64",
            "sub rsp, {size}",
            ".cfi_adjust_cfa_offset {size}",
            "mov qword ptr [rsp], rdi",
            "mov qword ptr [rsp + {function}], rsi",
            "mov qword ptr [rsp + {argument}], rdx",
            "mov qword ptr [rsp + {trap}], rcx",
            "mov rdi, rsp",
            "call {prepare}",
            "test eax, eax",
            "jnz 2f",
            $crate::arch::address_of!("rdi", "{begin}"),
            "mov rsi, rsp",
            "mov rdx, qword ptr [rsp + {trap}]",
            $crate::arch::call_itself!(),
            "mov rdi, rsp",
            "mov esi, eax",
            "call {end}",
            "2:",
            "add rsp, {size}",
            ".cfi_adjust_cfa_offset -{size}",
            "ret",
            ".cfi_endproc",
            size = const size_of::<$crate::outside::runs::Arguments>(),
        )
    };
}
pub(crate) use run_call;

/// The body of the function that a run's protected call calls, `(arguments: rdi)`.
macro_rules! begin_run {
    () => {
        $crate::arch::begin_run_asm!(
            ".cfi_startproc",
            "endbr64",
            "push rdi",
            ".cfi_adjust_cfa_offset 8",
            "call {begin}",
            "pop rax",
            ".cfi_adjust_cfa_offset -8",
            "mov rdi, qword ptr [rax + {argument}]",
            "mov rcx, qword ptr [rax + {word}]",
            "mov rax, qword ptr [rax + {function}]",
            "jmp {enter}",
            ".cfi_endproc",
        )
    };
}
pub(crate) use begin_run;

/// The body of `enter_guest(argument: rdi, the run's word: rcx, function: rax)`.
macro_rules! enter_guest {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "test byte ptr [rcx], {pending}",
            "jnz 2f",
            "jmp rax",
            "2:",
            "jmp {interrupted}",
            ".cfi_endproc",
            pending = const $crate::shared::runs::PENDING,
            interrupted = sym $crate::arch::interrupted_at_entry,
        )
    };
}
pub(crate) use enter_guest;

/// The bytes of `enter_guest`'s first three instructions, or a little more, but not more than all of it: in each of
/// them the guest has not begun.
pub(crate) const ENTERING: usize = 8;

/// The body of the function to which that one goes, with the registers as they are there.
macro_rules! interrupted_at_entry {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "push rdi",
            ".cfi_adjust_cfa_offset 8",
            "push rax",
            ".cfi_adjust_cfa_offset 8",
            "push rcx",
            ".cfi_adjust_cfa_offset 8",
            "mov rdi, rax",
            "lea rsi, [rsp + 24]",
            "mov rdx, rbp",
            "call {at_first_instruction}",
            "test rax, rax",
            "jz 2f",
            "mov ebx, edx",
            $crate::arch::jump_to_raise_landing!(),
            // Taken back in between.
            "2:",
            "pop rcx",
            ".cfi_adjust_cfa_offset -8",
            "pop rax",
            ".cfi_adjust_cfa_offset -8",
            "pop rdi",
            ".cfi_adjust_cfa_offset -8",
            "jmp {enter}",
            ".cfi_endproc",
            at_first_instruction = sym $crate::outside::runs::at_first_instruction,
            enter = sym $crate::arch::enter_guest,
        )
    };
}
pub(crate) use interrupted_at_entry;

/// The body of `wasmtrap_interrupt_point()`.
macro_rules! interrupt_point {
    () => {
        $crate::arch::interrupt_point_asm!(
            ".cfi_startproc",
            "endbr64",
            $crate::arch::load_thread!("rax"),
            "test rax, rax",
            "jz 3f",
            "test byte ptr [rax + {attention}], {interrupt}",
            "jz 3f",
            "mov rdi, qword ptr [rsp]",
            "lea rsi, [rsp + 8]",
            "mov rdx, rbp",
            "sub rsp, 8",
            ".cfi_adjust_cfa_offset 8",
            "call {at_point}",
            "test rax, rax",
            "jz 2f",
            "mov ebx, edx",
            $crate::arch::jump_to_raise_landing!(),
            "2:",
            "add rsp, 8",
            ".cfi_adjust_cfa_offset -8",
            "3:",
            "ret",
            ".cfi_endproc",
        )
    };
}
pub(crate) use interrupt_point;

/// The body of `call_fault_handler(handler: rdi, fault: rsi) -> eax`.
macro_rules! call_fault_handler {
    () => {
        $crate::arch::call_fault_handler_asm!(
            ".cfi_startproc",
            "mov rax, rdi",
            "mov rdi, rsi",
            "mov rsi, qword ptr [rax + {user}]",
            "jmp qword ptr [rax + {function}]",
            ".cfi_endproc",
        )
    };
}
pub(crate) use call_fault_handler;

/// The body of a signal entry point, `(signal: edi, siginfo: rsi, ucontext: rdx)`: adds the stack pointer and the
/// number of the entry point, from which `entered` can tell whether the kernel called or another handler did.
macro_rules! signal_entry {
    ($entry:literal, $entered:ident) => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "endbr64",
            "mov rcx, rsp",
            // The kernel clears the direction flag for a handler but leaves the alignment check on, under which no
            // compiled code works (sigcontext handling in arch/x86/kernel/signal.c: DF, RF and TF are cleared).
            "pushfq",
            ".cfi_adjust_cfa_offset 8",
            "test dword ptr [rsp], {alignment_check}",
            "jz 2f",
            "and dword ptr [rsp], ~{alignment_check}",
            "popfq",
            ".cfi_adjust_cfa_offset -8",
            "jmp 3f",
            ".cfi_adjust_cfa_offset 8",
            "2:",
            "lea rsp, [rsp + 8]",
            ".cfi_adjust_cfa_offset -8",
            "3:",
            "mov r8d, {entry}",
            "jmp {entered}",
            // ENTRY_MARK, as instructions that nobody comes to.
            ".cfi_endproc",
            "nop dword ptr [rax + rax + 0x6d736177]",
            "nop dword ptr [rax + rax + 0x70617274]",
            "jmp {forwards_to}",
            entry = const $entry,
            alignment_check = const 1 << 18,
            entered = sym $crate::inside::signals::entry::$entered,
            forwards_to = sym $crate::inside::signals::entry::forwards_to,
        )
    };
}
pub(crate) use signal_entry;

/// What follows the end of a signal entry point of this library, and of no other function.
pub(crate) const ENTRY_MARK: [u8; 16] = *b"\x0f\x1f\x84\0wasm\x0f\x1f\x84\0trap";

/// The size of the jump that follows it, to another section.
pub(crate) const JUMP_SIZE: usize = 5;

/// Where a jump goes whose last four bytes are these, and which ends at `end`.
pub(crate) fn jump_target(end: usize, jump: [u8; 4]) -> usize {
    end.wrapping_add_signed(i32::from_le_bytes(jump) as isize)
}

/// Tells the current stack pointer.
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

/// The low half of XCR0: which components of the extended state the kernel has enabled. Only where CPUID.1:ECX has
/// OSXSAVE.
#[cfg(target_os = "linux")]
pub(crate) fn enabled_state() -> u32 {
    let low;
    // SAFETY: reads a register, which the system lets everybody read.
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") _, options(nomem, nostack, preserves_flags)) };
    low
}

/// rt_sigreturn from the signal frame at `frame`, which begins with a return address that it does not look at.
///
/// # Safety
/// The frame is whole; nothing of the current stack is needed any more.
#[cfg(target_os = "linux")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn return_from_signal(frame: usize) -> ! {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "mov rdx, rsp",
        ".cfi_def_cfa_register rdx",
        "lea rsp, [rdi + 8]",
        "mov eax, 15",
        "syscall",
        "ud2",
        ".cfi_endproc"
    )
}

/// Lands in the protected call of this activation, with this signal mask.
///
/// The mask is put back on the stack of the call, by rt_sigprocmask, so that signals that have waited find the other
/// stack free. Where that is refused nothing has changed, and the frame is whole: rt_sigreturn does all of it.
///
/// # Safety
/// This is a signal handler, with all signals blocked; the kernel's frame at `frame` resumes at the landing of this
/// activation, with this mask; nothing of the current stack is needed any more.
#[cfg(target_os = "linux")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave_by_jump(activation: usize, mask: u64, frame: usize) -> ! {
    core::arch::naked_asm!(
        // As in the call itself, whose frame this is the inner end of.
        ".cfi_startproc",
        ".cfi_def_cfa rdi, {above_activation}",
        ".cfi_offset rbp, -16",
        ".cfi_offset rbx, -24",
        ".cfi_offset r12, -32",
        ".cfi_offset r13, -40",
        ".cfi_offset r14, -48",
        ".cfi_offset r15, -56",
        "mov rsp, rdi",
        "mov r13, rdi",
        ".cfi_def_cfa_register r13",
        "push rsi",
        "mov r12, rdx",
        "mov edi, {set_mask}",
        "mov rsi, rsp",
        "xor edx, edx",
        "mov r10d, 8", // the kernel's sigset_t
        "mov eax, {rt_sigprocmask}",
        "syscall",
        "mov rsp, r13",
        "xor ebx, ebx",
        "test eax, eax",
        "jnz 2f",
        concat!("jmp ", jump_landing_label!()),
        "2:",
        "lea rsp, [r12 + 8]",
        "mov eax, {rt_sigreturn}",
        "syscall",
        "ud2",
        ".cfi_endproc",
        above_activation = const FRAME_SIZE,
        set_mask = const libc::SIG_SETMASK,
        rt_sigprocmask = const libc::SYS_rt_sigprocmask,
        rt_sigreturn = const libc::SYS_rt_sigreturn,
    )
}

// What a disposition has the kernel return to from a handler, where libc has not set it: rt_sigreturn, in the very
// bytes by which unwinders know the end of a signal frame (libgcc's config/i386/linux-unwind.h, gdb's
// amd64-linux-tdep.c). They look for the function at the address before, where there is none.
#[cfg(target_os = "linux")]
core::arch::global_asm!(
    r#"
    .pushsection .text.wasmtrap_restorer, "ax", @progbits
    .balign 16
    nop
    .globl wasmtrap_restorer
    .hidden wasmtrap_restorer
    .type wasmtrap_restorer, @function
wasmtrap_restorer:
    .byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00 # mov rax, 15
    syscall
    .size wasmtrap_restorer, . - wasmtrap_restorer
    .popsection
    "#
);

/// Its address.
#[cfg(target_os = "linux")]
pub(crate) fn restorer() -> usize {
    unsafe extern "C" {
        fn wasmtrap_restorer();
    }
    wasmtrap_restorer as unsafe extern "C" fn() as usize
}

/// The segments of code and stack, as a signal's context has them: cs, and ss above three others.
#[cfg(target_os = "linux")]
pub(crate) fn segments() -> u64 {
    let (code, stack): (u64, u64);
    // SAFETY: reads two registers.
    unsafe {
        asm!("mov {:e}, cs", "mov {:e}, ss", out(reg) code, out(reg) stack, options(nostack, nomem, preserves_flags));
    }
    code | stack << 48
}

/// Ends the process by a fault, in a handler that has its signal blocked: by this signal, where an instruction makes
/// it.
#[inline(never)]
pub(crate) fn die_of(signal: libc::c_int) -> ! {
    // SAFETY: none of these returns: the kernel ends the process for a fault whose signal is blocked.
    unsafe {
        match signal {
            libc::SIGSEGV => asm!("mov rax, qword ptr [0]", out("rax") _, options(nostack)),
            libc::SIGFPE => asm!("xor ecx, ecx", "div ecx", out("rcx") _, out("rax") _, out("rdx") _, options(nostack)),
            libc::SIGTRAP => asm!("int3", options(nostack)),
            _ => (),
        }
        asm!("ud2", options(noreturn, nostack))
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

/// The body of a function that calls another one on another stack and comes back:
/// `(function: rdi, argument: rsi, top: rdx)`, where `top` is a multiple of 16.
#[cfg(wasmtrap_mach)]
macro_rules! call_on_stack {
    () => {
        core::arch::naked_asm!(
            ".cfi_startproc",
            "push rbp",
            ".cfi_def_cfa_offset 16",
            ".cfi_offset rbp, -16",
            "mov rbp, rsp",
            ".cfi_def_cfa_register rbp",
            "mov rsp, rdx",
            "mov rax, rdi",
            "mov rdi, rsi",
            "call rax",
            "leave",
            ".cfi_def_cfa rsp, 8",
            "ret",
            ".cfi_endproc",
        )
    };
}
#[cfg(wasmtrap_mach)]
pub(crate) use call_on_stack;
