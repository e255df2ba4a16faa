//! `mach/exc.h`: the messages of codes of 32 bits without state.

use crate::exception_types::exception_type_t;
use crate::kern_return::kern_return_t;
use crate::message::{mach_msg_body_t, mach_msg_header_t, mach_msg_port_descriptor_t, mach_msg_type_number_t};
use crate::ndr::NDR_record_t;
use crate::vm_types::integer_t;

#[repr(C)]
#[allow(non_snake_case, reason = "the names are Mach's")]
#[derive(Copy, Clone, Debug)]
pub struct __Request__exception_raise_t {
    pub Head: mach_msg_header_t,
    pub msgh_body: mach_msg_body_t,
    pub thread: mach_msg_port_descriptor_t,
    pub task: mach_msg_port_descriptor_t,
    pub NDR: NDR_record_t,
    pub exception: exception_type_t,
    pub codeCnt: mach_msg_type_number_t,
    pub code: [integer_t; 2],
}

#[repr(C)]
#[allow(non_snake_case, reason = "the names are Mach's")]
#[derive(Copy, Clone, Debug)]
pub struct __Reply__exception_raise_t {
    pub Head: mach_msg_header_t,
    pub NDR: NDR_record_t,
    pub RetCode: kern_return_t,
}
