/* Uses a thread-local that the dynamic linker allocates at its first use, by the traditional call.
 *
 * only: elf
 * expect: external __tls_get_addr, lazy-tls
 * cflags[aarch64]: -mtls-dialect=trad
 */
#include "rust_names.h"

__thread int word;

int handle(void) ENTRY;
int handle(void)
{
    return ++word;
}
