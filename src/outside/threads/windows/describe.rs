//! What the description says of the calling thread: the room that it keeps for handling a stack overflow.

use core::fmt::{self, Write};

use super::alternate_stack;
use crate::arch;
use crate::outside::text::CallerBuffer;

pub(crate) fn write_this_thread(out: &mut CallerBuffer) -> fmt::Result {
    write!(out, "this thread's room for handling a stack overflow: ")?;
    let Ok(now) = alternate_stack::current() else { return writeln!(out, "unknown, SetThreadStackGuarantee failed") };
    write!(out, "{now} bytes")?;
    match (now >= alternate_stack::wanted(), arch::current_thread().is_null()) {
        (true, _) => writeln!(out),
        (false, true) => writeln!(out, "; {} when the thread is attached", alternate_stack::wanted()),
        (false, false) => writeln!(out, "; its stack is too small for {}", alternate_stack::wanted()),
    }
}
