//! Calling an earlier handler as the kernel would have: with its signal mask, and on its stack.
//!
//! Our entry point runs on the alternate stack, with every signal blocked. Where the kernel called it, the earlier
//! handler is entered for good, by rt_sigreturn from a context of our own making: registers, stack and mask become in
//! one step what the kernel would have given to that handler, so that no other signal finds the thread half-way. It
//! runs on the frame that the kernel has made, and returns from there straight into the kernel; nothing of ours is
//! left on any stack.
//!
//! A handler that was installed without SA_ONSTACK expects the stack of the code that it interrupts: it may need more
//! room than an alternate stack has, it may leave by siglongjmp, and while it runs the alternate stack is free for
//! other signals. So the kernel's frame is copied to where it would have been.

use libc::{siginfo_t, ucontext_t};

use crate::arch;
use crate::inside::signals::forward::{Entrance, Handler, NoRoom};
use crate::inside::signals::kernel;
use crate::shared::state;

/// The kernel takes the alternate stack off the thread while a handler runs, and rt_sigreturn puts it back.
pub(super) const SS_AUTODISARM: u32 = 1 << 31;

/// The alternate stack that the thread has while a handler runs (signal_delivered, kernel/signal.c). A kernel that puts
/// it back before the registers changes none but one that disarms itself (seen on 6.18: we run on it).
fn stack_of_a_handler(context: &ucontext_t) -> libc::stack_t {
    if context.uc_stack.ss_flags as u32 & SS_AUTODISARM == 0 {
        return context.uc_stack;
    }
    libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 }
}

/// Whether code with that stack pointer runs on an alternate signal stack, the kernel's way: with its top, where the
/// stack is empty, and without its lowest byte (__on_sig_stack, include/linux/sched/signal.h).
fn is_on(stack: &libc::stack_t, sp: usize) -> bool {
    let above_lowest = sp.wrapping_sub(stack.ss_sp.addr()).wrapping_sub(1);
    stack.ss_flags & libc::SS_DISABLE == 0 && above_lowest < stack.ss_size
}

/// Whether the code that the signal interrupted ran on the alternate signal stack.
pub(super) fn was_on_alternate_stack(context: &ucontext_t) -> bool {
    is_on(&context.uc_stack, interrupted_sp(context))
}

fn runs_on_alternate_stack(context: &ucontext_t) -> bool {
    is_on(&context.uc_stack, arch::stack_pointer())
}

