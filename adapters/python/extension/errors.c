/*
 * wasmtrap.Error, wasmtrap.Trap and wasmtrap.Frame.
 *
 * What they say stands in their attributes, so that they survive pickling (multiprocessing hands them between
 * processes). The types have defaults, so that an attribute is there on an exception that Python code has made, too.
 */
#include <string.h>

#include "extension.h"

PyDoc_STRVAR(error_doc,
             "Something that the library or this extension refused to do.\n"
             "\n"
             "Attributes:\n"
             "    status: the library's status, such as -3; None if the refusal is the extension's own\n"
             "    status_name: the status as text, such as 'WASMTRAP_ERR_NOT_INITIALIZED'; None likewise");

PyDoc_STRVAR(trap_doc,
             "Trap(*args, code=0, payload=0)\n--\n\n"
             "WebAssembly has trapped.\n"
             "\n"
             "An import can raise one itself, with a code of its own: the WebAssembly that called it ends there,\n"
             "and the exception comes out of it with offset and frames filled in.\n"
             "\n"
             "Attributes:\n"
             "    code: why, one of the CODE_ constants, or the embedder's own from CODE_USER up\n"
             "    name: the same in the WebAssembly specification's words, such as 'integer divide by zero'\n"
             "    module: the name of the WebAssembly module\n"
             "    offset: where in the module's code, in bytes from its start; None if that is not known\n"
             "    address: the WebAssembly address that could not be accessed; None if it was not about memory\n"
             "    access: 'read', 'write', 'execute' or 'unknown'; None likewise\n"
             "    frames: a tuple of Frame, the innermost first\n"
             "    truncated: whether there were more frames\n"
             "    source: 'fault' if the processor noticed it, 'raise' if the code did; None if Python made the\n"
             "        exception\n"
             "    payload: an integer that came with the trap");

PyDoc_STRVAR(frame_doc, "A function on the stack when WebAssembly trapped.");

static PyStructSequence_Field frame_fields[] = {
    {"pc", "address of the instruction, or of the one after the call"},
    {"function", "name of the WebAssembly function; None if it is none, or one that the compiler added"},
    {"offset", "pc in bytes from the start of the module's code; None outside of WebAssembly"},
    {"module", "name of the WebAssembly module; None outside of WebAssembly"},
    {NULL, NULL},
};

static PyStructSequence_Desc frame_desc = {
    .name = "wasmtrap.Frame", .doc = frame_doc, .fields = frame_fields, .n_in_sequence = 4};

/* ---- The types ---- */

/* A number that the constructor got by keyword, `fallback` if it did not; 0 or -1. */
static int keyword_number(PyObject *kwargs, const char *name, unsigned long long max, unsigned long long *number) {
  PyObject *value = kwargs == NULL ? NULL : PyDict_GetItemString(kwargs, name);
  if (value == NULL) return 0;
  *number = PyLong_AsUnsignedLongLong(value);
  if (PyErr_Occurred()) return -1;
  if (*number <= max) return 0;
  PyErr_Format(PyExc_OverflowError, "%s is %R, which does not fit", name, value);
  return -1;
}

static int trap_init(PyObject *self, PyObject *args, PyObject *kwargs) {
  /* BaseException has taken args in its own constructor already. */
  (void)args;
  unsigned long long code = 0, payload = 0;
  if (keyword_number(kwargs, "code", UINT32_MAX, &code) < 0) return -1;
  if (keyword_number(kwargs, "payload", UINT64_MAX, &payload) < 0) return -1;
  Py_ssize_t known = 0;
  if (kwargs != NULL) {
    known = (PyDict_GetItemString(kwargs, "code") != NULL) + (PyDict_GetItemString(kwargs, "payload") != NULL);
    if (PyDict_Size(kwargs) != known) {
      PyErr_SetString(PyExc_TypeError, "Trap takes the keywords code and payload");
      return -1;
    }
  }
  if (known == 0) return 0;
  const char *name = wasmtrap_code_name((wasmtrap_code_t)code);
  return set_attribute(self, "code", PyLong_FromUnsignedLongLong(code)) < 0 ||
                 set_attribute(self, "payload", PyLong_FromUnsignedLongLong(payload)) < 0 ||
                 set_attribute(self, "name", PyUnicode_FromString(name)) < 0
             ? -1
             : 0;
}

static PyType_Slot trap_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)trap_doc},
    {Py_tp_init, SLOT_FUNCTION(trap_init)},
    {0, NULL},
};
static PyType_Spec trap_spec = {
    .name = "wasmtrap.Trap", .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, .slots = trap_slots};

