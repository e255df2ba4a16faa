/* <setjmp.h> with POSIX's names of its jumps, which unwind, as mingw-w64 has them. */
#ifndef WINDOWS_SETJMP_H
#define WINDOWS_SETJMP_H

#include_next <setjmp.h>

typedef jmp_buf sigjmp_buf;
#define sigsetjmp(place, mask) ((void)(mask), setjmp(place))
#define siglongjmp longjmp

#endif
