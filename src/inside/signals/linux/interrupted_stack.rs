//! Running an earlier handler on the stack that the fault interrupted.
//!
//! A handler that was installed without SA_ONSTACK expects the stack of the code that it interrupts: it may need more
//! room than an alternate stack has, it may leave by siglongjmp, and while it runs the alternate stack is free for
//! other signals. Our own entry point runs on the alternate stack, so the kernel's signal frame is copied to where it
//! would have been, and the handler entered with it. It returns from the copy straight into the kernel; nothing of
//! ours is left on the alternate stack.

use libc::{siginfo_t, ucontext_t};

use crate::arch;
use crate::inside::signals::forward::{Entrance, Handler, NoRoom};

/// Whether the code that the signal interrupted ran on the alternate signal stack.
pub(super) fn was_on_alternate_stack(context: &ucontext_t) -> bool {
    let stack = &context.uc_stack;
    let base = stack.ss_sp.addr();
    stack.ss_flags & libc::SS_DISABLE == 0 && interrupted_sp(context).wrapping_sub(base) < stack.ss_size
}

fn runs_on_alternate_stack(context: &ucontext_t) -> bool {
    let stack = &context.uc_stack;
    stack.ss_flags & libc::SS_DISABLE == 0 && arch::stack_pointer().wrapping_sub(stack.ss_sp.addr()) < stack.ss_size
}

/// Whether the kernel called the entry point, and not another handler.
#[cfg(target_arch = "x86_64")]
pub(super) fn kernel_called(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> bool {
    layout::is_kernel_frame(info, context, entrance)
}

/// The size of the frame's extended state; `None` if it has only the legacy part.
#[cfg(target_arch = "x86_64")]
pub(super) fn extended_state_size(context: &ucontext_t) -> Option<usize> {
    layout::extended_state_size(context.uc_mcontext.fpregs.addr())
}

/// Enters the handler on the interrupted stack, for good. Where it can as well be called from here, it is: because this
/// is the interrupted stack already, because another handler called us and wants to be returned to, or because the
/// frame cannot be moved.
///
/// # Safety
/// The arguments are what the entry point was given, and the signal mask is the handler's.
pub(crate) unsafe fn call(
    handler: Handler,
    signal: libc::c_int,
    info: &mut siginfo_t,
    context: &mut ucontext_t,
    entrance: Entrance,
) -> Result<(), NoRoom> {
    let movable = !was_on_alternate_stack(context) && runs_on_alternate_stack(context) && !arch::has_shadow_stack();
    let Some(frame) = movable.then(|| layout::kernel_frame(info, context, entrance)).flatten() else {
        handler(signal, info, context);
        return Ok(());
    };
    let top = interrupted_sp(context).wrapping_sub(layout::RED_ZONE);
    if !has_room(top, layout::size(&frame)) {
        return Err(NoRoom);
    }
    // SAFETY: the frame is the kernel's, complete and unchanged since it entered us; the memory below `top` is the
    // interrupted stack's free part, where the kernel would have written it.
    unsafe {
        let copy = layout::copy(&frame, top);
        arch::enter_signal_frame(handler as usize, signal, copy.info, copy.context, copy.sp, entrance.link);
    }
}

fn has_room(top: usize, size: usize) -> bool {
    // SAFETY: reads the thread's own word; null or this thread's record, which only this thread frees.
    match unsafe { arch::current_thread().as_ref() } {
        Some(thread) if thread.stack.get().contains(top) => top - thread.stack.get().low >= size,
        // Unknown: as with the kernel, writing it tells.
        _ => true,
    }
}

#[cfg(target_arch = "x86_64")]
fn interrupted_sp(context: &ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RSP as usize] as usize
}

#[cfg(target_arch = "aarch64")]
fn interrupted_sp(context: &ucontext_t) -> usize {
    context.uc_mcontext.sp as usize
}

/// Where the handler finds its arguments, and the stack pointer to start it with.
struct Copied {
    info: usize,
    context: usize,
    sp: usize,
}

/// `struct rt_sigframe` of arch/x86/include/asm/sigframe.h: return address, context, information; the floating-point
/// state lies above, where the context points.
#[cfg(target_arch = "x86_64")]
mod layout {
    use super::*;

