//! x86-64, Microsoft's ABI.
//!
//! Unlike in the System V ABI, rdi, rsi and xmm6 to xmm15 belong to the caller too, a function has 32 bytes above its
//! return address for its own use, and the unwinder reads unwind codes (`.seh_*`, .pdata and .xdata), not DWARF.
//!
//! Shadow stacks (CET): the routine keeps to one where there is one. But a trap lands by NtContinue, and where a
//! process enforces shadow stacks strictly the kernel goes on only at places that an image lists (/guard:ehcont), which
//! this one does not. The image is not marked as compatible with CET, so that such a process refuses to load it.

use core::arch::asm;

use super::thread_pointer::load_thread;
use crate::shared::activation::Activation;
use crate::shared::thread::Thread;

/// This thread's record, null if it is not attached.
#[inline(always)]
pub(crate) fn current_thread() -> *const Thread {
    let thread: *const Thread;
    // SAFETY: reads the thread's word; it is only ever null or what `set_current_thread` wrote on this thread.
    unsafe {
        asm!(load_thread!("{0}", "{1}"), out(reg) thread, out(reg) _, options(nostack, readonly, pure));
    }
    thread
}

/// The code address that a return address stands for: itself.
pub(crate) fn code_address(return_address: usize) -> usize {
    return_address
}

/// The callee-saved registers that `wasmtrap_call` pushes after rbp.
const PUSHED: usize = 7 * 8;

/// Room for what is called, xmm6 to xmm15, and the stack's bounds in the thread's block: between the stack pointer and
/// the activation.
pub(crate) const BELOW_ACTIVATION: usize = ROOM_FOR_CALLEES + 10 * 16 + 2 * 8;
const ROOM_FOR_CALLEES: usize = 32;

/// The frame pointer of the `wasmtrap_call` that the activation belongs to.
pub(crate) fn call_frame(activation: *const Activation) -> usize {
    activation.addr() + size_of::<Activation>() + PUSHED
}

/// The activation of the `wasmtrap_call` whose frame the unwinder calls this: what the stack pointer is between
/// prologue and epilogue.
pub(crate) fn activation_in(frame: *mut core::ffi::c_void) -> *mut Activation {
    frame.wrapping_byte_add(BELOW_ACTIVATION).cast()
}

/// From the activation to the end of the frame: the registers, the caller's frame pointer, the return address.
pub(crate) const FRAME_SIZE: usize = size_of::<Activation>() + PUSHED + 16;

/// How many words the seal is over.
pub(crate) const SEALED_WORDS: usize = 12;

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
        word(frame - 16),
        trap.addr() as u64,
        word(frame - 24),
        word(frame - 32),
        word(frame - 40),
        word(frame - 48),
        word(frame - 56),
    ]
}

