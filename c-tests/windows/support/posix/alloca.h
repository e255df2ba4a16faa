/* <alloca.h>, which mingw-w64 has under the name of Microsoft's C library. */
#include <malloc.h>
