/* Where site, region and kind of fault each have a trap code, the site's counts, then the region's, then the kind's. */
#include "host.h"

typedef struct case_t {
  const char *name;
  int has_site;
  wasmtrap_code_t site_code;
  int has_region;
  wasmtrap_code_t region_code;
  wasmtrap_code_t expected;
} case_t;

enum { OWN_CODE = WASMTRAP_CODE_USER + 5, RESERVED_CODE = 0x999 };

static const case_t cases[] = {
    {"no site, no region: the kind's", 0, 0, 0, 0, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS},
    {"a region without a code: the kind's", 0, 0, 1, WASMTRAP_CODE_NONE, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS},
    {"a region with a code", 0, 0, 1, WASMTRAP_CODE_INTERRUPT, WASMTRAP_CODE_INTERRUPT},
    {"a site without a code, no region", 1, WASMTRAP_CODE_NONE, 0, 0, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS},
    {"a site without a code, a region with one", 1, WASMTRAP_CODE_NONE, 1, WASMTRAP_CODE_STACK_OVERFLOW,
     WASMTRAP_CODE_STACK_OVERFLOW},
    {"a site with a code, no region", 1, WASMTRAP_CODE_INDIRECT_CALL_TO_NULL, 0, 0,
     WASMTRAP_CODE_INDIRECT_CALL_TO_NULL},
    {"both with a code: the site's", 1, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS, 1, WASMTRAP_CODE_INTERRUPT,
     WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS},
    {"the embedder's own code at a site", 1, OWN_CODE, 1, WASMTRAP_CODE_INTERRUPT, OWN_CODE},
    {"the embedder's own code of a region", 0, 0, 1, OWN_CODE, OWN_CODE},
    {"a code that is kept for later", 1, RESERVED_CODE, 0, 0, RESERVED_CODE},
    {"the highest code there is", 1, UINT32_MAX, 0, 0, UINT32_MAX},
};

static void try_case(const case_t *tried, void *page) {
  const uint64_t code_id = tried->has_site ? host_register_code_with_site(&wasm_load, tried->site_code)
                                           : host_register_code(&wasm_load);
  const uint64_t region_id =
      tried->has_region ? host_register_region(page, page_size(), tried->region_code) : 0;
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, tried->expected, tried->name);
  same((trap.flags & WASMTRAP_HAS_SITE) != 0, tried->has_site, "... and the record tells whether it was a site");
  same((trap.flags & WASMTRAP_HAS_REGION) != 0, tried->has_region, "... and whether there was a region");
  must(wasmtrap_code_unregister(code_id) == WASMTRAP_OK);
  if (tried->has_region) must(wasmtrap_region_unregister(region_id) == WASMTRAP_OK);
}

int main(void) {
  host_init();
  void *const page = inaccessible_page();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) try_case(&cases[i], page);

  wasmtrap_trap_t trap;
  host_register_code_with_site(&wasm_unreachable, WASMTRAP_CODE_BAD_SIGNATURE);
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_BAD_SIGNATURE,
               "a site gives an illegal instruction its meaning");
  return tap_done();
}
