//! The system and its errors in words.

use core::fmt;

use windows_sys::Win32::Globalization::{CP_UTF8, WideCharToMultiByte};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS, FormatMessageW,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleFileNameW, GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::OSVERSIONINFOW;

/// The system's name and version, and the machine's.
pub(crate) fn describe_system(out: &mut impl fmt::Write) -> fmt::Result {
    // SAFETY: all-zero is a valid value to write into.
    let mut version: OSVERSIONINFOW = unsafe { core::mem::zeroed() };
    version.dwOSVersionInfoSize = size_of_val(&version) as u32;
    // SAFETY: valid for a write of the size that it says.
    unsafe { RtlGetVersion(&raw mut version) };
    let OSVERSIONINFOW { dwMajorVersion, dwMinorVersion, dwBuildNumber, .. } = version;
    write!(out, "Windows {dwMajorVersion}.{dwMinorVersion}.{dwBuildNumber}")?;
    if is_wine() {
        write!(out, " (Wine)")?;
    }
    write!(out, " {}", if cfg!(target_arch = "x86_64") { "x86_64" } else { "aarch64" })
}

/// Wine's ntdll has a function that tells.
fn is_wine() -> bool {
    const NTDLL: [u16; 10] = [0x6e, 0x74, 0x64, 0x6c, 0x6c, 0x2e, 0x64, 0x6c, 0x6c, 0];
    // SAFETY: both names end in NUL.
    unsafe {
        let ntdll = GetModuleHandleW(NTDLL.as_ptr());
        !ntdll.is_null() && GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()).is_some()
    }
}

/// UTF-16 as UTF-8 that ends in NUL, as far as it fits.
fn narrow(wide: &[u16], text: &mut [u8]) -> bool {
    text.fill(0);
    let (Ok(length), Ok(room)) = (i32::try_from(wide.len()), i32::try_from(text.len().saturating_sub(1))) else {
        return false;
    };
    if length == 0 || room == 0 {
        return false;
    }
    // SAFETY: reads and writes no more than these lengths.
    let written = unsafe {
        WideCharToMultiByte(
            CP_UTF8,
            0,
            wide.as_ptr(),
            length,
            text.as_mut_ptr(),
            room,
            core::ptr::null(),
            core::ptr::null_mut(),
        )
    };
    written > 0
}

/// The path of the program, as far as it fits; `path` ends in NUL then.
pub(crate) fn executable_path(path: &mut [u8]) {
    let mut wide = [0_u16; 260];
    // SAFETY: no more than the given length is written.
    let length = unsafe { GetModuleFileNameW(core::ptr::null_mut(), wide.as_mut_ptr(), wide.len() as u32) } as usize;
    narrow(wide.get(..length).unwrap_or_default(), path);
}

/// The words for an error of GetLastError's, ending in NUL. False if there are none.
pub(crate) fn describe_error(error: i32, text: &mut [u8]) -> bool {
    /// FORMAT_MESSAGE_MAX_WIDTH_MASK of <winbase.h>: on one line.
    const ON_ONE_LINE: u32 = 0xff;
    let mut wide = [0_u16; 120];
    let flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | ON_ONE_LINE;
    // SAFETY: no more than the given length is written; nothing is inserted.
    let length = unsafe {
        FormatMessageW(
            flags,
            core::ptr::null(),
            error as u32,
            0,
            wide.as_mut_ptr(),
            wide.len() as u32,
            core::ptr::null(),
        )
    };
    let message = wide.get(..length as usize).unwrap_or_default();
    let end = message.iter().rposition(|&unit| unit > 0x20).map_or(0, |last| last + 1);
    narrow(message.get(..end).unwrap_or_default(), text)
}

#[link(name = "ntdll")]
unsafe extern "system" {
    fn RtlGetVersion(version: *mut OSVERSIONINFOW) -> i32;
}
