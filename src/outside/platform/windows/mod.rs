//! Windows.

mod describe;
mod stack;
mod thread_key;
mod unwind;

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Security::Authentication::Identity::RtlGenRandom;
use windows_sys::Win32::Storage::FileSystem::WriteFile;
use windows_sys::Win32::System::Console::{GetStdHandle, STD_ERROR_HANDLE};
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::Environment::GetEnvironmentVariableA;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, MEMORY_BASIC_INFORMATION, PAGE_NOACCESS, PAGE_READONLY, VirtualAlloc,
    VirtualFree, VirtualProtect, VirtualQuery,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, GetSystemTimeAsFileTime};
use windows_sys::Win32::System::Threading::{
    AcquireSRWLockExclusive, GetCurrentProcess, GetCurrentProcessId, GetCurrentThreadId, ReleaseSRWLockExclusive,
    SRWLOCK, SRWLOCK_INIT, Sleep, SwitchToThread,
};

use crate::arch::{self, NoThreadPointer};
use crate::outside::error::{self, Failure, fail};
use crate::outside::sanitizers::Entries;
use crate::shared::abi::WASMTRAP_ERR_UNSUPPORTED;
use crate::shared::activation::Activation;
pub(crate) use describe::{describe_error, describe_system, executable_path};
pub(crate) use stack::{has_landed, lowest_usable, provide_guard, stack_bounds, stack_is_back};
pub(crate) use thread_key::{Key, MAKING_A_KEY, ThreadKey};
pub(crate) use unwind::{fault_handler_was_left, passed};

/// There is no thread cancellation.
pub(crate) const CANCEL_DISABLE: c_int = 0;

pub(crate) fn exchange_cancel_state(state: c_int) -> c_int {
    state
}

/// A page that can be read. What fails is told with its error number, unless it is for want of memory.
pub(crate) fn map_page() -> Result<*mut c_void, Option<(&'static str, i32)>> {
    // SAFETY: new memory.
    let page = unsafe { VirtualAlloc(core::ptr::null(), super::page_size(), MEM_RESERVE | MEM_COMMIT, PAGE_READONLY) };
    if page.is_null() { Err(None) } else { Ok(page) }
}

/// Makes a page of `map_page` inaccessible, or readable.
///
/// # Safety
/// It is one, and the caller's.
pub(crate) unsafe fn protect_page(page: *const c_void, inaccessible: bool) -> Result<(), (&'static str, i32)> {
    let mut before = 0;
    let rights = if inaccessible { PAGE_NOACCESS } else { PAGE_READONLY };
    // SAFETY: the caller's promise.
    match unsafe { VirtualProtect(page, super::page_size(), rights, &raw mut before) } {
        // SAFETY: no arguments.
        0 => Err(("VirtualProtect", unsafe { GetLastError() as i32 })),
        _ => Ok(()),
    }
}

/// # Safety
/// As for `protect_page`; nobody uses it any more.
pub(crate) unsafe fn unmap_page(page: *const c_void) {
    // SAFETY: the caller's promise.
    unsafe { VirtualFree(page.cast_mut(), 0, MEM_RELEASE) };
}

/// A lock.
pub(crate) struct Mutex(UnsafeCell<SRWLOCK>);

// SAFETY: the system's functions are made to be called by several threads.
unsafe impl Sync for Mutex {}

impl Mutex {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(SRWLOCK_INIT))
    }

    pub(crate) fn lock(&self) {
        // SAFETY: initialised statically, and never moved (statics only).
        unsafe { AcquireSRWLockExclusive(self.0.get()) };
    }

    /// # Safety
    /// This thread holds the lock.
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: as for `lock`; the caller's promise.
        unsafe { ReleaseSRWLockExclusive(self.0.get()) };
    }
}

/// Gets ready what threads need: their own pointer, and word of their end.
pub(crate) fn set_up() -> Result<(), Failure> {
    thread_key::keep_callback();
    arch::set_up().map_err(|reason| match reason {
        NoThreadPointer::NoSlot(error) => error::system("TlsAlloc", error as i32),
        NoThreadPointer::NotWhereExpected => fail(
            WASMTRAP_ERR_UNSUPPORTED,
            format_args!(
                "this version of Windows keeps a thread's values (TlsSetValue) elsewhere than exception handlers of \
                 this library can read them"
            ),
        ),
    })
}

/// Whether every thread of this process can be made to pass a barrier: `true`, because each call has its own.
pub(crate) fn orders_threads() -> bool {
    true
}

/// Nothing: see above.
pub(crate) fn order_threads() -> Result<(), Failure> {
    Ok(())
}

/// Has every thread that is between the look and the jump of `arch::call_fault_handler` look again: nothing. On x86-64
/// the two are one instruction; on arm64 nobody can.
pub(crate) fn restart_jumps() {}

/// Lets another thread have the processor.
pub(crate) fn yield_processor() {
    // SAFETY: no arguments.
    unsafe { SwitchToThread() };
}

/// Sleeps for a moment.
pub(crate) fn nap() {
    // SAFETY: no memory is involved.
    unsafe { Sleep(1) };
}

/// Fills the words with the system's random numbers. False if there are none.
pub(crate) fn fill_with_entropy(words: &mut [u64]) -> bool {
    // SAFETY: `words` is valid for writes of its size.
    unsafe { RtlGenRandom(words.as_mut_ptr().cast(), size_of_val(words) as u32) }
}

