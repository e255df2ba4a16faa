/* A plug-in with the static library inside, for linked_into_a_plugin.c. It has all of the library's functions, since it
 * names them. */
#include "wasmtrap.h"

typedef void (*function_t)(void);
extern const function_t plugin_functions[];

const function_t plugin_functions[] = {
#define FUNCTION(name) (function_t)name,
#include "documented_functions.h"
};
