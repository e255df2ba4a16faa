//! csops: what a program's signature says (bsd/kern/kern_cs.c, bsd/kern/kern_proc.c, csops_internal).

use super::{Call, Handler, Outcome};
use crate::constants::{KERN_SUCCESS, KernReturn};
use crate::kernel::Kernel;

const CS_OPS_STATUS: u32 = 0;
const CS_OPS_ENTITLEMENTS_BLOB: u32 = 7;
const CS_OPS_IDENTITY: u32 = 11;
const CS_OPS_DER_ENTITLEMENTS_BLOB: u32 = 16;

const CS_VALID: u32 = 0x0000_0001;
const CS_GET_TASK_ALLOW: u32 = 0x0000_0004;
const CS_RUNTIME: u32 = 0x0001_0000;
const CS_PLATFORM_BINARY: u32 = 0x0400_0000;
const CS_SIGNED: u32 = 0x2000_0000;

const CSMAGIC_EMBEDDED_ENTITLEMENTS: u32 = 0xfade_7171;
const CSMAGIC_EMBEDDED_DER_ENTITLEMENTS: u32 = 0xfade_7172;

pub(super) fn handler(name: &str) -> Option<Handler> {
    (name == "csops").then_some(csops)
}

/// The library makes errno of it.
fn failed(errno: i32) -> Result<Outcome, KernReturn> {
    Ok(Outcome::Done(errno))
}

/// Process number, operation, buffer and its size.
fn csops(kernel: &mut Kernel, call: &Call) -> Result<Outcome, KernReturn> {
    let (pid, operation, address, size) = (call.number(0), call.word(1), call.long(2), call.long(3) as usize);
    let known = if pid == 0 { Some(call.task) } else { kernel.task_by_pid.get(&pid).copied() };
    if known.is_none() {
        return failed(libc::ESRCH);
    }
    let profile = &kernel.profile;
    match operation {
        CS_OPS_STATUS => {
            let mut flags = CS_VALID | CS_SIGNED;
            flags |= if profile.program.platform_binary { CS_PLATFORM_BINARY } else { CS_GET_TASK_ALLOW };
            flags |= if profile.program.hardened_runtime { CS_RUNTIME } else { 0 };
            if size < 4 {
                return failed(libc::ERANGE);
            }
            Ok(Outcome::Done(copied(kernel, call, address, &flags.to_le_bytes())))
        }
        CS_OPS_ENTITLEMENTS_BLOB | CS_OPS_DER_ENTITLEMENTS_BLOB => {
            let der = operation == CS_OPS_DER_ENTITLEMENTS_BLOB;
            let blob = entitlements_blob(profile.program.entitlements, der);
            Ok(Outcome::Done(copy_blob(kernel, call, address, size, &blob)))
        }
        CS_OPS_IDENTITY => {
            let identity = profile.program.identity;
            Ok(Outcome::Done(copy_identity(kernel, call, address, size, identity)))
        }
        _ => failed(libc::EINVAL),
    }
}

fn copied(kernel: &Kernel, call: &Call, address: u64, bytes: &[u8]) -> i32 {
    if kernel.write_memory(call.thread, address, bytes) { KERN_SUCCESS } else { libc::EFAULT }
}

/// csops_copy_token: a program without entitlements answers zeros; too small a buffer gets a header that says how much
/// there is, and ERANGE.
fn copy_blob(kernel: &Kernel, call: &Call, address: u64, size: usize, blob: &[u8]) -> i32 {
    const HEADER: usize = 8;
    if size < HEADER {
        return libc::ERANGE;
    }
    if blob.is_empty() {
        return copied(kernel, call, address, &[0; HEADER]);
    }
    if blob.len() > size {
        let mut header = [0; HEADER];
        header[4..].copy_from_slice(&(blob.len() as u32).to_be_bytes());
        let error = copied(kernel, call, address, &header);
        return if error == 0 { libc::ERANGE } else { error };
    }
    copied(kernel, call, address, blob)
}

/// csops_internal, CS_OPS_IDENTITY: a header of zeros and the length of it all, and then the identity with its zero,
/// if there is room for it; if not, the header alone, and ERANGE.
fn copy_identity(kernel: &Kernel, call: &Call, address: u64, size: usize, identity: &str) -> i32 {
    const HEADER: usize = 8;
    if size < HEADER {
        return libc::ERANGE;
    }
    let text = [identity.as_bytes(), b"\0"].concat();
    let mut header = [0; HEADER];
    header[4..].copy_from_slice(&((HEADER + text.len()) as u32).to_be_bytes());
    let error = copied(kernel, call, address, &header);
    if error != KERN_SUCCESS {
        return error;
    }
    if size < HEADER + text.len() {
        return libc::ERANGE;
    }
    copied(kernel, call, address + HEADER as u64, &text)
}

/// A blob: magic and length in network order, then a property list; or its DER form. Nothing of no entitlements.
fn entitlements_blob(entitlements: &[&str], der: bool) -> Vec<u8> {
    if entitlements.is_empty() {
        return Vec::new();
    }
    let content = if der { der_entitlements(entitlements) } else { xml_entitlements(entitlements) };
    let magic = if der { CSMAGIC_EMBEDDED_DER_ENTITLEMENTS } else { CSMAGIC_EMBEDDED_ENTITLEMENTS };
    let length = content.len() as u32 + 8;
    [&magic.to_be_bytes()[..], &length.to_be_bytes(), &content].concat()
}

fn xml_entitlements(entitlements: &[&str]) -> Vec<u8> {
    let pairs: String =
        entitlements.iter().map(|entitlement| format!("\t<key>{entitlement}</key>\n\t<true/>\n")).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n\
         <dict>\n{pairs}</dict>\n</plist>\n"
    )
    .into_bytes()
}

/// [APPLICATION 16] { INTEGER 1, [CONTEXT 16] { SEQUENCE { UTF8String key, BOOLEAN true } ... } }
fn der_entitlements(entitlements: &[&str]) -> Vec<u8> {
    let pair = |entitlement: &&str| {
        let key = tagged(0x0c, entitlement.as_bytes());
        tagged(0x30, &[key, tagged(0x01, &[0xff])].concat())
    };
    let pairs: Vec<u8> = entitlements.iter().flat_map(pair).collect();
    tagged(0x70, &[tagged(0x02, &[1]), tagged(0xb0, &pairs)].concat())
}

/// A DER value of up to 65535 bytes.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [&header[..], content].concat()
}