/// A number that is another one at another time.
pub(crate) fn moment() -> u64 {
    // SAFETY: all-zero is a valid value to write into.
    let mut now = unsafe { core::mem::zeroed() };
    // SAFETY: valid for a write.
    unsafe { GetSystemTimeAsFileTime(&raw mut now) };
    u64::from(now.dwLowDateTime) << 32 | u64::from(now.dwHighDateTime)
}

/// Whether the object that this code is in says itself that it is never unloaded: a DLL has no such mark.
pub(crate) fn stays_loaded() -> bool {
    false
}

/// Keeps the module at this address in memory for ever. Whether that is seen to.
pub(crate) fn pin_object_of(address: usize) -> bool {
    let mut module = core::ptr::null_mut();
    let how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: with this flag the name is an address, which is only looked up; `module` is valid for a write.
    unsafe { GetModuleHandleExW(how, address as *const u16, &raw mut module) != 0 }
}

/// Memory by the C library, null if there is none. The alignment is a power of two.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) fn allocate(alignment: usize, size: usize) -> *mut u8 {
    // SAFETY: the alignment is a power of two.
    unsafe { _aligned_malloc(size, alignment) }.cast()
}

/// # Safety
/// Came from `allocate`.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) unsafe fn free(memory: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { _aligned_free(memory.cast()) };
}

#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
unsafe extern "C" {
    fn _aligned_malloc(size: usize, alignment: usize) -> *mut c_void;
    fn _aligned_free(memory: *mut c_void);
}

/// Writes to standard error, as far as that can be.
pub(crate) fn write_to_stderr(bytes: &[u8]) {
    let mut written = 0;
    let length = bytes.len().try_into().unwrap_or(u32::MAX);
    // SAFETY: so many bytes are there; the handle may be none, which is an error.
    unsafe {
        let stderr = GetStdHandle(STD_ERROR_HANDLE);
        WriteFile(stderr, bytes.as_ptr(), length, &raw mut written, core::ptr::null_mut());
    }
}

pub(crate) fn process_id() -> u32 {
    // SAFETY: no arguments.
    unsafe { GetCurrentProcessId() }
}

/// A number that no other live thread has, and not 0.
pub(crate) fn this_thread() -> usize {
    // SAFETY: no arguments.
    unsafe { GetCurrentThreadId() as usize }
}

/// Not needed: there are no signals.
pub(crate) fn kernel_thread() -> u32 {
    0
}

/// Whether no thread has this number any more. Not known here.
pub(crate) fn has_ended(_thread: u32) -> bool {
    false
}

/// There are no forks.
pub(crate) fn at_fork(
    _before: extern "C" fn(),
    _after_in_parent: extern "C" fn(),
    _after_in_child: extern "C" fn(),
) -> Result<(), i32> {
    Ok(())
}

pub(super) fn told_page_size() -> Option<usize> {
    // SAFETY: all-zero is a valid value to write into.
    let mut system = unsafe { core::mem::zeroed() };
    // SAFETY: valid for a write.
    unsafe { GetSystemInfo(&raw mut system) };
    Some(system.dwPageSize as usize)
}

/// Clang's AddressSanitizer for Windows is not looked for.
pub(crate) fn sanitizer_entries() -> Entries {
    Entries { asan_handle_no_return: None, asan_unpoison_memory_region: None, tsan_func_exit: None }
}

/// The thread leaves its frames for that of `activation`. What there is to put back, the landing does.
pub(crate) fn leaving_for(_activation: *const Activation) {}

/// Copies memory of this process that may not be there. False if any of it is not.
pub(crate) fn read_memory(from: usize, into: &mut [u8]) -> bool {
    let mut length = 0;
    // SAFETY: writes no more than `into` holds; what cannot be read is an error.
    let done = unsafe {
        ReadProcessMemory(
            GetCurrentProcess(),
            from as *const c_void,
            into.as_mut_ptr().cast(),
            into.len(),
            &raw mut length,
        )
    };
    done != 0 && length == into.len()
}

/// What there is at an address.
pub(crate) fn query(address: usize) -> Option<MEMORY_BASIC_INFORMATION> {
    // SAFETY: all-zero is a valid value to write into.
    let mut found: MEMORY_BASIC_INFORMATION = unsafe { core::mem::zeroed() };
    // SAFETY: writes no more than `found`.
    let length = unsafe { VirtualQuery(address as *const c_void, &raw mut found, size_of_val(&found)) };
    (length != 0).then_some(found)
}

/// Where the allocation, or the image, that an address is in begins.
pub(crate) fn allocation_of(address: usize) -> Option<usize> {
    query(address).map(|found| found.AllocationBase.addr()).filter(|&base| base != 0)
}

/// The value of an environment variable, copied; null if there is none. What does not fit is cut. The process's own
/// variables, and not the C library's copy, of which there may be several.
pub(crate) fn environment_variable(name: &CStr, room: &mut [u8]) -> *const c_char {
    let size = room.len() as u32;
    // SAFETY: the name ends in NUL; no more than `size` bytes are written.
    let length = unsafe { GetEnvironmentVariableA(name.as_ptr().cast(), room.as_mut_ptr(), size) };
    match length {
        0 => core::ptr::null(),
        length if length < size => room.as_ptr().cast(),
        // Nothing has been written, and no value that means anything is so long.
        _ => c"(too long)".as_ptr(),
    }
}
