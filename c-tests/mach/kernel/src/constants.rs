//! Numbers of Mach's interface, by their own names (osfmk/mach/{kern_return,message,port,exception_types,notify}.h).

/// The result of a Mach call.
pub(crate) type KernReturn = i32;
/// A name of a right in a task's space.
pub(crate) type Name = u32;

pub(crate) const KERN_SUCCESS: KernReturn = 0;
pub(crate) const KERN_INVALID_ADDRESS: KernReturn = 1;
pub(crate) const KERN_PROTECTION_FAILURE: KernReturn = 2;
pub(crate) const KERN_NO_SPACE: KernReturn = 3;
pub(crate) const KERN_INVALID_ARGUMENT: KernReturn = 4;
pub(crate) const KERN_FAILURE: KernReturn = 5;
pub(crate) const KERN_RESOURCE_SHORTAGE: KernReturn = 6;
pub(crate) const KERN_NO_ACCESS: KernReturn = 8;
pub(crate) const KERN_MEMORY_ERROR: KernReturn = 10;
pub(crate) const KERN_ALREADY_IN_SET: KernReturn = 11;
pub(crate) const KERN_NOT_IN_SET: KernReturn = 12;
pub(crate) const KERN_NAME_EXISTS: KernReturn = 13;
pub(crate) const KERN_INVALID_NAME: KernReturn = 15;
pub(crate) const KERN_INVALID_TASK: KernReturn = 16;
pub(crate) const KERN_INVALID_RIGHT: KernReturn = 17;
pub(crate) const KERN_INVALID_VALUE: KernReturn = 18;
pub(crate) const KERN_INVALID_CAPABILITY: KernReturn = 20;
pub(crate) const KERN_RIGHT_EXISTS: KernReturn = 21;
pub(crate) const KERN_TERMINATED: KernReturn = 37;
pub(crate) const KERN_NOT_SUPPORTED: KernReturn = 46;
pub(crate) const KERN_DENIED: KernReturn = 53;

pub(crate) const MIG_TYPE_ERROR: KernReturn = -300;
pub(crate) const MIG_REPLY_MISMATCH: KernReturn = -301;
pub(crate) const MIG_ARRAY_TOO_LARGE: KernReturn = -307;
pub(crate) const MIG_SERVER_DIED: KernReturn = -308;

pub(crate) const MACH_PORT_NULL: Name = 0;
pub(crate) const MACH_PORT_DEAD: Name = !0;

/// MACH_PORT_VALID
pub(crate) fn is_valid(name: Name) -> bool {
    name != MACH_PORT_NULL && name != MACH_PORT_DEAD
}

pub(crate) const RIGHT_SEND: u32 = 0;
pub(crate) const RIGHT_RECEIVE: u32 = 1;
pub(crate) const RIGHT_SEND_ONCE: u32 = 2;
pub(crate) const RIGHT_PORT_SET: u32 = 3;
pub(crate) const RIGHT_DEAD_NAME: u32 = 4;
pub(crate) const RIGHT_NUMBER: u32 = 6;

/// MACH_PORT_TYPE(right)
pub(crate) const fn type_of_right(right: u32) -> u32 {
    1 << (right + 16)
}

pub(crate) const TYPE_SEND: u32 = type_of_right(RIGHT_SEND);
pub(crate) const TYPE_RECEIVE: u32 = type_of_right(RIGHT_RECEIVE);
pub(crate) const TYPE_SEND_ONCE: u32 = type_of_right(RIGHT_SEND_ONCE);
pub(crate) const TYPE_PORT_SET: u32 = type_of_right(RIGHT_PORT_SET);
pub(crate) const TYPE_DEAD_NAME: u32 = type_of_right(RIGHT_DEAD_NAME);
/// The entry once held the receive right (MACH_PORT_TYPE_EX_RECEIVE).
pub(crate) const TYPE_EX_RECEIVE: u32 = type_of_right(5);
pub(crate) const TYPE_SEND_RIGHTS: u32 = TYPE_SEND | TYPE_SEND_ONCE;
pub(crate) const TYPE_DEAD_NAME_REQUEST: u32 = 0x8000_0000;

/// MACH_PORT_UREFS_MAX: 16 bits of user references (osfmk/ipc/ipc_entry.h, IE_BITS_UREFS_MASK), the last one pegged.
pub(crate) const UREFS_MAX: u32 = 0xffff;

pub(crate) const QLIMIT_DEFAULT: u32 = 5;
pub(crate) const QLIMIT_MAX: u32 = 1024;

pub(crate) const MPO_CONTEXT_AS_GUARD: u32 = 0x01;
pub(crate) const MPO_QLIMIT: u32 = 0x02;
pub(crate) const MPO_INSERT_SEND_RIGHT: u32 = 0x10;
pub(crate) const MPO_STRICT: u32 = 0x20;
pub(crate) const MPO_IMMOVABLE_RECEIVE: u32 = 0x80;
pub(crate) const MPO_TG_BLOCK_TRACKING: u32 = 0x200;
pub(crate) const MPO_SERVICE_PORT: u32 = 0x400;
pub(crate) const MPO_CONNECTION_PORT: u32 = 0x800;
pub(crate) const MPO_REPLY_PORT: u32 = 0x1000;
pub(crate) const MPO_ENFORCE_REPLY_PORT_SEMANTICS: u32 = 0x2000;
pub(crate) const MPO_PROVISIONAL_REPLY_PORT: u32 = 0x4000;
/// MPO_PROVISIONAL_ID_PROT_OPTOUT in the kernels of 14, MPO_EXCEPTION_PORT since 15, nothing before.
pub(crate) const MPO_BIT_0X8000: u32 = 0x8000;

