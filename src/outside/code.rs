//! Code ranges: from a description to an entry of the registry.

use super::error::{self, Failure, fail};
use super::registry::{self, NewEntry, RegistryError};
use super::{clients, library};
use crate::shared::abi::*;

pub(crate) fn register(desc: &wasmtrap_code_desc_t) -> Result<u64, Failure> {
    let mut kinds = kinds(desc)?;
    let (start, last) = range("desc->start", desc.start.addr(), "desc->length", desc.length)?;
    if desc.flags & !(WASMTRAP_CODE_STRICT | WASMTRAP_CODE_ADOPTED | WASMTRAP_CODE_NOT_INTERRUPTIBLE) != 0 {
        return Err(unknown_flags(
            desc.flags,
            "WASMTRAP_CODE_STRICT, WASMTRAP_CODE_ADOPTED and WASMTRAP_CODE_NOT_INTERRUPTIBLE are",
        ));
    }
    if desc.flags & WASMTRAP_CODE_ADOPTED != 0 {
        require_nothing_of_traps(desc)?;
        // By the tables nothing in it is a trap.
        kinds = 0;
    }
    let new = NewEntry {
        start,
        last,
        user: desc.user.addr(),
        flags: desc.flags,
        code: WASMTRAP_CODE_NONE,
        accessible: 0,
        accessible_code: WASMTRAP_CODE_NONE,
        client: desc.client,
        kinds,
        sites: sites(desc)?,
    };
    insert(&registry::CODE, new, "code range")
}

pub(crate) fn unregister(id: u64) -> Result<(), Failure> {
    remove(&registry::CODE, id, "code range")
}

pub(crate) fn unregister_at(start: usize) -> Result<(), Failure> {
    remove_at(&registry::CODE, start, "start", "code range")
}

/// What is said of traps, which an adopted engine's code has none of, would be lost.
fn require_nothing_of_traps(desc: &wasmtrap_code_desc_t) -> Result<(), Failure> {
    let flags = desc.flags;
    if flags & WASMTRAP_CODE_STRICT != 0 {
        return Err(error::invalid(format_args!(
            "desc->flags is {flags:#x}, but WASMTRAP_CODE_STRICT says nothing with WASMTRAP_CODE_ADOPTED"
        )));
    }
    if !desc.sites.is_null() || desc.site_count != 0 {
        return Err(error::invalid(format_args!(
            "desc->site_count is {}, but a range with WASMTRAP_CODE_ADOPTED takes no trap sites (desc->sites is {:#x})",
            desc.site_count,
            desc.sites.addr()
        )));
    }
    if desc.fault_kinds != 0 {
        return Err(error::invalid(format_args!(
            "desc->fault_kinds is {:#x}, but in a range with WASMTRAP_CODE_ADOPTED no fault is a trap by the tables",
            desc.fault_kinds
        )));
    }
    Ok(())
}

/// The kinds of fault that may be traps in the range: those asked for, all of which its client takes.
fn kinds(desc: &wasmtrap_code_desc_t) -> Result<u32, Failure> {
    let taken = clients::kinds_of(desc.client)?;
    match desc.fault_kinds {
        0 => Ok(taken),
        asked if asked & !taken == 0 => Ok(asked),
        asked => Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("desc->fault_kinds is {asked:#x}, but client {} takes only {taken:#x}", desc.client),
        )),
    }
}

