//! What signals do: as the kernel has it, and as sigaction says, which may be somebody else's than libc's.

use super::errno;
use crate::inside::signals::kernel::{self, KernelAction};
use crate::shared::disposition::Disposition;

/// In a disposition's mask.
pub(crate) const EVERY_SIGNAL: u64 = u64::MAX;

/// libc does not tell of it. On x86-64 a disposition without it has no way back from its handler.
const SA_RESTORER: libc::c_int = 0x0400_0000;

impl Disposition {
    /// Whether a signal that has this one is handled as with `other`, whoever has set them.
    pub(crate) fn does_the_same(&self, other: &Self) -> bool {
        /// Which the kernel takes out of a mask.
        const UNBLOCKABLE: u64 = 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1);
        self.handler == other.handler
            && self.flags & !SA_RESTORER == other.flags & !SA_RESTORER
            && self.mask | UNBLOCKABLE == other.mask | UNBLOCKABLE
    }
}

pub(crate) fn kernel_disposition(signal: libc::c_int) -> Result<Disposition, i32> {
    let KernelAction { handler, flags, restorer, mask } = kernel::action(signal)?;
    Ok(Disposition { handler, flags: flags as libc::c_int, mask, restorer })
}

pub(crate) fn set_kernel_disposition(signal: libc::c_int, wanted: &Disposition) -> Result<(), i32> {
    let &Disposition { handler, flags, mask, restorer } = wanted;
    #[cfg_attr(target_arch = "aarch64", expect(unused_mut, reason = "the kernel brings its own restorer"))]
    let mut action = KernelAction { handler, flags: flags as u32 as u64, restorer, mask };
    #[cfg(target_arch = "x86_64")]
    if handler != libc::SIG_DFL && handler != libc::SIG_IGN && flags & SA_RESTORER == 0 {
        action.flags |= SA_RESTORER as u64;
        action.restorer = crate::arch::restorer();
    }
    kernel::set_action(signal, &action)
}

/// What sigaction says.
pub(crate) fn told_disposition(signal: libc::c_int) -> Result<Disposition, i32> {
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut told: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `told`.
    match unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut told) } {
        0 => Ok(Disposition {
            handler: told.sa_sigaction,
            flags: told.sa_flags,
            mask: kernel::mask_of(&told.sa_mask),
            restorer: 0,
        }),
        _ => Err(errno()),
    }
}

/// Has sigaction set it.
pub(crate) fn tell_disposition(signal: libc::c_int, wanted: &Disposition) -> Result<(), i32> {
    // SAFETY: all-zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = wanted.handler;
    action.sa_flags = wanted.flags & !SA_RESTORER;
    // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
    unsafe { (&raw mut action.sa_mask).cast::<u64>().write(wanted.mask) };
    // SAFETY: either ours or what was in place earlier.
    match unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// The sigaction that is called here, if it is in another object than libc's other functions.
pub(crate) fn foreign_sigaction() -> Option<usize> {
    let object_of = |function: usize| {
        // SAFETY: all-zero is a valid Dl_info to write into.
        let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
        // SAFETY: dladdr only looks the address up.
        let known = unsafe { libc::dladdr(function as *const core::ffi::c_void, &raw mut info) } != 0;
        known.then_some(info.dli_fbase)
    };
    let sigaction = libc::sigaction as *const () as usize;
    // A function that nobody has a reason to interpose.
    let libc = object_of(libc::getauxval as *const () as usize)?;
    (object_of(sigaction)? != libc).then_some(sigaction)
}

/// Copies what can be read of the code at `address`, and returns how much that is.
pub(crate) fn read_code(address: usize, code: &mut [u8]) -> usize {
    let page = super::page_size();
    // No program's code is at the end of all addresses.
    let Some(end) = address.checked_add(code.len()).filter(|end| end.checked_add(page).is_some()) else { return 0 };
    // Not null, which the kernel takes for no set of signals at all.
    let can_read_all = kernel::can_read(size_of::<u64>(), size_of::<u64>());
    let mut readable = 0;
    while readable < code.len() {
        let at = address.wrapping_add(readable);
        // The handler's own page can be read. Where a filter of system calls answers, that is all that is known.
        if readable != 0 && (can_read_all || !kernel::can_read(at, size_of::<u64>())) {
            break;
        }
        let next = ((at | (page - 1)) + 1).min(end);
        readable = next - address;
    }
    if !can_read_all && !kernel::can_read(address & !7, size_of::<u64>()) {
        return 0;
    }
    let source = address as *const u8;
    // SAFETY: the kernel could read a word in each of the pages.
    unsafe { core::ptr::copy_nonoverlapping(source, code.as_mut_ptr(), readable) };
    readable
}