/// Whether the kernel called the entry point, and not another handler.
#[cfg(target_arch = "x86_64")]
pub(crate) fn kernel_called(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> bool {
    layout::is_kernel_frame(info, context, entrance)
}

/// On arm64 nothing in the frame tells.
#[cfg(target_arch = "aarch64")]
pub(crate) fn kernel_called(_info: &siginfo_t, _context: &ucontext_t, _entrance: Entrance) -> bool {
    true
}

/// The size of the frame's extended state; `None` if it has only the legacy part.
#[cfg(target_arch = "x86_64")]
pub(super) fn extended_state_size(context: &ucontext_t) -> Option<usize> {
    layout::extended_state_size(super::context::extended_state(context).addr())
}

/// Enters the handler for good. Where that is not possible it is called from here: because another handler called us
/// and wants to be returned to, or because of a user shadow stack, on which rt_sigreturn looks for the kernel's token.
///
/// # Safety
/// The arguments are what the entry point was given.
#[inline(never)] // a function of its own, in which the check of the built library expects the call
pub(crate) unsafe fn call(
    handler: Handler,
    mask: u64,
    on_alternate_stack: bool,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) -> Result<(), NoRoom> {
    let frame = if arch::has_shadow_stack() { None } else { layout::kernel_frame(info, context, entrance) };
    let Some(frame) = frame else {
        kernel::with_mask(mask, || handler(signal, info, context));
        return Ok(());
    };
    let place = if runs_elsewhere(on_alternate_stack, context) {
        let top = interrupted_sp(context).wrapping_sub(layout::RED_ZONE);
        if !has_room(top, layout::size(&frame)) {
            return Err(NoRoom);
        }
        // SAFETY: the frame is the kernel's, complete and unchanged since it entered us; the memory below `top` is the
        // interrupted stack's free part, where the kernel would have written it.
        unsafe { layout::copy(&frame, context, top) }
    } else {
        layout::in_place(&frame)
    };
    // SAFETY: the frame at `place` is one from which the handler can return to the kernel.
    unsafe { layout::enter(handler as usize, signal, &place, context, mask) }
}

/// Whether a handler is to run on another stack than we do.
pub(crate) fn runs_elsewhere(on_alternate_stack: bool, context: &ucontext_t) -> bool {
    !on_alternate_stack && runs_on_alternate_stack(context) && !was_on_alternate_stack(context)
}

/// Each frame on the alternate stack can be found.
pub(crate) const FRAMES_ARE_UNKNOWN: bool = false;

/// The frame with which the kernel brought this thread to its alternate stack, where it is now: the highest one. It is
/// known by what the kernel keeps in it, that stack's place and size.
///
/// # Safety
/// `context` is one that the kernel made on this thread, which has interrupted a handler.
pub(crate) unsafe fn outermost_frame<'a>(context: &ucontext_t) -> Option<(&'a siginfo_t, &'a mut ucontext_t)> {
    let stack = &context.uc_stack;
    let (base, lowest) = (stack.ss_sp.addr(), interrupted_sp(context).next_multiple_of(align_of::<usize>()));
    let top = base.checked_add(stack.ss_size)? & !(align_of::<usize>() - 1);
    let mut place = top.checked_sub(size_of::<libc::stack_t>())?;
    while place >= lowest.checked_add(layout::BEFORE_STACK)? {
        // SAFETY: between the stack pointer of a handler that runs there and the stack's top.
        let found = unsafe { (place as *const libc::stack_t).read() };
        if found.ss_sp.addr() == base && found.ss_size == stack.ss_size {
            let context = place - core::mem::offset_of!(ucontext_t, uc_stack);
            // SAFETY: the caller's promise; both are in the same part of the stack.
            return Some(unsafe {
                (&*(layout::information(context) as *const siginfo_t), &mut *(context as *mut ucontext_t))
            });
        }
        place -= align_of::<usize>();
    }
    None
}

/// Whether a frame of that size fits below `top`. The kernel, which finds out by writing, leaves the thread where it
/// was if it does not; to find out so here would show us in the core dump, in the place of who used the stack up.
fn has_room(top: usize, size: usize) -> bool {
    let Some(lowest) = top.checked_sub(size) else { return false };
    // A word in each page of the frame, down to its lowest.
    let step = state::page_mask() + 1;
    let mut place = top;
    while place > lowest {
        place = place.saturating_sub(step).max(lowest);
        if kernel::is_writable(place) == Ok(false) {
            return false;
        }
    }
    true
}

#[cfg(target_arch = "x86_64")]
fn interrupted_sp(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RSP as usize] as usize
}

