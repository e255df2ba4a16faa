/* <setjmp.h> with POSIX's jumps, which unwind nothing: no frame to unwind to is noted. */
#ifndef WINDOWS_SETJMP_H
#define WINDOWS_SETJMP_H

#include_next <setjmp.h>

typedef jmp_buf sigjmp_buf;
#define sigsetjmp(place, mask) ((void)(mask), _setjmp(place, NULL))
#define siglongjmp(place, value) longjmp(place, value)

#endif
