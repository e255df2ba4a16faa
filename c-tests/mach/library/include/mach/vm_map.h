/* vm_deallocate, as <mach/vm_map.h> of macOS declares it. */
#ifndef MACH_VM_MAP_H
#define MACH_VM_MAP_H

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

kern_return_t vm_deallocate(vm_map_t task, vm_address_t address, vm_size_t size);

#ifdef __cplusplus
}
#endif

#endif
