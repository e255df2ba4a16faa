//! A private copy of the contents, of which instances get copy-on-write mappings by mach_vm_remap: no file is needed.

use crate::memory;

/// Where the contents are.
#[repr(C)]
struct Image {
    contents: *mut u8,
    length: usize,
}

// <mach/vm_statistics.h>, <mach/vm_inherit.h>
const VM_FLAGS_FIXED: libc::c_int = 0;
const VM_FLAGS_OVERWRITE: libc::c_int = 0x4000;
const VM_INHERIT_COPY: u32 = 1;

unsafe extern "C" {
    static mach_task_self_: u32;
    // <mach/mach_vm.h>
    fn mach_vm_remap(
        target_task: u32,
        target_address: *mut u64,
        size: u64,
        mask: u64,
        flags: libc::c_int,
        source_task: u32,
        source_address: u64,
        copy: libc::c_uint,
        current_protection: *mut libc::c_int,
        maximum_protection: *mut libc::c_int,
        inheritance: u32,
    ) -> libc::c_int;
}

const READ_WRITE: u32 = 3;
const READ: u32 = 1;

/// A new image of these bytes, null if there can be none.
pub(crate) fn new(contents: &[u8]) -> *mut u8 {
    let length = contents.len();
    let Ok(copy) = memory::map_new(length, READ_WRITE) else { return core::ptr::null_mut() };
    // SAFETY: fresh memory of this length; malloc's is checked before it is written.
    unsafe {
        core::ptr::copy_nonoverlapping(contents.as_ptr(), copy, length);
        let image = libc::malloc(size_of::<Image>()).cast::<Image>();
        if image.is_null() || memory::protect(copy, length, READ).is_err() {
            libc::free(image.cast());
            let _ = memory::unmap(copy, length);
            return core::ptr::null_mut();
        }
        image.write(Image { contents: copy, length });
        image.cast()
    }
}

/// # Safety
/// `image` came from `new`; the `length` bytes at `address` are Wasmtime's to replace.
pub(crate) unsafe fn map_at(image: *mut u8, address: *mut u8, length: usize) -> Result<(), i32> {
    let (mut current, mut maximum) = (0, 0);
    let mut target = address.addr() as u64;
    // SAFETY: the caller's promise; the outputs are valid for writes.
    let answer = unsafe {
        let image = &*image.cast::<Image>();
        mach_vm_remap(
            mach_task_self_,
            &raw mut target,
            length.min(image.length) as u64,
            0,
            VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE,
            mach_task_self_,
            image.contents.addr() as u64,
            1,
            &raw mut current,
            &raw mut maximum,
            VM_INHERIT_COPY,
        )
    };
    // Mach's numbers mean something else as error numbers.
    if answer != 0 {
        return Err(libc::ENOMEM);
    }
    // The copy came with the protection of the original.
    // SAFETY: the caller's promise.
    unsafe { memory::protect(address, length, READ_WRITE) }
}

/// Mappings of the image keep its contents.
///
/// # Safety
/// `image` came from `new` and is not used again.
pub(crate) unsafe fn free(image: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let Image { contents, length } = image.cast::<Image>().read();
        let _ = memory::unmap(contents, length);
        libc::free(image.cast());
    }
}