/// The sites of a description, checked.
fn sites(desc: &wasmtrap_code_desc_t) -> Result<Option<&[wasmtrap_site_t]>, Failure> {
    if desc.sites.is_null() {
        return match desc.site_count {
            0 => Ok(None),
            count => Err(fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!("desc->sites is NULL, but desc->site_count is {count}"),
            )),
        };
    }
    if !desc.sites.is_aligned() {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("desc->sites is {:#x}, which is not aligned", desc.sites.addr()),
        ));
    }
    if desc.site_count > isize::MAX as usize / size_of::<wasmtrap_site_t>() {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("desc->site_count is {}, which no array can have", desc.site_count),
        ));
    }
    if desc.length as u64 > 1 << 32 {
        return Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("desc->length is {}, but a range with trap sites has at most 4 GiB", desc.length),
        ));
    }
    // SAFETY: not null, aligned, and by the API's contract an array of `site_count` elements.
    let sites = unsafe { core::slice::from_raw_parts(desc.sites, desc.site_count) };
    let mut before: Option<u32> = None;
    for (index, site) in sites.iter().enumerate() {
        if let Some(before) = before
            && site.offset <= before
        {
            return Err(fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!(
                    "desc->sites[{index}].offset is {}, but the one before is {before}: offsets must ascend",
                    site.offset
                ),
            ));
        }
        if site.offset as usize >= desc.length {
            return Err(fail(
                WASMTRAP_ERR_INVALID_ARGUMENT,
                format_args!(
                    "desc->sites[{index}].offset is {}, outside of the range of {} bytes",
                    site.offset, desc.length
                ),
            ));
        }
        before = Some(site.offset);
    }
    Ok(Some(sites))
}

/// First and last address of a range that must be somewhere, not empty, and not wrap.
pub(super) fn range(
    start_name: &str,
    start: usize,
    length_name: &str,
    length: usize,
) -> Result<(usize, usize), Failure> {
    if start == 0 {
        return Err(error::null(start_name));
    }
    if length == 0 {
        return Err(fail(WASMTRAP_ERR_INVALID_ARGUMENT, format_args!("{length_name} is 0")));
    }
    match start.checked_add(length - 1) {
        Some(last) => Ok((start, last)),
        None => Err(fail(
            WASMTRAP_ERR_INVALID_ARGUMENT,
            format_args!("{length_name} is {length:#x}, which wraps around from {start_name} {start:#x}"),
        )),
    }
}

pub(super) fn unknown_flags(flags: u32, known: &str) -> Failure {
    fail(WASMTRAP_ERR_INVALID_ARGUMENT, format_args!("desc->flags is {flags:#x}, but only {known} known"))
}

/// Registers, but not after the client has been closed in between.
pub(super) fn insert(registry: &registry::Registry<'static>, new: NewEntry<'_>, what: &str) -> Result<u64, Failure> {
    let (start, last) = (new.start, new.last);
    let id = registry.insert(new).map_err(|error| match error {
        RegistryError::Overlap { start: other, last: other_last, id } => fail(
            WASMTRAP_ERR_OVERLAP,
            format_args!(
                "the {what} {start:#x} to {last:#x} overlaps {other:#x} to {other_last:#x}, which has id {id}"
            ),
        ),
        RegistryError::NoMemory => error::no_memory(format_args!("the {what} {start:#x} to {last:#x}")),
        RegistryError::UnknownId => unknown_id(0, what),
    })?;
    if let Err(failure) = clients::kinds_of(new.client) {
        // Who closed it may have forgotten it already.
        let _ = registry.remove(id);
        return Err(failure);
    }
    Ok(id)
}

pub(super) fn remove(registry: &registry::Registry<'static>, id: u64, what: &str) -> Result<(), Failure> {
    library::require_ready()?;
    registry.remove(id).map_err(|_| unknown_id(id, what))
}

/// Removes the range that begins at `start`, which the caller knows as `name`.
pub(super) fn remove_at(
    registry: &registry::Registry<'static>,
    start: usize,
    name: &str,
    what: &str,
) -> Result<(), Failure> {
    library::require_ready()?;
    registry.remove_at(start).map_err(|_| {
        fail(WASMTRAP_ERR_NOT_FOUND, format_args!("{name} is {start:#x}, where no registered {what} begins"))
    })
}

fn unknown_id(id: u64, what: &str) -> Failure {
    fail(WASMTRAP_ERR_UNKNOWN_ID, format_args!("id {id} is not, or no longer, the id of a {what}"))
}
