/*
 * The Python extension `wasmtrap`: libwasmtrap for Python, and an example for authors of extensions. This file has the
 * module itself and its functions; extension.h says what the others have.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extension.h"

PyDoc_STRVAR(extension_doc,
             "WebAssembly traps as Python exceptions.\n"
             "\n"
             "Runs WebAssembly that wasm2c and a C compiler have made native code of. What traps is an exception,\n"
             "and the process goes on:\n"
             "\n"
             "    import wasmtrap\n"
             "\n"
             "    wasmtrap.init()\n"
             "    module = wasmtrap.load('./calculator.so')\n"
             "    instance = module.instantiate({'host': {'log': print}})\n"
             "    try:\n"
             "        instance.call('divide', 1, 0)\n"
             "    except wasmtrap.Trap as trap:\n"
             "        print(trap.name, trap.offset, trap.address, trap.frames)\n"
             "\n"
             "module.exports and module.imports tell what there is, with its types. Errors in the use of the\n"
             "module are TypeError, ValueError, OverflowError, or wasmtrap.Error with a sentence of the\n"
             "library's.\n"
             "\n"
             "Other handlers of SIGSEGV and the like, faulthandler among them, stay in use for what is no trap.\n"
             "If one was installed after init(), check() says so, and rearm() mends it.");

/* ---- Helpers of the other files ---- */

int python_minor(void) {
  int major = 0, minor = 0;
  /* Two in one: it cannot fail for a Python that has loaded this. */
  return sscanf(Py_GetVersion(), "%d.%d", &major, &minor) == 2 ? (major > 3 ? INT_MAX : minor) : 0;
}

state_t *state_of(PyObject *extension) { return PyModule_GetState(extension); }

PyTypeObject *add_type(PyObject *extension, PyType_Spec *spec) {
  PyObject *type = PyType_FromSpec(spec);
  if (type != NULL && PyObject_SetAttrString(extension, strchr(spec->name, '.') + 1, type) < 0) Py_CLEAR(type);
  return (PyTypeObject *)type;
}

PyObject *no_constructor(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  (void)args;
  (void)kwargs;
  PyErr_Format(PyExc_TypeError, "cannot create %R directly; see load()", (PyObject *)type);
  return NULL;
}

int set_item(PyObject *dict, PyObject *key, PyObject *value) {
  const int status = key == NULL || value == NULL ? -1 : PyDict_SetItem(dict, key, value);
  Py_XDECREF(value);
  return status;
}

int set_attribute(PyObject *target, const char *name, PyObject *value) {
  const int status = value == NULL ? -1 : PyObject_SetAttrString(target, name, value);
  Py_XDECREF(value);
  return status;
}

/* ---- Names of constants ---- */

typedef struct word_t {
  const char *word;
  uint32_t value;
} word_t;

static const word_t backends[] = {{"auto", WASMTRAP_BACKEND_AUTO},
                                  {"mach_ports", WASMTRAP_BACKEND_MACH_PORTS},
                                  {"signals", WASMTRAP_BACKEND_SIGNALS},
                                  {NULL, 0}};

static const word_t fault_kinds[] = {{"memory", WASMTRAP_FAULT_MEMORY},
                                     {"illegal", WASMTRAP_FAULT_ILLEGAL},
                                     {"arithmetic", WASMTRAP_FAULT_ARITHMETIC},
                                     {"breakpoint", WASMTRAP_FAULT_BREAKPOINT},
                                     {NULL, 0}};

/* What the word stands for; 0, or -1 with an exception set that names all the words there are. */
static int find_word(const word_t *words, PyObject *word, const char *what, uint32_t *value) {
  if (!PyUnicode_Check(word)) {
    PyErr_Format(PyExc_TypeError, "%s is a str, not %R", what, word);
    return -1;
  }
  char known[128] = "";
  for (; words->word != NULL; words++) {
    if (PyUnicode_CompareWithASCIIString(word, words->word) == 0) {
      *value = words->value;
      return 0;
    }
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s'%s'", known[0] == '\0' ? "" : ", ", words->word);
  }
  PyErr_Format(PyExc_ValueError, "%s is %R, and can be one of %s", what, word, known);
  return -1;
}

/* ---- Set-up ---- */

PyDoc_STRVAR(version_doc, "version($module, /)\n--\n\nThe version of the library, 'major.minor.patch'.");

static PyObject *version(PyObject *extension, PyObject *args) {
  (void)extension;
  (void)args;
  return PyUnicode_FromString(wasmtrap_version());
}