/// The body of `wasmtrap_call(function: rcx, argument: rdx, trap: r8) -> eax`.
///
/// The frame, from the top: return address, rbp, rbx, rdi, rsi, r12 to r15, the activation, the stack's bounds, xmm15
/// to xmm6, room for callees, at which rsp points during the call. A trap comes to `wasmtrap_landing` with rsp there
/// again and everything else lost.
///
/// The unwinder goes by rsp alone, which stays where it is between prologue and epilogue; rbp holds the place of the
/// caller's rbp for those who walk frame pointers. An exception that passes through, and a longjmp by RtlUnwindEx, has
/// the unwinder call `passed`.
macro_rules! protected_call {
    () => {
        $crate::arch::protected_call_asm!(
            ".seh_proc wasmtrap_call",
            "push rbp",
            ".seh_pushreg rbp",
            "push rbx",
            ".seh_pushreg rbx",
            "push rdi",
            ".seh_pushreg rdi",
            "push rsi",
            ".seh_pushreg rsi",
            "push r12",
            ".seh_pushreg r12",
            "push r13",
            ".seh_pushreg r13",
            "push r14",
            ".seh_pushreg r14",
            "push r15",
            ".seh_pushreg r15",
            "sub rsp, {frame}",
            ".seh_stackalloc {frame}",
            "movaps xmmword ptr [rsp + 32], xmm6",
            ".seh_savexmm xmm6, 32",
            "movaps xmmword ptr [rsp + 48], xmm7",
            ".seh_savexmm xmm7, 48",
            "movaps xmmword ptr [rsp + 64], xmm8",
            ".seh_savexmm xmm8, 64",
            "movaps xmmword ptr [rsp + 80], xmm9",
            ".seh_savexmm xmm9, 80",
            "movaps xmmword ptr [rsp + 96], xmm10",
            ".seh_savexmm xmm10, 96",
            "movaps xmmword ptr [rsp + 112], xmm11",
            ".seh_savexmm xmm11, 112",
            "movaps xmmword ptr [rsp + 128], xmm12",
            ".seh_savexmm xmm12, 128",
            "movaps xmmword ptr [rsp + 144], xmm13",
            ".seh_savexmm xmm13, 144",
            "movaps xmmword ptr [rsp + 160], xmm14",
            ".seh_savexmm xmm14, 160",
            "movaps xmmword ptr [rsp + 176], xmm15",
            ".seh_savexmm xmm15, 176",
            ".seh_endprologue",
            "lea rbp, [rsp + {frame} + {pushed}]",
            "mov rbx, rcx", // the function
            "mov rsi, rdx", // its argument
            "mov rdi, r8",  // the record
            // What is checked here is what the slow path would find in order; it finds the words for what is not.
            $crate::arch::load_thread!("rax", "r11"),
            "test rax, rax",
            "jz 3f",
            "test rbx, rbx",
            "jz 3f",
            "test rdi, rdi",
            "jz 22f",
            "cmp qword ptr [rdi + {trap_size}], {size_of_trap}",
            "jne 3f",
            "cmp qword ptr [rdi + {trap_frames}], 0",
            "jne 22f",
            "cmp qword ptr [rdi + {trap_capacity}], 0",
            "jne 3f",
            "22:",
            "mov rcx, qword ptr [rax + {depth}]",
            "cmp rcx, qword ptr [rax + {capacity}]",
            "jae 3f",
            "mov r8, qword ptr [rax + {entries}]",
            // The next call out must be further out; else it may have been left by longjmp.
            "cmp qword ptr [r8 + 8*rcx - 8], rbp",
            "jbe 3f",
            // From here on a shutdown finds the thread inside. It sets `attention` before it looks; each side has a
            // barrier, so that one of the two sees the other (`outside::library`). FlushProcessWriteBuffers would have
            // all threads pass one, as membarrier does on Linux; but Wine 8 has a stub in its place.
            "lea r9, [rcx + 1]",
            "mov qword ptr [rax + {depth}], r9",
            "lock or dword ptr [rsp], 0",
            "cmp byte ptr [rax + {attention}], 0",
            "jne 30f",
            "21:", // rax is the thread's record, r8 its entries, rcx the index of this call
            "mov r9, qword ptr [r8 + 8*rcx - 8]",
            "mov qword ptr [rsp + {activation} + {previous}], r9",
            "mov qword ptr [rsp + {activation} + {trap}], rdi",
            "stmxcsr dword ptr [rsp + {activation} + {float_control}]",
            "fnstcw word ptr [rsp + {activation} + {float_control} + 4]",
            "xor r10d, r10d",
            "mov qword ptr [rsp + {activation} + {droppable}], r10",
            "mov qword ptr [rsp + {activation} + {run}], r10",
            "rdsspq r10",
            "mov qword ptr [rsp + {activation} + {shadow_stack}], r10",
            "mov r10, qword ptr gs:[{stack_base}]",
            "mov qword ptr [rsp + {bounds}], r10",
            "mov r10, qword ptr gs:[{deallocation_stack}]",
            "mov qword ptr [rsp + {bounds} + 8], r10",
            // The seal: the words are those of `sealed_words`.
            $crate::arch::address_of!("r11", "{keys}"),
            "lea r10, [rsp + {activation}]",
            "imul r9, qword ptr [r11 + 8]",
            "add r9, qword ptr [rbp + 8]",
            "imul rdi, qword ptr [r11 + 56]",
            "add rdi, qword ptr [rbp - 24]",
            "imul r9, qword ptr [r11 + 16]",
            "add r9, r10",
            "imul rdi, qword ptr [r11 + 64]",
            "add rdi, qword ptr [rbp - 32]",
            "imul r9, qword ptr [r11 + 24]",
            "add r9, qword ptr [rbp]",
            "imul rdi, qword ptr [r11 + 72]",
            "add rdi, qword ptr [rbp - 40]",
            "imul r9, qword ptr [r11 + 32]",
            "add r9, qword ptr [rbp - 8]",
            "imul rdi, qword ptr [r11 + 80]",
            "add rdi, qword ptr [rbp - 48]",
            "imul r9, qword ptr [r11 + 40]",
            "add r9, qword ptr [rbp - 16]",
            "imul rdi, qword ptr [r11 + 88]",
            "add rdi, qword ptr [rbp - 56]",
            "imul r9, qword ptr [r11]",
            "imul rdi, qword ptr [r11 + 48]",
            "add r9, rdi",
            "add r9, qword ptr [r11 + 96]",
            "mov qword ptr [rsp + {activation} + {seal}], r9",
            "mov qword ptr [r8 + 8*rcx], r10", // from here on a trap lands here
            "mov rcx, rsi",
            "call rbx",
            // The thread may be another one by now (a fiber), so its pointer is read again.
            $crate::arch::load_thread!("rax", "r11"),
            "test rax, rax",
            "jz 2f",
            "mov rcx, qword ptr [rax + {depth}]",
            "mov r8, qword ptr [rax + {entries}]",
            "lea r10, [rsp + {activation}]",
            "cmp qword ptr [r8 + 8*rcx - 8], r10",
            "jne 2f",
            "dec rcx",
            "mov qword ptr [rax + {depth}], rcx",
            "mov qword ptr [r8 + 8*rcx], 0",
            "mov qword ptr [rsp + {activation} + {seal}], 0",
            "xor eax, eax",
            "jmp 7f",
            // The chain does not end with this call.
            "2:",
            "lea rcx, [rsp + {activation}]",
            "call {returned_out_of_order}",
            // The function has kept xmm6 to xmm15; the other registers are the frame's. In the form of an epilogue, by
            // which unwinders know it.
            "7:",
            "add rsp, {frame}",
            "pop r15",
            "pop r14",
            "pop r13",
            "pop r12",
            "pop rsi",
            "pop rdi",
            "pop rbx",
            "pop rbp",
            "ret",

            // From here to the record's end, ebx tells what is left to do: 0 to hand out this thread's record, 1
            // nothing, 3 the same after a raise out of a fault handler.
            $crate::arch::define_label!($crate::arch::landing_label!()),
            "cld",
            "fninit", // empties the x87 stack too
            "xor ebx, ebx",
            "jmp 72f",
            // After a raise, with the activation in rax, the record has been handed out. Code that keeps to the ABI
            // leaves nothing on the x87 stack for a call; emptying it is all that may be needed.
            $crate::arch::define_label!($crate::arch::raise_landing_label!()),
            "lea rsp, [rax - {activation}]",
            "emms",
            "72:",
            "lea rbp, [rsp + {frame} + {pushed}]",
            "fldcw word ptr [rsp + {activation} + {float_control} + 4]",
            "ldmxcsr dword ptr [rsp + {activation} + {float_control}]",
            "mov rax, qword ptr [rsp + {activation} + {shadow_stack}]",
            "test rax, rax",
            "jz 75f",
            "xor ecx, ecx",
            "rdsspq rcx",
            "sub rax, rcx",
            "shr rax, 3", // shadow frames to drop, at most 255 by one incssp
            "jz 75f",
            "74:",
            "mov ecx, 255",
            "cmp rax, rcx",
            "cmovb rcx, rax",
            "incsspq rcx",
            "sub rax, rcx",
            "jnz 74b",
            // The trap may have left another stack than this, whose bounds the thread's block has. How far this one had
            // grown by then is found out in ordinary context; until then as far as it is used now.
            "75:",
            "mov rax, qword ptr [rsp + {bounds}]",
            "cmp rax, qword ptr gs:[{stack_base}]",
            "je 76f",
            "mov rcx, qword ptr [rsp + {bounds} + 8]",
            "mov rdx, rsp",
            "and rdx, -4096",
            "mov qword ptr gs:[{stack_limit}], rdx",
            "mov qword ptr gs:[{stack_base}], rax",
            "mov qword ptr gs:[{deallocation_stack}], rcx",
            "call {stack_is_back}",
            "76:",
            "cmp ebx, 1",
            "je 73f",
            "lea rcx, [rsp + {activation}]",
            "mov edx, ebx",
            "call {trapped}",
            "73:",
            "movaps xmm6, xmmword ptr [rsp + 32]",
            "movaps xmm7, xmmword ptr [rsp + 48]",
            "movaps xmm8, xmmword ptr [rsp + 64]",
            "movaps xmm9, xmmword ptr [rsp + 80]",
            "movaps xmm10, xmmword ptr [rsp + 96]",
            "movaps xmm11, xmmword ptr [rsp + 112]",
            "movaps xmm12, xmmword ptr [rsp + 128]",
            "movaps xmm13, xmmword ptr [rsp + 144]",
            "movaps xmm14, xmmword ptr [rsp + 160]",
            "movaps xmm15, xmmword ptr [rsp + 176]",
            "mov eax, {trapped_status}",
            "jmp 7b",

            // Not ready, or a bad argument, or no room, or a call that may have been left. `prepare` makes room too,
            // and makes the depth one higher.
            "30:",
            "mov qword ptr [rax + {depth}], rcx",
            "3:",
            "mov rcx, rbx",
            "mov rdx, rsi",
            "mov r8, rdi",
            "mov r9, rbp",
            "call {prepare}",
            "test eax, eax",
            "jnz 7b",
            $crate::arch::load_thread!("rax", "r11"),
            "mov rcx, qword ptr [rax + {depth}]",
            "mov r8, qword ptr [rax + {entries}]",
            "dec rcx",
            "jmp 21b",
            ".seh_handler {passed}, @unwind",
            ".seh_endproc",
            run = const core::mem::offset_of!($crate::shared::activation::Activation, run),
            activation = const $crate::arch::BELOW_ACTIVATION,
            bounds = const $crate::arch::BELOW_ACTIVATION - 16,
            frame = const $crate::arch::BELOW_ACTIVATION + size_of::<$crate::shared::activation::Activation>(),
            pushed = const 7 * 8,
        )
    };
}
pub(crate) use protected_call;

