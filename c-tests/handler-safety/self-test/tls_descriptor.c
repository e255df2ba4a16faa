/* Uses a thread-local that may be allocated at its first use, by way of a TLS descriptor.
 *
 * only: elf
 * expect: lazy-tls
 * cflags[x86_64]: -mtls-dialect=gnu2
 * cflags[aarch64]: -mtls-dialect=desc
 */
#include "rust_names.h"

__thread int word;

int handle(void) ENTRY;
int handle(void)
{
    return ++word;
}