static PyObject *none(void) {
  Py_INCREF(Py_None);
  return Py_None;
}

static int set_trap_defaults(PyObject *trap) {
  static const char *const absent[] = {"module", "offset", "address", "access", "source"};
  for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
    if (set_attribute(trap, absent[i], none()) < 0) return -1;
  }
  return set_attribute(trap, "code", PyLong_FromLong(WASMTRAP_CODE_NONE)) < 0 ||
                 set_attribute(trap, "payload", PyLong_FromLong(0)) < 0 ||
                 set_attribute(trap, "name", PyUnicode_FromString(wasmtrap_code_name(WASMTRAP_CODE_NONE))) < 0 ||
                 set_attribute(trap, "frames", PyTuple_New(0)) < 0 ||
                 set_attribute(trap, "truncated", PyBool_FromLong(0)) < 0
             ? -1
             : 0;
}

int add_error_types(PyObject *extension, state_t *state) {
  state->error = PyErr_NewExceptionWithDoc("wasmtrap.Error", error_doc, NULL, NULL);
  if (state->error == NULL || set_attribute(state->error, "status", none()) < 0 ||
      set_attribute(state->error, "status_name", none()) < 0 ||
      PyObject_SetAttrString(extension, "Error", state->error) < 0) {
    return -1;
  }
  PyObject *bases = PyTuple_Pack(1, PyExc_Exception);
  if (bases == NULL) return -1;
  state->trap = PyType_FromSpecWithBases(&trap_spec, bases);
  Py_DECREF(bases);
  if (state->trap == NULL || set_trap_defaults(state->trap) < 0 ||
      PyObject_SetAttrString(extension, "Trap", state->trap) < 0) {
    return -1;
  }
  state->frame = PyStructSequence_NewType(&frame_desc);
  return state->frame == NULL ? -1 : PyObject_SetAttrString(extension, "Frame", (PyObject *)state->frame);
}

/* ---- Errors ---- */

void *set_error(const state_t *state, const char *sentence) {
  PyErr_SetString(state->error, sentence);
  return NULL;
}

void *set_library_error(const state_t *state, wasmtrap_status_t status) {
  PyObject *error = PyObject_CallFunction(state->error, "s", wasmtrap_last_error());
  if (error == NULL) return NULL;
  if (set_attribute(error, "status", PyLong_FromLong(status)) == 0 &&
      set_attribute(error, "status_name", PyUnicode_FromString(wasmtrap_status_name(status))) == 0) {
    PyErr_SetObject(state->error, error);
  }
  Py_DECREF(error);
  return NULL;
}

/* ---- Traps ---- */

/* Where a code address is. */
typedef struct place_t {
  const char *module;
  const char *function;
  size_t offset;
} place_t;

static place_t place_of_frame(const wasmtrap_trap_t *trap, size_t frame) {
  /* Frames but that of a fault are return addresses, which belong to the call before them. */
  const int is_fault = frame == 0 && trap->source != WASMTRAP_SOURCE_RAISE;
  const size_t pc = trap->frames[frame];
  const size_t address = is_fault ? pc : pc - 1;
  place_t place = {0};
  wasmtrap_code_info_t code = {.struct_size = sizeof code};
  if (wasmtrap_code_lookup((const void *)address, &code) != WASMTRAP_OK) return place;
  const wasm_rt_wasmtrap_module_t *module = code.user;
  const wasm_rt_wasmtrap_symbol_t *symbol = wasm_rt_wasmtrap_module_symbol(module, code.offset);
  place.module = module->name;
  place.function = symbol == NULL ? NULL : symbol->name;
  place.offset = code.offset + (pc - address);
  return place;
}

