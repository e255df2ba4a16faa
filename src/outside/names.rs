//! Names of codes and statuses.

use core::ffi::CStr;

use crate::shared::abi::*;

pub(crate) static VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes())
{
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL in it"),
};

/// The specification's words: the messages of assert_trap and assert_exhaustion in its test suite, where it has one.
pub(crate) fn trap_code(code: wasmtrap_code_t) -> &'static CStr {
    match code {
        WASMTRAP_CODE_STACK_OVERFLOW => c"call stack exhausted",
        WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS => c"out of bounds memory access",
        WASMTRAP_CODE_HEAP_MISALIGNED => c"unaligned atomic",
        WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS => c"out of bounds table access",
        WASMTRAP_CODE_INDIRECT_CALL_TO_NULL => c"uninitialized element",
        WASMTRAP_CODE_BAD_SIGNATURE => c"indirect call type mismatch",
        WASMTRAP_CODE_INTEGER_OVERFLOW => c"integer overflow",
        WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO => c"integer divide by zero",
        WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER => c"invalid conversion to integer",
        WASMTRAP_CODE_UNREACHABLE => c"unreachable",
        WASMTRAP_CODE_INTERRUPT => c"interrupt",
        WASMTRAP_CODE_UNDEFINED_ELEMENT => c"undefined element",
        WASMTRAP_CODE_NULL_REFERENCE => c"null reference",
        WASMTRAP_CODE_ARRAY_OUT_OF_BOUNDS => c"out of bounds array access",
        WASMTRAP_CODE_ALLOCATION_TOO_LARGE => c"allocation size too large",
        WASMTRAP_CODE_CAST_FAILURE => c"cast failure",
        WASMTRAP_CODE_EXPECTED_SHARED_MEMORY => c"expected shared memory",
        WASMTRAP_CODE_UNCAUGHT_EXCEPTION => c"unhandled exception",
        WASMTRAP_CODE_OUT_OF_FUEL => c"all fuel consumed",
        WASMTRAP_CODE_UNHANDLED_TAG => c"unhandled tag",
        WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED => c"continuation already consumed",
        WASMTRAP_CODE_USER.. => c"user trap",
        _ => c"unknown trap",
    }
}

pub(crate) fn status(status: wasmtrap_status_t) -> &'static CStr {
    match status {
        WASMTRAP_OK => c"WASMTRAP_OK",
        WASMTRAP_TRAPPED => c"WASMTRAP_TRAPPED",
        WASMTRAP_ERR_INVALID_ARGUMENT => c"WASMTRAP_ERR_INVALID_ARGUMENT",
        WASMTRAP_ERR_STRUCT_SIZE => c"WASMTRAP_ERR_STRUCT_SIZE",
        WASMTRAP_ERR_NOT_INITIALIZED => c"WASMTRAP_ERR_NOT_INITIALIZED",
        WASMTRAP_ERR_CONFLICT => c"WASMTRAP_ERR_CONFLICT",
        WASMTRAP_ERR_UNSUPPORTED => c"WASMTRAP_ERR_UNSUPPORTED",
        WASMTRAP_ERR_NO_MEMORY => c"WASMTRAP_ERR_NO_MEMORY",
        WASMTRAP_ERR_OVERLAP => c"WASMTRAP_ERR_OVERLAP",
        WASMTRAP_ERR_UNKNOWN_ID => c"WASMTRAP_ERR_UNKNOWN_ID",
        WASMTRAP_ERR_BUSY => c"WASMTRAP_ERR_BUSY",
        WASMTRAP_ERR_WRONG_THREAD => c"WASMTRAP_ERR_WRONG_THREAD",
        WASMTRAP_ERR_LIMIT => c"WASMTRAP_ERR_LIMIT",
        WASMTRAP_ERR_SYSTEM => c"WASMTRAP_ERR_SYSTEM",
        WASMTRAP_ERR_NOT_FOUND => c"WASMTRAP_ERR_NOT_FOUND",
        _ => c"unknown status",
    }
}

pub(crate) fn access(access: wasmtrap_access_t) -> &'static CStr {
    match access {
        WASMTRAP_ACCESS_READ => c"read",
        WASMTRAP_ACCESS_WRITE => c"write",
        WASMTRAP_ACCESS_EXECUTE => c"execute",
        _ => c"unknown",
    }
}