PyDoc_STRVAR(init_doc,
             "init($module, /, backend='auto', *, macos_use_mach_ports=None,\n"
             "     fault_kinds=None, alternate_stack_size=0, allow_fallback=False)\n--\n\n"
             "Installs the library's fault handling in this process.\n"
             "\n"
             "    backend: 'auto', 'mach_ports' or 'signals'; the environment variable WASMTRAP_BACKEND overrides it\n"
             "    macos_use_mach_ports: as in Wasmtime's Config; None leaves it to `backend`\n"
             "    fault_kinds: which faults to take, of 'memory', 'illegal', 'arithmetic' and 'breakpoint'; None\n"
             "        for all but the last\n"
             "    alternate_stack_size: of threads that have none big enough, in bytes; 0 for the default\n"
             "    allow_fallback: take another backend instead of failing if the one asked for cannot be had\n"
             "\n"
             "Doing it again with the same options does nothing; with others it is an Error.");

static int mach_ports_from_python(PyObject *object, uint32_t *value) {
  if (object == Py_None) {
    *value = WASMTRAP_MACH_PORTS_DEFAULT;
  } else if (PyBool_Check(object)) {
    *value = object == Py_True ? WASMTRAP_MACH_PORTS_YES : WASMTRAP_MACH_PORTS_NO;
  } else {
    PyErr_Format(PyExc_TypeError, "macos_use_mach_ports is True, False or None, not %R", object);
    return -1;
  }
  return 0;
}

static int fault_kinds_from_python(PyObject *object, uint32_t *value) {
  if (object == Py_None) return 0;
  if (PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "fault_kinds are several strings, not the one %R", object);
    return -1;
  }
  PyObject *kinds = PySequence_Tuple(object);
  if (kinds == NULL) return -1;
  int status = 0;
  for (Py_ssize_t i = 0; status == 0 && i < PyTuple_Size(kinds); i++) {
    uint32_t kind = 0;
    status = find_word(fault_kinds, PyTuple_GetItem(kinds, i), "a fault kind", &kind);
    *value |= kind;
  }
  if (status == 0 && *value == 0) {
    PyErr_SetString(PyExc_ValueError, "fault_kinds is empty, so that nothing would ever be a trap");
    status = -1;
  }
  Py_DECREF(kinds);
  return status;
}

static PyObject *init(PyObject *extension, PyObject *args, PyObject *kwargs) {
  static char names[][24] = {"backend", "macos_use_mach_ports", "fault_kinds", "alternate_stack_size",
                             "allow_fallback"};
  char *keywords[] = {names[0], names[1], names[2], names[3], names[4], NULL};
  PyObject *backend = NULL, *mach_ports = Py_None, *kinds = Py_None;
  Py_ssize_t stack_size = 0;
  int allow_fallback = 0;
  wasmtrap_options_t options = {.struct_size = sizeof options};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$OOnp:init", keywords, &backend, &mach_ports, &kinds, &stack_size,
                                   &allow_fallback) ||
      (backend != NULL && find_word(backends, backend, "backend", &options.backend) < 0) ||
      mach_ports_from_python(mach_ports, &options.macos_use_mach_ports) < 0 ||
      fault_kinds_from_python(kinds, &options.fault_kinds) < 0) {
    return NULL;
  }
  if (stack_size < 0) {
    PyErr_Format(PyExc_ValueError, "alternate_stack_size is %zd, which is less than nothing", stack_size);
    return NULL;
  }
  options.alternate_stack_size = (size_t)stack_size;
  options.flags = allow_fallback ? WASMTRAP_INIT_ALLOW_FALLBACK : 0;
  const wasmtrap_status_t status = wasmtrap_init(&options);
  if (status != WASMTRAP_OK) return set_library_error(state_of(extension), status);
  Py_INCREF(Py_None);
  return Py_None;
}

PyDoc_STRVAR(backend_doc, "backend($module, /)\n--\n\n"
                          "How faults reach the library: 'signals' or 'mach_ports'. An Error before init().");

static PyObject *backend(PyObject *extension, PyObject *args) {
  (void)args;
  wasmtrap_backend_t value;
  const wasmtrap_status_t status = wasmtrap_backend(&value);
  if (status != WASMTRAP_OK) return set_library_error(state_of(extension), status);
  const word_t *word = backends;
  while (word->word != NULL && word->value != value) word++;
  return PyUnicode_FromString(word->word);
}

PyDoc_STRVAR(describe_doc, "describe($module, /)\n--\n\n"
                           "Describes the set-up in English, a fact a line, for a log or a support ticket.");