pub(crate) const MOVE_RECEIVE: u32 = 16;
pub(crate) const MOVE_SEND: u32 = 17;
pub(crate) const MOVE_SEND_ONCE: u32 = 18;
pub(crate) const COPY_SEND: u32 = 19;
pub(crate) const MAKE_SEND: u32 = 20;
pub(crate) const MAKE_SEND_ONCE: u32 = 21;

pub(crate) const BITS_COMPLEX: u32 = 0x8000_0000;
pub(crate) const BITS_USER: u32 = 0x801f_1f1f;
pub(crate) const BITS_REMOTE: u32 = 0x1f;
pub(crate) const BITS_LOCAL: u32 = 0x1f00;
pub(crate) const BITS_VOUCHER: u32 = 0x1f_0000;

pub(crate) const MACH_SEND_MSG: u32 = 0x1;
pub(crate) const MACH_RCV_MSG: u32 = 0x2;
pub(crate) const MACH_RCV_LARGE: u32 = 0x4;
pub(crate) const MACH_RCV_LARGE_IDENTITY: u32 = 0x8;
pub(crate) const MACH_SEND_TIMEOUT: u32 = 0x10;
pub(crate) const MACH_RCV_TIMEOUT: u32 = 0x100;

pub(crate) const MACH_SEND_INVALID_DATA: KernReturn = 0x1000_0002;
pub(crate) const MACH_SEND_INVALID_DEST: KernReturn = 0x1000_0003;
pub(crate) const MACH_SEND_TIMED_OUT: KernReturn = 0x1000_0004;
pub(crate) const MACH_SEND_INVALID_VOUCHER: KernReturn = 0x1000_0005;
pub(crate) const MACH_SEND_INTERRUPTED: KernReturn = 0x1000_0007;
pub(crate) const MACH_SEND_MSG_TOO_SMALL: KernReturn = 0x1000_0008;
pub(crate) const MACH_SEND_INVALID_REPLY: KernReturn = 0x1000_0009;
pub(crate) const MACH_SEND_INVALID_RIGHT: KernReturn = 0x1000_000a;
pub(crate) const MACH_SEND_INVALID_MEMORY: KernReturn = 0x1000_000c;
pub(crate) const MACH_SEND_TOO_LARGE: KernReturn = 0x1000_000e;
pub(crate) const MACH_SEND_INVALID_TYPE: KernReturn = 0x1000_000f;
pub(crate) const MACH_SEND_INVALID_HEADER: KernReturn = 0x1000_0010;
pub(crate) const MACH_SEND_INVALID_OPTIONS: KernReturn = 0x1000_0013;

pub(crate) const MACH_RCV_INVALID_NAME: KernReturn = 0x1000_4002;
pub(crate) const MACH_RCV_TIMED_OUT: KernReturn = 0x1000_4003;
pub(crate) const MACH_RCV_TOO_LARGE: KernReturn = 0x1000_4004;
pub(crate) const MACH_RCV_INTERRUPTED: KernReturn = 0x1000_4005;
pub(crate) const MACH_RCV_PORT_CHANGED: KernReturn = 0x1000_4006;
pub(crate) const MACH_RCV_INVALID_DATA: KernReturn = 0x1000_4008;
pub(crate) const MACH_RCV_INVALID_TRAILER: KernReturn = 0x1000_400f;

pub(crate) const PORT_DESCRIPTOR: u8 = 0;
pub(crate) const OOL_DESCRIPTOR: u8 = 1;
pub(crate) const OOL_PORTS_DESCRIPTOR: u8 = 2;
pub(crate) const OOL_VOLATILE_DESCRIPTOR: u8 = 3;
pub(crate) const GUARDED_PORT_DESCRIPTOR: u8 = 4;

pub(crate) const MACH_NOTIFY_PORT_DELETED: i32 = 0o101;
pub(crate) const MACH_NOTIFY_NO_SENDERS: i32 = 0o106;
pub(crate) const MACH_NOTIFY_SEND_ONCE: i32 = 0o107;
pub(crate) const MACH_NOTIFY_DEAD_NAME: i32 = 0o110;

pub(crate) const EXC_BAD_ACCESS: u32 = 1;
pub(crate) const EXC_BAD_INSTRUCTION: u32 = 2;
#[cfg(target_arch = "x86_64")] // No division of arm64 faults.
pub(crate) const EXC_ARITHMETIC: u32 = 3;
pub(crate) const EXC_BREAKPOINT: u32 = 6;
pub(crate) const FIRST_EXCEPTION: usize = 1;
pub(crate) const EXC_TYPES_COUNT: usize = 14;
/// EXC_MASK_VALID: EXC_MASK_ALL, EXC_MASK_CRASH and EXC_MASK_CORPSE_NOTIFY.
pub(crate) const EXC_MASK_VALID: u32 = 0x3ffe;

pub(crate) const EXCEPTION_DEFAULT: u32 = 1;
pub(crate) const EXCEPTION_STATE: u32 = 2;
pub(crate) const EXCEPTION_STATE_IDENTITY: u32 = 3;
pub(crate) const EXCEPTION_IDENTITY_PROTECTED: u32 = 4;
pub(crate) const EXCEPTION_STATE_IDENTITY_PROTECTED: u32 = 5;
pub(crate) const MACH_EXCEPTION_CODES: u32 = 0x8000_0000;
pub(crate) const MACH_EXCEPTION_BACKTRACE_PREFERRED: u32 = 0x2000_0000;
/// MACH_EXCEPTION_MASK: the flags beside the behavior.
pub(crate) const MACH_EXCEPTION_FLAGS: u32 = 0xe000_0000;
