//! Looking at the process, by calls that the kernel answers with an error code at worst; and the Mach calls that the
//! bindings do not have.

use core::ffi::{CStr, c_char, c_int, c_uint, c_void};

use mach2::exception_types::{exception_behavior_t, exception_mask_t};
use mach2::kern_return::kern_return_t;
use mach2::mach_types::{ipc_space_t, thread_act_t};
use mach2::message::mach_msg_type_number_t;
use mach2::port::{mach_port_name_t, mach_port_t};
use mach2::thread_status::thread_state_flavor_t;

use super::host::{Darwin, Entitlements, Host};

/// The entitlement with which a hardened task may set no exception ports at all (IPC_ONLY_ONE_EXCEPTION_PORT,
/// osfmk/kern/ipc_tt.c).
pub(crate) const ONLY_ONE_EXCEPTION_PORT: &str = "com.apple.security.only-one-exception-port";

unsafe extern "C" {
    // mach/thread_act.h
    pub(crate) fn thread_swap_exception_ports(
        thread: thread_act_t,
        exception_mask: exception_mask_t,
        new_port: mach_port_t,
        behavior: exception_behavior_t,
        new_flavor: thread_state_flavor_t,
        masks: *mut exception_mask_t,
        masks_count: *mut mach_msg_type_number_t,
        old_handlers: *mut mach_port_t,
        old_behaviors: *mut exception_behavior_t,
        old_flavors: *mut thread_state_flavor_t,
    ) -> kern_return_t;
    pub(crate) fn thread_get_exception_ports(
        thread: thread_act_t,
        exception_mask: exception_mask_t,
        masks: *mut exception_mask_t,
        masks_count: *mut mach_msg_type_number_t,
        old_handlers: *mut mach_port_t,
        old_behaviors: *mut exception_behavior_t,
        old_flavors: *mut thread_state_flavor_t,
    ) -> kern_return_t;
    // mach/mach_port.h
    pub(crate) fn mach_port_insert_member(
        task: ipc_space_t,
        name: mach_port_name_t,
        set: mach_port_name_t,
    ) -> kern_return_t;
    // pthread.h: the name of the thread's control port, without a further reference to it.
    pub(crate) fn pthread_mach_thread_np(thread: libc::pthread_t) -> mach_port_t;
    // bsd/sys/codesign.h
    fn csops(process: libc::pid_t, operation: c_uint, data: *mut c_void, size: usize) -> c_int;
    // libproc.h
    fn proc_pidinfo(process: c_int, flavor: c_int, argument: u64, buffer: *mut c_void, size: c_int) -> c_int;
    // sys/sysctl.h
    fn sysctlbyname(
        name: *const c_char,
        old: *mut c_void,
        old_size: *mut usize,
        new: *mut c_void,
        new_size: usize,
    ) -> c_int;
}

const CS_OPS_STATUS: c_uint = 0;
const CS_OPS_ENTITLEMENTS_BLOB: c_uint = 7;

/// Looks at this process.
pub(crate) fn look() -> Host {
    let mut host = Host {
        code_signing: code_signing(),
        entitlements: Entitlements::Unknown,
        darwin: Darwin(text_of(c"kern.osrelease")),
        translated: is_translated(),
        forked: is_forked(),
    };
    host.entitlements = if host.is_hardened() { entitlements() } else { Entitlements::Harmless };
    host
}

fn code_signing() -> Option<u32> {
    let mut flags = 0_u32;
    // SAFETY: the kernel writes four bytes.
    let result = unsafe { csops(libc::getpid(), CS_OPS_STATUS, (&raw mut flags).cast(), size_of::<u32>()) };
    (result == 0).then_some(flags)
}