static PyObject *string_or_none(const char *text) {
  return text == NULL ? none() : PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *number_or_none(int is_known, size_t number) { return is_known ? PyLong_FromSize_t(number) : none(); }

static PyObject *new_frame(const state_t *state, const wasmtrap_trap_t *trap, size_t index) {
  const place_t place = place_of_frame(trap, index);
  PyObject *frame = PyStructSequence_New(state->frame);
  if (frame == NULL) return NULL;
  PyObject *fields[] = {PyLong_FromSize_t(trap->frames[index]), string_or_none(place.function),
                        number_or_none(place.module != NULL, place.offset), string_or_none(place.module)};
  int complete = 1;
  for (Py_ssize_t i = 0; i < 4; i++) {
    /* It takes the reference. A field that is missing makes the object's end harmless too. */
    PyStructSequence_SetItem(frame, i, fields[i]);
    complete = complete && fields[i] != NULL;
  }
  if (!complete) Py_CLEAR(frame);
  return frame;
}

static PyObject *frames_of(const state_t *state, const wasmtrap_trap_t *trap) {
  PyObject *frames = PyTuple_New((Py_ssize_t)trap->frame_count);
  for (size_t i = 0; frames != NULL && i < trap->frame_count; i++) {
    PyObject *frame = new_frame(state, trap, i);
    if (frame == NULL || PyTuple_SetItem(frames, (Py_ssize_t)i, frame) < 0) Py_CLEAR(frames);
  }
  return frames;
}

/* The innermost function of the module itself. */
static place_t innermost_function(const wasmtrap_trap_t *trap) {
  for (size_t i = 0; i < trap->frame_count; i++) {
    const place_t place = place_of_frame(trap, i);
    if (place.function != NULL) return place;
  }
  return (place_t){0};
}

static const char *source_name(const wasmtrap_trap_t *trap) {
  return trap->source == WASMTRAP_SOURCE_RAISE ? "raise" : "fault";
}

int complete_trap(const state_t *state, PyObject *exception, const wasmtrap_trap_t *trap) {
  if (!PyObject_IsInstance(exception, state->trap)) return 0;
  PyObject *frames = PyObject_GetAttrString(exception, "frames");
  if (frames == NULL) return -1;
  /* One that came out of other WebAssembly has its own story to tell. */
  const int is_complete = PyObject_IsTrue(frames);
  Py_DECREF(frames);
  if (is_complete != 0) return is_complete < 0 ? -1 : 0;
  const place_t place = innermost_function(trap);
  return set_attribute(exception, "frames", frames_of(state, trap)) < 0 ||
                 set_attribute(exception, "truncated",
                               PyBool_FromLong((trap->flags & WASMTRAP_FRAMES_TRUNCATED) != 0)) < 0 ||
                 set_attribute(exception, "source", PyUnicode_FromString(source_name(trap))) < 0 ||
                 set_attribute(exception, "module", string_or_none(place.module)) < 0 ||
                 set_attribute(exception, "offset", number_or_none(place.function != NULL, place.offset)) < 0
             ? -1
             : 0;
}

static PyObject *sentence(const wasmtrap_trap_t *trap, const char *module) {
  const char *name = wasmtrap_code_name(trap->code);
  const place_t place = innermost_function(trap);
  PyObject *where = place.function == NULL ? PyUnicode_FromString(module)
                                           : PyUnicode_FromFormat("%s of %s", place.function, module);
  if (where == NULL) return NULL;
  PyObject *text = NULL;
  if (trap->flags & WASMTRAP_HAS_REGION) {
    PyObject *number = PyLong_FromSize_t(trap->region_offset);
    PyObject *address = number == NULL ? NULL : PyNumber_ToBase(number, 16);
    if (address != NULL) {
      text = PyUnicode_FromFormat("%s in %U: %s at %U", name, where, wasmtrap_access_name(trap->access), address);
    }
    Py_XDECREF(number);
    Py_XDECREF(address);
  } else {
    text = PyUnicode_FromFormat("%s in %U", name, where);
  }
  Py_DECREF(where);
  return text;
}

void set_trap(const state_t *state, const wasmtrap_trap_t *trap, const char *module) {
  PyObject *text = sentence(trap, module);
  PyObject *exception = text == NULL ? NULL : PyObject_CallFunctionObjArgs(state->trap, text, NULL);
  Py_XDECREF(text);
  if (exception == NULL) return;
  const int has_address = (trap->flags & WASMTRAP_HAS_REGION) != 0;
  const char *access = has_address ? wasmtrap_access_name(trap->access) : NULL;
  if (set_attribute(exception, "code", PyLong_FromUnsignedLong(trap->code)) == 0 &&
      set_attribute(exception, "name", PyUnicode_FromString(wasmtrap_code_name(trap->code))) == 0 &&
      set_attribute(exception, "payload", PyLong_FromUnsignedLongLong(trap->payload)) == 0 &&
      set_attribute(exception, "address", number_or_none(has_address, trap->region_offset)) == 0 &&
      set_attribute(exception, "access", string_or_none(access)) == 0 &&
      complete_trap(state, exception, trap) == 0 &&
      set_attribute(exception, "module", string_or_none(module)) == 0) {
    PyErr_SetObject(state->trap, exception);
  }
  Py_DECREF(exception);
}