    pub(super) const RED_ZONE: usize = 128;

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
        start: usize,
        state: usize,
        state_size: usize,
    }

    /// The frame that the kernel made for the entry point, if it was the kernel that called it.
    pub(super) fn kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> Option<Frame> {
        if !is_kernel_frame(info, context, entrance) {
            return None;
        }
        let state = context.uc_mcontext.fpregs.addr();
        let state_size = extended_state_size(state).unwrap_or(PLAIN_STATE_SIZE);
        Some(Frame { start: entrance.sp, state, state_size })
    }

    pub(super) fn is_kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> bool {
        let start = entrance.sp;
        core::ptr::from_ref(context).addr() == start + 8
            && core::ptr::from_ref(info).addr() == start + 8 + CONTEXT_SIZE
            && context.uc_mcontext.fpregs.addr() >= start + FRAME_SIZE
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

    /// # Safety
    /// `frame` is whole, and `size(frame)` bytes below `top` are free.
    pub(super) unsafe fn copy(frame: &Frame, top: usize) -> Copied {
        let state = (top - frame.state_size) & !(STATE_ALIGNMENT - 1);
        // As after a call: 8 off a multiple of 16.
        let start = ((state - FRAME_SIZE) & !15) - 8;
        let context = start + 8;
        // SAFETY: the caller's promise; source and destination are on different stacks.
        unsafe {
            core::ptr::copy_nonoverlapping(frame.state as *const u8, state as *mut u8, frame.state_size);
            core::ptr::copy_nonoverlapping(frame.start as *const u8, start as *mut u8, FRAME_SIZE);
            (*(context as *mut ucontext_t)).uc_mcontext.fpregs = state as *mut libc::_libc_fpstate;
        }
        Copied { info: context + CONTEXT_SIZE, context, sp: start }
    }
}

/// `struct rt_sigframe` of arch/arm64/kernel/signal.c: information, then the context with all vector state in its
/// reserved space; the stack pointer is at its start.
#[cfg(target_arch = "aarch64")]
mod layout {
    use super::*;
    use crate::inside::signals::context::find_record;

    pub(super) const RED_ZONE: usize = 0;

    /// The kernel's ucontext: libc's, which ends with the reserved space of the machine context.
    const FRAME_SIZE: usize = size_of::<siginfo_t>() + size_of::<ucontext_t>();
    /// Vector state that does not fit lies right behind, with its address and size in this record (setup_sigframe).
    const EXTRA_MAGIC: u32 = 0x4558_5401;
    const EXTRA_ADDRESS: usize = 8;
    const EXTRA_SIZE: usize = 16;
    const EXTRA_RECORD_SIZE: usize = 32;

    pub(super) struct Frame {
        start: usize,
        size: usize,
        /// Where in the frame the extra state's address is.
        extra: Option<usize>,
    }

    pub(super) fn kernel_frame(info: &siginfo_t, context: &ucontext_t, entrance: Entrance) -> Option<Frame> {
        let start = entrance.sp;
        let ours = core::ptr::from_ref(info).addr() == start
            && core::ptr::from_ref(context).addr() == start + size_of::<siginfo_t>();
        if !ours {
            return None;
        }
        let Some(record) = find_record(context, EXTRA_MAGIC) else {
            return Some(Frame { start, size: FRAME_SIZE, extra: None });
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
        })
    }

    pub(super) fn size(frame: &Frame) -> usize {
        frame.size + 16
    }

    /// # Safety
    /// `frame` is whole, and `size(frame)` bytes below `top` are free.
    pub(super) unsafe fn copy(frame: &Frame, top: usize) -> Copied {
        let start = (top - frame.size) & !15;
        // SAFETY: the caller's promise; source and destination are on different stacks.
        unsafe { core::ptr::copy_nonoverlapping(frame.start as *const u8, start as *mut u8, frame.size) };
        if let Some(extra) = frame.extra {
            let place = (start + extra) as *mut usize;
            // SAFETY: a word of the copy.
            unsafe { place.write_unaligned(place.read_unaligned() - frame.start + start) };
        }
        Copied { info: start, context: start + size_of::<siginfo_t>(), sp: start }
    }
}