static PyObject *describe(PyObject *extension, PyObject *args) {
  (void)args;
  /* It may grow between two calls. */
  for (size_t capacity = 4096;; capacity *= 2) {
    char *text = malloc(capacity);
    if (text == NULL) return PyErr_NoMemory();
    size_t length = 0;
    const wasmtrap_status_t status = wasmtrap_describe(text, capacity, &length);
    PyObject *result = NULL;
    if (status == WASMTRAP_OK && length < capacity) result = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
    free(text);
    if (status != WASMTRAP_OK) return set_library_error(state_of(extension), status);
    if (length < capacity) return result;
  }
}

PyDoc_STRVAR(check_doc,
             "check($module, /)\n--\n\n"
             "The kinds of fault that a handler installed after init() has taken from the library, as in init's\n"
             "fault_kinds; an empty tuple if there are none. Such a kind may still work, as long as the newer\n"
             "handler passes on what it does not know; rearm() makes sure.");

static PyObject *check(PyObject *extension, PyObject *args) {
  (void)args;
  uint32_t displaced = 0;
  const wasmtrap_status_t status = wasmtrap_check(&displaced);
  if (status != WASMTRAP_OK) return set_library_error(state_of(extension), status);
  PyObject *kinds = PyList_New(0);
  for (const word_t *word = fault_kinds; kinds != NULL && word->word != NULL; word++) {
    if ((displaced & word->value) == 0) continue;
    PyObject *kind = PyUnicode_FromString(word->word);
    if (kind == NULL || PyList_Append(kinds, kind) < 0) Py_CLEAR(kinds);
    Py_XDECREF(kind);
  }
  PyObject *result = kinds == NULL ? NULL : PyList_AsTuple(kinds);
  Py_XDECREF(kinds);
  return result;
}

PyDoc_STRVAR(rearm_doc, "rearm($module, /)\n--\n\n"
                        "Puts the library's handlers back on top where they were displaced. The handlers found\n"
                        "there get every fault that is not the library's.");

static PyObject *rearm(PyObject *extension, PyObject *args) {
  (void)args;
  const wasmtrap_status_t status = wasmtrap_rearm();
  if (status != WASMTRAP_OK) return set_library_error(state_of(extension), status);
  Py_INCREF(Py_None);
  return Py_None;
}

PyDoc_STRVAR(load_doc, "load($module, path, /)\n--\n\n"
                       "Loads a shared object with a compiled WebAssembly module, and returns its Module. An\n"
                       "Error if it is none, or before init().");

static PyObject *load(PyObject *extension, PyObject *args) {
  PyObject *path;
  return PyArg_ParseTuple(args, "O:load", &path) ? load_module(extension, path) : NULL;
}

PyDoc_STRVAR(code_name_doc, "code_name($module, code, /)\n--\n\n"
                            "A trap code in the WebAssembly specification's words.");

static PyObject *code_name(PyObject *extension, PyObject *args) {
  (void)extension;
  PyObject *code;
  wasm_value_t value;
  if (!PyArg_ParseTuple(args, "O:code_name", &code)) return NULL;
  if (value_from_python(code, 'i', "code", 0, &value) < 0) return NULL;
  return PyUnicode_FromString(wasmtrap_code_name(value.i32));
}

static PyMethodDef functions[] = {
    {"version", version, METH_NOARGS, version_doc},
    {"init", KEYWORD_METHOD(init), METH_VARARGS | METH_KEYWORDS, init_doc},
    {"backend", backend, METH_NOARGS, backend_doc},
    {"describe", describe, METH_NOARGS, describe_doc},
    {"check", check, METH_NOARGS, check_doc},
    {"rearm", rearm, METH_NOARGS, rearm_doc},
    {"load", load, METH_VARARGS, load_doc},
    {"code_name", code_name, METH_VARARGS, code_name_doc},
    {NULL, NULL, 0, NULL},
};

/* ---- The module ---- */