// What the function calls finds the stack aligned: return address, rbp and seven registers are 72 bytes. The registers
// of 16 bytes lie at multiples of that.
const _: () = assert!((8 + 8 + PUSHED + size_of::<Activation>() + BELOW_ACTIVATION).is_multiple_of(16));
const _: () = assert!(ROOM_FOR_CALLEES.is_multiple_of(16));

/// The body of a function that is never called: no sanitizer here wants to see a longjmp (`sanitizers::need_jumps`).
macro_rules! call_within_a_jump {
    () => {
        core::arch::naked_asm!("ud2")
    };
}
pub(crate) use call_within_a_jump;

/// The body of `wasmtrap_raise(code: ecx, payload: rdx) -> !`: tells Rust where it was called from, and lands. Rust's
/// answer, of 16 bytes, comes by a pointer to room for it.
macro_rules! raise {
    () => {
        core::arch::naked_asm!(
            ".seh_proc wasmtrap_raise",
            "sub rsp, 72",
            ".seh_stackalloc 72",
            ".seh_endprologue",
            "mov r8, rdx",
            "mov edx, ecx",
            "lea rcx, [rsp + 48]",
            "mov r9, qword ptr [rsp + 72]",
            "lea rax, [rsp + 80]",
            "mov qword ptr [rsp + 32], rax",
            "mov qword ptr [rsp + 40], rbp",
            "call {raised}",
            "mov rax, qword ptr [rsp + 48]",
            "mov ebx, dword ptr [rsp + 56]",
            concat!("jmp ", $crate::arch::raise_landing_label!()),
            ".seh_endproc",
            raised = sym $crate::outside::call::raised,
        )
    };
}
pub(crate) use raise;

