/* A CPython extension that runs compiled code and raises an exception for its traps. One binary for all versions from
 * 3.8 on. See run.py, which builds it.
 *
 * What to take from it: the GIL is released around the protected call and taken again after it, never inside, so that a
 * trap drops no frame of Python's; the exception is made of the trap's record when all is over. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03080000
#define _GNU_SOURCE
#include <Python.h>
#include <sys/mman.h>
#include <wasmtrap.h>

enum { RESERVED = 1 << 20, MEMORY = 1 << 16 };

#define COMPILED __attribute__((section("wasm_code"), noinline))
extern const char __start_wasm_code[], __stop_wasm_code[];

static char *memory;
static PyObject *trap_error;

typedef struct {
  unsigned int address;
  int result;
} call_t;

COMPILED static void load(void *argument) {
  call_t *call = argument;
  call->result = *(volatile char *)(memory + call->address % RESERVED);
}

static PyObject *failure(void) {
  PyErr_SetString(PyExc_RuntimeError, wasmtrap_last_error());
  return NULL;
}

static PyObject *guarded_load(PyObject *module, PyObject *arguments) {
  (void)module;
  call_t call = {0, 0};
  if (!PyArg_ParseTuple(arguments, "I", &call.address)) return NULL;
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  wasmtrap_status_t status;
  Py_BEGIN_ALLOW_THREADS
  status = wasmtrap_call(load, &call, &trap);
  Py_END_ALLOW_THREADS
  if (status < 0) return failure();
  if (status == WASMTRAP_TRAPPED) {
    PyErr_Format(trap_error, "%s at address %zu", wasmtrap_code_name(trap.code), trap.region_offset);
    return NULL;
  }
  return PyLong_FromLong(call.result);
}

static PyMethodDef methods[] = {
    {"load", guarded_load, METH_VARARGS, "load(address): a byte of memory, or a Trap."},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "guarded", "Memory whose bounds the processor checks.", -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_guarded(void) {
  PyObject *module = PyModule_Create(&definition);
  if (module == NULL) return NULL;
  trap_error = PyErr_NewException("guarded.Trap", NULL, NULL);
  Py_XINCREF(trap_error);
  if (trap_error == NULL || PyModule_AddObject(module, "Trap", trap_error) != 0) return NULL;

  memory = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, MEMORY, PROT_READ | PROT_WRITE) != 0)
    return PyErr_SetFromErrno(PyExc_OSError);
  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = __start_wasm_code;
  code.length = (size_t)(__stop_wasm_code - __start_wasm_code);
  code.flags = WASMTRAP_CODE_STRICT;
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = memory;
  region.length = RESERVED;
  uint64_t code_id, region_id;
  if (wasmtrap_init(NULL) != WASMTRAP_OK || wasmtrap_code_register(&code, &code_id) != WASMTRAP_OK ||
      wasmtrap_region_register(&region, &region_id) != WASMTRAP_OK)
    return failure();
  return module;
}
