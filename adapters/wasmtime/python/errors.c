/*
 * wasmtime_host.Error, an exception for each of its kinds, and wasmtime_host.Frame.
 */
#include <stdarg.h>
#include <string.h>

#include "extension.h"

static const struct {
  wasmtime_host_error_kind_t kind;
  const char *name;
  const char *doc;
} KINDS[] = {
    {WASMTIME_HOST_TRAP, "Trap",
     "WebAssembly has trapped.\n\nAttributes: reason, Wasmtime's words for it; code, libwasmtrap's number; name, the\n"
     "specification's words; frames, a tuple of Frame, the innermost first."},
    {WASMTIME_HOST_EXCEPTION, "UncaughtException", "WebAssembly has thrown an exception that nobody caught."},
    {WASMTIME_HOST_FUNCTION, "HostFunctionError", "A host function has returned what its type does not allow."},
    {WASMTIME_HOST_ENGINE, "EngineError", "The engine, or libwasmtrap below it, cannot be set up."},
    {WASMTIME_HOST_MODULE, "ModuleError", "This is no compiled module, not all of one, or one for something else."},
    {WASMTIME_HOST_LINK, "LinkError", "An import is missing or has another type."},
    {WASMTIME_HOST_ARGUMENT, "ArgumentError", "There is nothing of that name, or it takes other arguments."},
    {WASMTIME_HOST_RESOURCE, "ResourceError", "Memory that cannot be had."},
    {WASMTIME_HOST_BUSY, "BusyError", "The instance, or one it shares a store with, runs on another thread."},
};

static PyStructSequence_Field frame_fields[] = {
    {"function", "the function's name, None if the module does not tell it"},
    {"index", "the function's number"},
    {"module", "the module's name, None likewise"},
    {"offset", "the instruction's place in the .wasm file, in bytes; None if unknown"},
    {NULL, NULL},
};
static PyStructSequence_Desc frame_desc = {.name = "wasmtime_host.Frame",
                                           .doc = "A function in a backtrace.",
                                           .fields = frame_fields,
                                           .n_in_sequence = 4};

static int set_attribute(PyObject *target, const char *name, PyObject *value) {
  int result = value == NULL ? -1 : PyObject_SetAttrString(target, name, value);
  Py_XDECREF(value);
  return result;
}

static PyObject *text_or_none(const char *text) {
  if (text != NULL) return PyUnicode_FromString(text);
  Py_INCREF(Py_None);
  return Py_None;
}

int add_error_types(PyObject *extension, state_t *state) {
  state->error = PyErr_NewExceptionWithDoc("wasmtime_host.Error", "Whatever the host has to say.", NULL, NULL);
  if (state->error == NULL || PyObject_SetAttrString(extension, "Error", state->error) < 0) return -1;
  /* There on exceptions that Python code makes, too. */
  if (set_attribute(state->error, "reason", PyUnicode_FromString("")) < 0 ||
      set_attribute(state->error, "code", PyLong_FromLong(0)) < 0 ||
      set_attribute(state->error, "name", PyUnicode_FromString("")) < 0 ||
      set_attribute(state->error, "frames", PyTuple_New(0)) < 0) {
    return -1;
  }
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
    char name[64];
    PyOS_snprintf(name, sizeof name, "wasmtime_host.%s", KINDS[i].name);
    PyObject *bases = KINDS[i].kind == WASMTIME_HOST_RESOURCE ? PyTuple_Pack(2, state->error, PyExc_MemoryError)
                                                              : PyTuple_Pack(1, state->error);
    if (bases == NULL) return -1;
    PyObject *type = PyErr_NewExceptionWithDoc(name, KINDS[i].doc, bases, NULL);
    Py_DECREF(bases);
    state->errors[KINDS[i].kind] = type;
    if (type == NULL || PyObject_SetAttrString(extension, KINDS[i].name, type) < 0) return -1;
  }
  state->frame = PyStructSequence_NewType(&frame_desc);
  return state->frame == NULL ? -1 : PyObject_SetAttrString(extension, "Frame", (PyObject *)state->frame);
}

static PyObject *exception_of(const state_t *state, wasmtime_host_error_kind_t kind) {
  PyObject *type = kind < ERROR_KINDS ? state->errors[kind] : NULL;
  return type != NULL ? type : state->error;
}

static PyObject *new_frame(const state_t *state, const wasmtime_host_frame_t *frame) {
  PyObject *result = PyStructSequence_New(state->frame);
  if (result == NULL) return NULL;
  PyObject *items[] = {
      text_or_none(frame->function_name), PyLong_FromUnsignedLong(frame->function_index),
      text_or_none(frame->module_name),
      frame->module_offset == SIZE_MAX ? text_or_none(NULL) : PyLong_FromSize_t(frame->module_offset)};
  int good = 1;
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    good = good && items[i] != NULL;
    PyStructSequence_SetItem(result, (Py_ssize_t)i, items[i]);
  }
  if (!good) Py_CLEAR(result);
  return result;
}

static PyObject *frames_of(const state_t *state, const wasmtime_host_error_t *error) {
  size_t count = wasmtime_host_error_frame_count(error);
  PyObject *frames = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; frames != NULL && i < count; i++) {
    wasmtime_host_frame_t frame;
    PyObject *item = wasmtime_host_error_frame(error, i, &frame) ? new_frame(state, &frame) : NULL;
    if (item == NULL || PyTuple_SetItem(frames, (Py_ssize_t)i, item) < 0) Py_CLEAR(frames);
  }
  return frames;
}

void *raise_error(const state_t *state, wasmtime_host_error_t *error) {
  PyObject *type = exception_of(state, wasmtime_host_error_kind(error));
  PyObject *exception = PyObject_CallFunction(type, "s", wasmtime_host_error_message(error));
  uint32_t code = wasmtime_host_error_trap_code(error);
  const char *reason = wasmtime_host_error_reason(error);
  if (exception != NULL && set_attribute(exception, "reason", PyUnicode_FromString(reason)) == 0 &&
      set_attribute(exception, "code", PyLong_FromUnsignedLong(code)) == 0 &&
      set_attribute(exception, "name", PyUnicode_FromString(code != 0 ? wasmtrap_code_name(code) : "")) == 0 &&
      set_attribute(exception, "frames", frames_of(state, error)) == 0) {
    PyErr_SetObject(type, exception);
  }
  Py_XDECREF(exception);
  wasmtime_host_error_free(error);
  return NULL;
}

void *raise_kind(const state_t *state, wasmtime_host_error_kind_t kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  PyErr_FormatV(exception_of(state, kind), format, arguments);
  va_end(arguments);
  return NULL;
}