/// The entitlements are an XML property list after eight bytes, the second four of which are the length of all of it,
/// big-endian. If there is no room, csops tells the length and fails (csops_copy_token, bsd/kern/kern_proc.c).
fn entitlements() -> Entitlements {
    /// More than any program has; what is larger counts as not readable.
    const MOST: usize = 1024 * 1024;
    let mut header = [0_u8; 8];
    // SAFETY: eight bytes, as the size says.
    let result = unsafe { csops(libc::getpid(), CS_OPS_ENTITLEMENTS_BLOB, header.as_mut_ptr().cast(), header.len()) };
    let [_, _, _, _, length @ ..] = header;
    let length = u32::from_be_bytes(length) as usize;
    if result == 0 {
        // Nothing but the header: there are none.
        return Entitlements::Harmless;
    }
    if length <= header.len() || length > MOST {
        return Entitlements::Unknown;
    }
    // The library's lock is held: not by malloc, which may be the host's.
    // SAFETY: a new mapping, of anonymous pages.
    let pages = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            length,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANON,
            -1,
            0,
        )
    };
    if pages == libc::MAP_FAILED {
        return Entitlements::Unknown;
    }
    let text = pages.cast::<u8>();
    // SAFETY: `length` bytes are there.
    let result = unsafe { csops(libc::getpid(), CS_OPS_ENTITLEMENTS_BLOB, text.cast(), length) };
    let found = if result == 0 {
        // SAFETY: `length` bytes, zeroed or written by the kernel.
        let text = unsafe { core::slice::from_raw_parts(text, length) };
        // A key that says false is not worth the risk.
        let names_it =
            text.windows(ONLY_ONE_EXCEPTION_PORT.len()).any(|part| part == ONLY_ONE_EXCEPTION_PORT.as_bytes());
        if names_it { Entitlements::OnlyOneExceptionPort } else { Entitlements::Harmless }
    } else {
        Entitlements::Unknown
    };
    // SAFETY: came from mmap above, with this length; the slice is gone.
    unsafe { libc::munmap(pages, length) };
    found
}

/// "sysctl.proc_translated" is 1 under Rosetta, and is not there on Intel machines (Apple's documentation, "About the
/// Rosetta translation environment").
fn is_translated() -> bool {
    let mut translated: c_int = 0;
    let mut size = size_of::<c_int>();
    // SAFETY: the kernel writes no more than `size` bytes.
    let result = unsafe {
        sysctlbyname(
            c"sysctl.proc_translated".as_ptr(),
            (&raw mut translated).cast(),
            &raw mut size,
            core::ptr::null_mut(),
            0,
        )
    };
    result == 0 && translated == 1
}

/// struct proc_bsdinfo begins with its flags (bsd/sys/proc_info.h). P_EXEC is not inherited (forkproc, kern_fork.c).
fn is_forked() -> bool {
    const PROC_PIDTBSDINFO: c_int = 3;
    const PROC_FLAG_EXEC: u32 = 0x4000;
    const SIZE: usize = 136;
    #[repr(C, align(8))]
    struct Information([u32; SIZE / 4]);
    let mut information = Information([0; SIZE / 4]);
    // SAFETY: the kernel writes no more than the size.
    let written =
        unsafe { proc_pidinfo(libc::getpid(), PROC_PIDTBSDINFO, 0, (&raw mut information).cast(), SIZE as c_int) };
    // A sandbox may refuse to tell; a process that nobody knows to be forked counts as started.
    written == SIZE as c_int && information.0[0] & PROC_FLAG_EXEC == 0
}

/// The system's version ("15.1"), as much of it as fits, ending in NUL; empty if it is not told.
pub(crate) fn version() -> [u8; 32] {
    text_of(c"kern.osproductversion")
}

/// The longest identity that is shown.
pub(crate) const LONGEST_IDENTITY: usize = 256;

/// Whom the process's signature names ("com.apple.python3"), ending in NUL; `None` if it cannot be told, or is too long
/// to be shown. Nothing is decided by it.
pub(crate) fn identity() -> Option<[u8; LONGEST_IDENTITY + 1]> {
    const CS_OPS_IDENTITY: c_uint = 11;
    /// Eight bytes stand before it, as before the entitlements (csops_internal, bsd/kern/kern_proc.c).
    const HEADER: usize = 8;
    let mut answer = [0_u8; HEADER + LONGEST_IDENTITY + 1];
    // SAFETY: the kernel writes no more than the size.
    let result = unsafe { csops(libc::getpid(), CS_OPS_IDENTITY, answer.as_mut_ptr().cast(), answer.len()) };
    if result == 0 { answer.last_chunk().copied() } else { None }
}

/// A text that the kernel tells by `name`, as much of it as fits, ending in NUL; empty if it is not told.
fn text_of(name: &CStr) -> [u8; 32] {
    let mut text = [0_u8; 32];
    let mut size = text.len() - 1;
    // SAFETY: the kernel writes no more than `size` bytes.
    let result =
        unsafe { sysctlbyname(name.as_ptr(), text.as_mut_ptr().cast(), &raw mut size, core::ptr::null_mut(), 0) };
    if result == 0 { text } else { [0; 32] }
}
