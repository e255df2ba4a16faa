/* As <mach/exception.h> of macOS. */
#ifndef MACH_EXCEPTION_H
#define MACH_EXCEPTION_H

#include <mach/exception_types.h>
#include <mach/port.h>

#endif
