//! `mach/mig_errors.h`, as mach2 has it in `mig`.

use crate::kern_return::kern_return_t;

pub const MIG_TYPE_ERROR: kern_return_t = -300;
pub const MIG_REPLY_MISMATCH: kern_return_t = -301;
pub const MIG_REMOTE_ERROR: kern_return_t = -302;
pub const MIG_BAD_ID: kern_return_t = -303;
pub const MIG_BAD_ARGUMENTS: kern_return_t = -304;
pub const MIG_NO_REPLY: kern_return_t = -305;
pub const MIG_EXCEPTION: kern_return_t = -306;
pub const MIG_ARRAY_TOO_LARGE: kern_return_t = -307;
pub const MIG_SERVER_DIED: kern_return_t = -308;