static const word_t codes[] = {
    {"CODE_NONE", WASMTRAP_CODE_NONE},
    {"CODE_STACK_OVERFLOW", WASMTRAP_CODE_STACK_OVERFLOW},
    {"CODE_MEMORY_OUT_OF_BOUNDS", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS},
    {"CODE_HEAP_MISALIGNED", WASMTRAP_CODE_HEAP_MISALIGNED},
    {"CODE_TABLE_OUT_OF_BOUNDS", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS},
    {"CODE_INDIRECT_CALL_TO_NULL", WASMTRAP_CODE_INDIRECT_CALL_TO_NULL},
    {"CODE_BAD_SIGNATURE", WASMTRAP_CODE_BAD_SIGNATURE},
    {"CODE_INTEGER_OVERFLOW", WASMTRAP_CODE_INTEGER_OVERFLOW},
    {"CODE_INTEGER_DIVISION_BY_ZERO", WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO},
    {"CODE_BAD_CONVERSION_TO_INTEGER", WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER},
    {"CODE_UNREACHABLE", WASMTRAP_CODE_UNREACHABLE},
    {"CODE_INTERRUPT", WASMTRAP_CODE_INTERRUPT},
    {"CODE_UNDEFINED_ELEMENT", WASMTRAP_CODE_UNDEFINED_ELEMENT},
    {"CODE_NULL_REFERENCE", WASMTRAP_CODE_NULL_REFERENCE},
    {"CODE_ARRAY_OUT_OF_BOUNDS", WASMTRAP_CODE_ARRAY_OUT_OF_BOUNDS},
    {"CODE_ALLOCATION_TOO_LARGE", WASMTRAP_CODE_ALLOCATION_TOO_LARGE},
    {"CODE_CAST_FAILURE", WASMTRAP_CODE_CAST_FAILURE},
    {"CODE_EXPECTED_SHARED_MEMORY", WASMTRAP_CODE_EXPECTED_SHARED_MEMORY},
    {"CODE_UNCAUGHT_EXCEPTION", WASMTRAP_CODE_UNCAUGHT_EXCEPTION},
    {"CODE_OUT_OF_FUEL", WASMTRAP_CODE_OUT_OF_FUEL},
    {"CODE_UNHANDLED_TAG", WASMTRAP_CODE_UNHANDLED_TAG},
    {"CODE_CONTINUATION_ALREADY_CONSUMED", WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED},
    {"CODE_USER", WASMTRAP_CODE_USER},
    {NULL, 0},
};

static int exec(PyObject *extension) {
  state_t *state = state_of(extension);
  stack_set_up();
  for (const word_t *code = codes; code->word != NULL; code++) {
    if (PyModule_AddIntConstant(extension, code->word, (long)code->value) < 0) return -1;
  }
  return add_error_types(extension, state) < 0 || add_module_types(extension, state) < 0 ||
                 add_instance_type(extension, state) < 0 || add_memory_type(extension, state) < 0
             ? -1
             : 0;
}

/* Objects hold the module and the module holds types, none of which holds an object: there is no circle to break. */
static int traverse(PyObject *extension, visitproc visit, void *arg) {
  const state_t *state = state_of(extension);
  if (state == NULL) return 0;
  Py_VISIT(state->error);
  Py_VISIT(state->trap);
  Py_VISIT((PyObject *)state->frame);
  Py_VISIT((PyObject *)state->signature);
  Py_VISIT((PyObject *)state->module);
  Py_VISIT((PyObject *)state->instance);
  Py_VISIT((PyObject *)state->memory);
  return 0;
}

static void release(void *extension) {
  const state_t *state = state_of(extension);
  if (state == NULL) return;
  Py_XDECREF(state->error);
  Py_XDECREF(state->trap);
  Py_XDECREF((PyObject *)state->frame);
  Py_XDECREF((PyObject *)state->signature);
  Py_XDECREF((PyObject *)state->module);
  Py_XDECREF((PyObject *)state->instance);
  Py_XDECREF((PyObject *)state->memory);
}

/*
 * From 3.12 on a module has to say that it can be loaded into interpreters with a GIL of their own. The headers of the
 * 3.8 API do not have the slot's name, and earlier versions refuse slots that they do not know, so that it is there by
 * number and only where it is understood (PEP 684; Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED).
 */
enum { MULTIPLE_INTERPRETERS = 3, PER_INTERPRETER_GIL = 2 };

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, SLOT_FUNCTION(exec)},
    {0, NULL},
};

static PyModuleDef_Slot slots_since_3_12[] = {
    {Py_mod_exec, SLOT_FUNCTION(exec)},
    {MULTIPLE_INTERPRETERS, (void *)PER_INTERPRETER_GIL},
    {0, NULL},
};

static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "wasmtrap",
    .m_doc = extension_doc,
    .m_size = sizeof(state_t),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_free = release,
};

static PyModuleDef definition_since_3_12 = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "wasmtrap",
    .m_doc = extension_doc,
    .m_size = sizeof(state_t),
    .m_methods = functions,
    .m_slots = slots_since_3_12,
    .m_traverse = traverse,
    .m_free = release,
};

PyMODINIT_FUNC PyInit_wasmtrap(void) {
  return PyModuleDef_Init(python_minor() >= 12 ? &definition_since_3_12 : &definition);
}