/// The body of `wasmtrap_run_call(run: rcx, function: rdx, argument: r8, trap: r9) -> eax`.
macro_rules! run_call {
    () => {
        $crate::arch::run_call_asm!(
            ".seh_proc wasmtrap_run_call",
            "sub rsp, 72",
            ".seh_stackalloc 72",
            ".seh_endprologue",
            "mov qword ptr [rsp + 32], rcx",
            "mov qword ptr [rsp + 32 + {function}], rdx",
            "mov qword ptr [rsp + 32 + {argument}], r8",
            "mov qword ptr [rsp + 32 + {trap}], r9",
            "lea rcx, [rsp + 32]",
            "call {prepare}",
            "test eax, eax",
            "jnz 2f",
            $crate::arch::address_of!("rcx", "{begin}"),
            "lea rdx, [rsp + 32]",
            "mov r8, qword ptr [rsp + 32 + {trap}]",
            "call wasmtrap_call",
            "lea rcx, [rsp + 32]",
            "mov edx, eax",
            "call {end}",
            "2:",
            "add rsp, 72",
            "ret",
            ".seh_endproc",
        )
    };
}
pub(crate) use run_call;

const _: () = assert!(size_of::<crate::outside::runs::Arguments>() == 40);

/// The body of the function that a run's protected call calls, `(arguments: rcx)`.
macro_rules! begin_run {
    () => {
        $crate::arch::begin_run_asm!(
            "sub rsp, 40",
            "mov qword ptr [rsp + 32], rcx",
            "call {begin}",
            "mov rax, qword ptr [rsp + 32]",
            "add rsp, 40",
            "mov rcx, qword ptr [rax + {argument}]",
            "mov rdx, qword ptr [rax + {word}]",
            "mov rax, qword ptr [rax + {function}]",
            "jmp {enter}",
        )
    };
}
pub(crate) use begin_run;

