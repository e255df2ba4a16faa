//! Structures of the API that begin with their size, so that a later version can make them longer.
//!
//! A program that was built with an earlier header gives the size that the structure had there. What the program does
//! not know reads as 0, which means the default for every field, and is not written to.

use core::mem::MaybeUninit;

use super::error::{self, Failure};
use crate::shared::abi::*;

/// # Safety
/// The type is `repr(C)`, its first field is `struct_size: usize`, all of its bytes may be 0, and `RELEASED` has the
/// sizes that it had in earlier versions, each of which ends between two fields.
pub(crate) unsafe trait Growing: Copy {
    const RELEASED: &'static [usize];
}

macro_rules! growing {
    ($($name:ident: $sizes:expr;)*) => {
        $(
            // SAFETY: plain C structures of integers and pointers; the sizes are those of the headers that were
            // released.
            unsafe impl Growing for $name {
                const RELEASED: &'static [usize] = &$sizes;
            }
        )*
    };
}

// A release adds its sizes here where a structure has grown.
growing! {
    wasmtrap_client_desc_t: [];
    wasmtrap_options_t: [32];
    wasmtrap_code_desc_t: [56];
    wasmtrap_code_info_t: [56];
    wasmtrap_region_desc_t: [40];
    wasmtrap_region_info_t: [];
    wasmtrap_stack_t: [32];
}

/// Why a structure cannot be used.
#[derive(Clone, Copy)]
enum Misfit {
    Null,
    /// It is none of the sizes that the structure has had.
    Size(usize),
}

impl Misfit {
    fn status(self) -> wasmtrap_status_t {
        match self {
            Self::Null => WASMTRAP_ERR_INVALID_ARGUMENT,
            Self::Size(_) => WASMTRAP_ERR_STRUCT_SIZE,
        }
    }

    fn explain<T>(self, name: &str) -> Failure {
        match self {
            Self::Null => error::null(name),
            Self::Size(size) => error::struct_size(name, size, size_of::<T>()),
        }
    }
}

/// The size that `given` says it has, checked.
///
/// # Safety
/// `given` is null or valid for a read of its first field.
unsafe fn size_of_given<T: Growing>(given: *const T) -> Result<usize, Misfit> {
    if given.is_null() {
        return Err(Misfit::Null);
    }
    // SAFETY: every such structure begins with its size, which the caller promises to be readable.
    let size = unsafe { given.cast::<usize>().read() };
    if size == size_of::<T>() || T::RELEASED.contains(&size) { Ok(size) } else { Err(Misfit::Size(size)) }
}

/// Reads the structure at `given`. What it does not have yet is 0.
///
/// # Safety
/// `given` is null, or valid for a read of its first field, and of as many bytes as that says.
pub(crate) unsafe fn read<T: Growing>(name: &str, given: *const T) -> Result<T, Failure> {
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(given) }.map_err(|misfit| misfit.explain::<T>(name))?;
    let mut whole = MaybeUninit::<T>::zeroed();
    // SAFETY: `size` is at most that of `T`, and the caller says that so much is there.
    unsafe { core::ptr::copy_nonoverlapping(given.cast::<u8>(), whole.as_mut_ptr().cast::<u8>(), size) };
    // SAFETY: zeros are valid values of these types, and so is what the caller has written.
    Ok(unsafe { whole.assume_init() })
}

/// Fills in the structure at `out`, as far as the caller knows it; its size stays as it is. Signal-safe, so that no
/// sentence is written.
///
/// # Safety
/// `out` is null, or valid for a read of its first field, and for a write of as many bytes as that says.
pub(crate) unsafe fn fill_in<T: Growing>(
    out: *mut T,
    value: impl FnOnce() -> Result<T, wasmtrap_status_t>,
) -> Result<(), wasmtrap_status_t> {
    const SIZE: usize = size_of::<usize>();
    // SAFETY: the caller's promise.
    let size = unsafe { size_of_given(out.cast_const()) }.map_err(Misfit::status)?;
    let value = value()?;
    // SAFETY: the caller says that `size` bytes are there; all that follows the first field is copied.
    unsafe {
        let rest = core::ptr::from_ref(&value).cast::<u8>().add(SIZE);
        core::ptr::copy_nonoverlapping(rest, out.cast::<u8>().add(SIZE), size - SIZE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Grown {
        struct_size: usize,
        old: usize,
        new: usize,
    }

    // SAFETY: integers; `new` is the addition.
    unsafe impl Growing for Grown {
        const RELEASED: &'static [usize] = &[16];
    }

    fn given(struct_size: usize) -> Grown {
        Grown { struct_size, old: 7, new: 9 }
    }

    #[test]
    fn what_an_older_program_does_not_know_is_0() {
        // SAFETY: all three fields are there.
        let read = |size| unsafe { read("desc", &given(size)).ok() };
        assert_eq!(read(16), Some(Grown { struct_size: 16, old: 7, new: 0 }));
        assert_eq!(read(24), Some(given(24)));
        for size in [0, 8, 15, 17, 23, 25, 32, usize::MAX] {
            assert_eq!(read(size), None, "{size}");
        }
    }

    #[test]
    fn what_an_older_program_does_not_know_is_not_written() {
        for (size, new) in [(16, 9), (24, 2)] {
            let mut out = given(size);
            let value = || Ok(Grown { struct_size: 24, old: 1, new: 2 });
            // SAFETY: all three fields are there.
            assert!(unsafe { fill_in(&raw mut out, value) }.is_ok());
            assert_eq!(out, Grown { struct_size: size, old: 1, new });
        }
    }
}
