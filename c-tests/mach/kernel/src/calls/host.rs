//! What a program asks about the machine and itself: sysctlbyname, and the flags of proc_pidinfo.

use super::{Call, Handler, Outcome};
use crate::constants::{KERN_SUCCESS, KernReturn};
use crate::kernel::Kernel;

/// PROC_FLAG_LP64 and PROC_FLAG_EXEC (bsd/sys/proc_info.h; bsd/kern/proc_info.c, proc_pidbsdinfo).
const PROC_FLAG_LP64: u32 = 0x10;
const PROC_FLAG_EXEC: u32 = 0x4000;

pub(super) fn handler(name: &str) -> Option<Handler> {
    Some(match name {
        "sysctlbyname" => sysctlbyname,
        "process_flags" => process_flags,
        _ => return None,
    })
}

/// Name and its length, where the value goes, and its size, in and out. The result is an errno.
fn sysctlbyname(kernel: &mut Kernel, call: &Call) -> Result<Outcome, KernReturn> {
    const NAME_MAX: u64 = 256;
    let length = call.long(1).min(NAME_MAX) as usize;
    let Some(name) = kernel.read_memory(call.thread, call.long(0), length) else {
        return Ok(Outcome::Done(libc::EFAULT));
    };
    let profile = &kernel.profile;
    let text = |text: &str| [text.as_bytes(), b"\0"].concat();
    let value = match name.as_slice() {
        b"kern.osproductversion" => text(profile.release.product_version()),
        b"kern.osrelease" => text(profile.release.darwin_version()),
        b"sysctl.proc_translated" => u32::from(profile.program.translated).to_le_bytes().to_vec(),
        _ => return Ok(Outcome::Done(libc::ENOENT)),
    };
    let errno = copy_value(kernel, call, &value).err().unwrap_or(KERN_SUCCESS);
    Ok(Outcome::Done(errno))
}

/// sysctl_old_user: without a buffer only the size is told; a buffer that is too small is filled, and ENOMEM.
fn copy_value(kernel: &Kernel, call: &Call, value: &[u8]) -> Result<(), i32> {
    let (address, size_address) = (call.long(2), call.long(3));
    if size_address == 0 {
        return if address == 0 { Ok(()) } else { Err(libc::EFAULT) };
    }
    let put = |address, bytes: &[u8]| {
        if kernel.write_memory(call.thread, address, bytes) { Ok(()) } else { Err(libc::EFAULT) }
    };
    let size = kernel.read_memory(call.thread, size_address, 8).ok_or(libc::EFAULT)?;
    let size = size.iter().rev().fold(0, |size: u64, byte| size << 8 | u64::from(*byte)) as usize;
    if address == 0 {
        return put(size_address, &(value.len() as u64).to_le_bytes());
    }
    let fits = value.len().min(size);
    put(address, &value[..fits])?;
    put(size_address, &(fits as u64).to_le_bytes())?;
    if fits < value.len() { Err(libc::ENOMEM) } else { Ok(()) }
}

/// Process number, where the flags go. The result is an errno.
fn process_flags(kernel: &mut Kernel, call: &Call) -> Result<Outcome, KernReturn> {
    let task = kernel.task_by_pid.get(&call.number(0)).and_then(|task| kernel.tasks.get(task));
    let Some(task) = task else { return Ok(Outcome::Done(libc::ESRCH)) };
    let flags = PROC_FLAG_LP64 | if task.forked { 0 } else { PROC_FLAG_EXEC };
    Ok(Outcome::Done(if kernel.put(call, 1, &[flags]).is_ok() { KERN_SUCCESS } else { libc::EFAULT }))
}