#[cfg(target_arch = "aarch64")]
fn interrupted_sp(context: &ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

/// Where the handler finds its arguments, and what the kernel would have started it with.
struct Place {
    info: usize,
    context: usize,
    sp: usize,
    #[cfg(target_arch = "aarch64")]
    fp: usize,
    #[cfg(target_arch = "aarch64")]
    link: usize,
}

/// `struct rt_sigframe` of arch/x86/include/asm/sigframe.h: return address, context, information; the floating-point
/// state lies above, where the context points.
#[cfg(target_arch = "x86_64")]
mod layout {
    use super::*;
    use crate::inside::signals::context::{extended_state, extended_state_place};

    pub(super) const RED_ZONE: usize = 128;

    /// From a frame's start to the alternate stack's description.
    pub(super) const BEFORE_STACK: usize = 8 + core::mem::offset_of!(ucontext_t, uc_stack);

    /// Where the information is that belongs to a context.
    pub(super) fn information(context: usize) -> usize {
        context + CONTEXT_SIZE
    }

    /// The kernel's ucontext ends after its 8 bytes of signal mask; libc's is longer.
    const CONTEXT_SIZE: usize = core::mem::offset_of!(ucontext_t, uc_sigmask) + 8;
    const FRAME_SIZE: usize = 8 + CONTEXT_SIZE + size_of::<siginfo_t>();
    const STATE_ALIGNMENT: usize = 64;

    /// In the bytes of the FXSAVE area that the processor leaves to software: a magic, and the size of all of the state
    /// (struct _fpx_sw_bytes, arch/x86/include/uapi/asm/sigcontext.h).
    const SOFTWARE_BYTES: usize = 464;
    const EXTENDED_MAGIC: u32 = 0x4650_5853;
    const PLAIN_STATE_SIZE: usize = 512;

    pub(super) struct Frame {
        pub(super) start: usize,
        pub(super) state: usize,
        pub(super) state_size: usize,
    }

    /// The frame that the kernel made for the entry point, if it was the kernel that called it.
    pub(super) fn kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> Option<Frame> {
        if !is_kernel_frame(info, context, entrance) {
            return None;
        }
        let state = extended_state(context).addr();
        let state_size = extended_state_size(state).unwrap_or(PLAIN_STATE_SIZE);
        Some(Frame { start: entrance.sp, state, state_size })
    }

    pub(super) fn is_kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> bool {
        let start = entrance.sp;
        core::ptr::from_ref(context).addr() == start + 8
            && core::ptr::from_ref(info).addr() == start + 8 + CONTEXT_SIZE
            && extended_state(context).addr() >= start + FRAME_SIZE
    }

    pub(super) fn extended_state_size(state: usize) -> Option<usize> {
        let software = (state + SOFTWARE_BYTES) as *const u32;
        // SAFETY: the kernel's frame has at least the FXSAVE area there.
        let (magic, size) = unsafe { (software.read(), software.add(1).read() as usize) };
        (magic == EXTENDED_MAGIC).then_some(size)
    }

    pub(super) fn size(frame: &Frame) -> usize {
        FRAME_SIZE + frame.state_size + STATE_ALIGNMENT + 16 + 8
    }

    pub(super) fn in_place(frame: &Frame) -> Place {
        let context = frame.start + 8;
        Place { info: context + CONTEXT_SIZE, context, sp: frame.start }
    }

    /// # Safety
    /// `frame` is whole, and `size(frame)` bytes below `top` are free.
    pub(super) unsafe fn copy(frame: &Frame, _context: &ucontext_t, top: usize) -> Place {
        let state = (top - frame.state_size) & !(STATE_ALIGNMENT - 1);
        // As after a call: 8 off a multiple of 16.
        let start = ((state - FRAME_SIZE) & !15) - 8;
        let context = start + 8;
        // SAFETY: the caller's promise; source and destination are on different stacks.
        unsafe {
            core::ptr::copy_nonoverlapping(frame.state as *const u8, state as *mut u8, frame.state_size);
            core::ptr::copy_nonoverlapping(frame.start as *const u8, start as *mut u8, FRAME_SIZE);
            extended_state_place(context as *mut ucontext_t).write(state as *mut u8);
        }
        Place { info: context + CONTEXT_SIZE, context, sp: start }
    }

    /// What rt_sigreturn reads: the frame without the information and the floating-point state.
    #[repr(C)]
    struct Entering {
        return_address: usize,
        flags: u64,
        link: usize,
        stack: libc::stack_t,
        registers: [i64; 23],
        state: usize,
        reserved: [u64; 8],
        mask: u64,
    }

    const _: () = assert!(size_of::<Entering>() == 8 + CONTEXT_SIZE);

    /// What the kernel clears for a handler (handle_signal, arch/x86/kernel/signal.c): DF, RF and TF.
    const CLEARED_FLAGS: i64 = 1 << 10 | 1 << 16 | 1 << 8;

    /// Starts the handler as the kernel does (setup_rt_frame and handle_signal, arch/x86/kernel/signal.c).
    ///
    /// # Safety
    /// A frame of the kernel's is at `place`; nothing of the current stack is needed any more.
    pub(super) unsafe fn enter(handler: usize, signal: i32, place: &Place, context: &ucontext_t, mask: u64) -> ! {
        // The other registers are those of the interrupted code.
        let mut registers = context.uc_mcontext.gregs;
        let flags = registers[libc::REG_EFL as usize] & !CLEARED_FLAGS;
        for (register, value) in [
            (libc::REG_RDI, i64::from(signal)),
            (libc::REG_RSI, place.info as i64),
            (libc::REG_RDX, place.context as i64),
            (libc::REG_RAX, 0), // variadic handlers look at al
            (libc::REG_RSP, place.sp as i64),
            (libc::REG_RIP, handler as i64),
            (libc::REG_EFL, flags),
            // With these two the way out of the kernel may be sysret, which is the faster one (do_syscall_64,
            // arch/x86/entry/syscall_64.c).
            (libc::REG_RCX, handler as i64),
            (libc::REG_R11, flags),
            (libc::REG_CSGSFS, arch::segments() as i64),
        ] {
            if let Some(place) = registers.get_mut(register as usize) {
                *place = value;
            }
        }
        let entering = Entering {
            return_address: 0,
            flags: context.uc_flags,
            link: 0,
            stack: stack_of_a_handler(context),
            registers,
            // None: the kernel makes the initial state of it, with the default rights by protection keys, as for every
            // handler (fpu__clear_user_states, arch/x86/kernel/fpu/core.c).
            state: 0,
            reserved: [0; 8],
            mask,
        };
        // SAFETY: a context that is whole; the caller's promise.
        unsafe { arch::return_from_signal(&raw const entering as usize) }
    }
}

/// `struct rt_sigframe` of arch/arm64/kernel/signal.c: information, then the context with all vector state in its
/// reserved space; the stack pointer is at its start.
#[cfg(target_arch = "aarch64")]
mod layout {
    use super::*;
    use crate::inside::signals::context::find_record;

    pub(super) const RED_ZONE: usize = 0;

    /// From a frame's start to the alternate stack's description.
    pub(super) const BEFORE_STACK: usize = size_of::<siginfo_t>() + core::mem::offset_of!(ucontext_t, uc_stack);

    /// Where the information is that belongs to a context.
    pub(super) fn information(context: usize) -> usize {
        context - size_of::<siginfo_t>()
    }

    /// The kernel's ucontext: libc's, which ends with the reserved space of the machine context.
    const FRAME_SIZE: usize = size_of::<siginfo_t>() + size_of::<ucontext_t>();
    /// Vector state that does not fit lies right behind, with its address and size in this record (setup_sigframe).
    const EXTRA_MAGIC: u32 = 0x4558_5401;
    const EXTRA_ADDRESS: usize = 8;
    const EXTRA_SIZE: usize = 16;
    const EXTRA_RECORD_SIZE: usize = 32;

    /// A frame pointer and a link register, as a function keeps them.
    const FRAME_RECORD_SIZE: usize = 16;

    pub(super) struct Frame {
        start: usize,
        size: usize,
        /// Where in the frame the extra state's address is.
        extra: Option<usize>,
        fp: usize,
        link: usize,
    }

    pub(super) fn kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> Option<Frame> {
        let Entrance { sp: start, fp, link, .. } = entrance;
        let ours = core::ptr::from_ref(info).addr() == start
            && core::ptr::from_ref(context).addr() == start + size_of::<siginfo_t>();
        if !ours {
            return None;
        }
        let Some(record) = find_record(context, EXTRA_MAGIC) else {
            return Some(Frame { start, size: FRAME_SIZE, extra: None, fp, link });
        };
        // SAFETY: the record is the kernel's, of 32 bytes (struct extra_context).
        let (address, size) = unsafe {
            (record.add(EXTRA_ADDRESS).cast::<u64>().read_unaligned() as usize, record.add(EXTRA_SIZE).cast::<u32>())
        };
        // SAFETY: as above.
        let end = address.checked_add(unsafe { size.read_unaligned() } as usize)?;
        let extra = record.addr() + EXTRA_ADDRESS - start;
        // The state follows the record and the empty record that ends the list, in what the list has left unused.
        (address >= record.addr() + EXTRA_RECORD_SIZE && end > address).then_some(Frame {
            start,
            size: (end - start).max(FRAME_SIZE),
            extra: Some(extra),
            fp,
            link,
        })
    }

    pub(super) fn size(frame: &Frame) -> usize {
        frame.size + 16 + FRAME_RECORD_SIZE
    }

    pub(super) fn in_place(frame: &Frame) -> Place {
        let &Frame { start, fp, link, .. } = frame;
        Place { info: start, context: start + size_of::<siginfo_t>(), sp: start, fp, link }
    }

    /// With a frame record at the top that leads to the interrupted code's, as the kernel makes one (get_sigframe).
    ///
    /// # Safety
    /// `frame` is whole, and `size(frame)` bytes below `top` are free.
    pub(super) unsafe fn copy(frame: &Frame, context: &ucontext_t, top: usize) -> Place {
        let fp = (top & !15) - FRAME_RECORD_SIZE;
        let start = (fp - frame.size) & !15;
        // SAFETY: the caller's promise.
        unsafe { (fp as *mut [u64; 2]).write([context.uc_mcontext.regs[29], context.uc_mcontext.regs[30]]) };
        // SAFETY: the caller's promise; source and destination are on different stacks.
        unsafe { core::ptr::copy_nonoverlapping(frame.start as *const u8, start as *mut u8, frame.size) };
        if let Some(extra) = frame.extra {
            let place = (start + extra) as *mut usize;
            // SAFETY: a word of the copy.
            unsafe { place.write_unaligned(place.read_unaligned() - frame.start + start) };
        }
        Place { info: start, context: start + size_of::<siginfo_t>(), sp: start, fp, link: frame.link }
    }

    const FPSIMD_MAGIC: u32 = 0x4650_8001;

    /// The vector registers, and the empty record that ends the list.
    #[repr(C, align(16))]
    struct Records {
        fpsimd: [u8; 528],
        end: [u32; 2],
    }

    /// What rt_sigreturn reads: the frame, with the registers that are to be and no record but the one it insists on.
    #[repr(C)]
    struct Entering {
        info: [u64; 16],
        flags: u64,
        link: usize,
        stack: libc::stack_t,
        mask: u64,
        unused: [u64; 15],
        machine: Machine,
    }

    #[repr(C, align(16))]
    struct Machine {
        fault_address: u64,
        registers: [u64; 31],
        sp: u64,
        pc: u64,
        pstate: u64,
        records: Records,
    }

    const _: () = assert!(
        core::mem::offset_of!(Entering, machine)
            == size_of::<siginfo_t>() + core::mem::offset_of!(ucontext_t, uc_mcontext)
    );

    /// What the kernel clears for a handler (setup_return, arch/arm64/kernel/signal.c): TCO; and BTYPE, which it then
    /// sets as for a call, where the processor has it. Without, the handler need not begin with `bti c`.
    const CLEARED_FLAGS: u64 = 1 << 25 | 0b11 << 10;

    /// Starts the handler as the kernel does (setup_return).
    ///
    /// # Safety
    /// A frame of the kernel's is at `place`; nothing of the current stack is needed any more.
    pub(super) unsafe fn enter(handler: usize, signal: i32, place: &Place, context: &ucontext_t, mask: u64) -> ! {
        let mut registers = context.uc_mcontext.regs;
        registers[0] = signal as u64;
        registers[1] = place.info as u64;
        registers[2] = place.context as u64;
        registers[29] = place.fp as u64;
        registers[30] = place.link as u64;
        let mut records = Records { fpsimd: [0; 528], end: [0; 2] };
        if let Some(record) = find_record(context, FPSIMD_MAGIC) {
            // SAFETY: a record of this kind is as long as this (struct fpsimd_context).
            records.fpsimd = unsafe { record.cast::<[u8; 528]>().read_unaligned() };
        }
        let entering = Entering {
            info: [0; 16],
            flags: 0,
            link: 0,
            stack: stack_of_a_handler(context),
            mask,
            unused: [0; 15],
            machine: Machine {
                fault_address: 0,
                registers,
                sp: place.sp as u64,
                pc: handler as u64,
                pstate: context.uc_mcontext.pstate & !CLEARED_FLAGS,
                records,
            },
        };
        // SAFETY: a context that is whole; the caller's promise.
        unsafe { arch::return_from_signal(&raw const entering as usize) }
    }
}

#[cfg(test)]
#[path = "earlier_handler_tests.rs"]
mod tests;