/// The body of `enter_guest(argument: rcx, the run's word: rdx, function: rax)`.
macro_rules! enter_guest {
    () => {
        core::arch::naked_asm!(
            "test byte ptr [rdx], {pending}",
            "jnz 2f",
            "jmp rax",
            "2:",
            "jmp {interrupted}",
            pending = const $crate::shared::runs::PENDING,
            interrupted = sym $crate::arch::interrupted_at_entry,
        )
    };
}
pub(crate) use enter_guest;

/// The bytes of `enter_guest`'s first three instructions, or a little more, but not more than all of it: in each of
/// them the guest has not begun.
pub(crate) const ENTERING: usize = 8;

/// The body of the function to which that one goes, with the registers as they are there. Rust's answer comes by a
/// pointer, as for `raise`.
macro_rules! interrupted_at_entry {
    () => {
        core::arch::naked_asm!(
            "sub rsp, 72",
            "mov qword ptr [rsp + 32], rcx",
            "mov qword ptr [rsp + 40], rdx",
            "mov qword ptr [rsp + 48], rax",
            "lea rcx, [rsp + 56]",
            "mov rdx, rax",
            "lea r8, [rsp + 72]",
            "mov r9, rbp",
            "call {at_first_instruction}",
            "mov rax, qword ptr [rsp + 56]",
            "test rax, rax",
            "jz 2f",
            "mov ebx, dword ptr [rsp + 64]",
            concat!("jmp ", $crate::arch::raise_landing_label!()),
            // Taken back in between.
            "2:",
            "mov rcx, qword ptr [rsp + 32]",
            "mov rdx, qword ptr [rsp + 40]",
            "mov rax, qword ptr [rsp + 48]",
            "add rsp, 72",
            "jmp {enter}",
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
            ".seh_proc wasmtrap_interrupt_point",
            "sub rsp, 56",
            ".seh_stackalloc 56",
            ".seh_endprologue",
            $crate::arch::load_thread!("rax", "r11"),
            "test rax, rax",
            "jz 3f",
            "test byte ptr [rax + {attention}], {interrupt}",
            "jz 3f",
            "lea rcx, [rsp + 32]",
            "mov rdx, qword ptr [rsp + 56]",
            "lea r8, [rsp + 64]",
            "mov r9, rbp",
            "call {at_point}",
            "mov rax, qword ptr [rsp + 32]",
            "test rax, rax",
            "jz 3f",
            "mov ebx, dword ptr [rsp + 40]",
            concat!("jmp ", $crate::arch::raise_landing_label!()),
            "3:",
            "add rsp, 56",
            "ret",
            ".seh_endproc",
        )
    };
}
pub(crate) use interrupt_point;

/// The body of `call_fault_handler(handler: rcx, fault: rdx) -> eax`. It has a frame: where the handler is left by an
/// exception or by a longjmp that unwinds, the unwinder calls `left`.
macro_rules! call_fault_handler {
    () => {
        $crate::arch::call_fault_handler_asm!(
            ".seh_proc {this}",
            "sub rsp, 40",
            ".seh_stackalloc 40",
            ".seh_endprologue",
            "mov rax, rcx",
            "mov rcx, rdx",
            "mov rdx, qword ptr [rax + {user}]",
            "call qword ptr [rax + {function}]",
            "nop", // what follows the call must not be taken for an epilogue, whose frame has nobody to tell
            "add rsp, 40",
            "ret",
            ".seh_handler {left}, @unwind",
            ".seh_endproc",
            this = sym $crate::arch::call_fault_handler,
            left = sym $crate::outside::platform::fault_handler_was_left,
        )
    };
}
pub(crate) use call_fault_handler;

/// Tells the current stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nostack, nomem, preserves_flags)) };
    sp
}
