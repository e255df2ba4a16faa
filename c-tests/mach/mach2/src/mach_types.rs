//! `mach/mach_types.h`.

use crate::port::mach_port_t;

pub type task_t = mach_port_t;
pub type task_name_t = mach_port_t;
pub type task_inspect_t = mach_port_t;
pub type task_read_t = mach_port_t;
pub type thread_t = mach_port_t;
pub type thread_act_t = mach_port_t;
pub type thread_inspect_t = mach_port_t;
pub type thread_read_t = mach_port_t;
pub type ipc_space_t = mach_port_t;
pub type host_t = mach_port_t;
pub type exception_handler_t = mach_port_t;
pub type task_port_t = mach_port_t;
pub type thread_port_t = mach_port_t;
pub type exception_handler_array_t = *mut exception_handler_t;
pub type thread_act_array_t = *mut thread_act_t;
