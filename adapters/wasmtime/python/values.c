/*
 * Values between Python and WebAssembly: int, float, 16 bytes for v128; None for a null reference, and an int for a
 * reference of the host's.
 */
#include <string.h>

#include "extension.h"

static const char *type_name(wasmtime_host_type_t type) {
  static const char *const NAMES[] = {"?",    "i32",     "i64",       "f32",    "f64",
                                      "v128", "funcref", "externref", "anyref", "exnref"};
  return NAMES[type < sizeof NAMES / sizeof *NAMES ? type : 0];
}

/* Says which value it is about in the exception that is set. */
static int complain(const char *what, size_t index, wasmtime_host_type_t type) {
  PyObject *kind, *value, *traceback;
  PyErr_Fetch(&kind, &value, &traceback);
  PyErr_Format(PyErr_GivenExceptionMatches(kind, PyExc_OverflowError) ? PyExc_OverflowError : PyExc_TypeError,
               "%s %zu must be %s: %S", what, index, type_name(type), value != NULL ? value : kind);
  Py_XDECREF(kind);
  Py_XDECREF(value);
  Py_XDECREF(traceback);
  return -1;
}

/* An integer of this many bits, with or without its sign. */
static int integer(PyObject *object, int bits, uint64_t *number) {
  PyObject *index = PyNumber_Index(object);
  if (index == NULL) return -1;
  *number = PyLong_AsUnsignedLongLongMask(index);
  int overflow;
  long long with_sign = PyLong_AsLongLongAndOverflow(index, &overflow);
  int fits = overflow == 0;
  if (overflow > 0 && bits == 64) {
    PyLong_AsUnsignedLongLong(index);
    fits = !PyErr_Occurred();
    PyErr_Clear();
  } else if (fits && bits == 32) {
    fits = with_sign >= INT32_MIN && with_sign <= (long long)UINT32_MAX;
  }
  Py_DECREF(index);
  if (!fits) PyErr_Format(PyExc_OverflowError, "%R does not fit", object);
  return fits ? 0 : -1;
}

static int convert(PyObject *object, wasmtime_host_value_t *value) {
  uint64_t number;
  switch (value->type) {
    case WASMTIME_HOST_I32:
      if (integer(object, 32, &number) < 0) return -1;
      value->of.i32 = (int32_t)(uint32_t)number;
      return 0;
    case WASMTIME_HOST_I64:
      if (integer(object, 64, &number) < 0) return -1;
      value->of.i64 = (int64_t)number;
      return 0;
    case WASMTIME_HOST_F32:
      value->of.f32 = (float)PyFloat_AsDouble(object);
      return PyErr_Occurred() ? -1 : 0;
    case WASMTIME_HOST_F64:
      value->of.f64 = PyFloat_AsDouble(object);
      return PyErr_Occurred() ? -1 : 0;
    case WASMTIME_HOST_V128:
      if (!PyBytes_Check(object) || PyBytes_Size(object) != sizeof value->of.v128) {
        PyErr_SetString(PyExc_TypeError, "16 bytes are wanted");
        return -1;
      }
      memcpy(value->of.v128, PyBytes_AsString(object), sizeof value->of.v128);
      return 0;
    default:
      if (object == Py_None) return 0;
      if (value->type != WASMTIME_HOST_EXTERNREF && value->type != WASMTIME_HOST_ANYREF) {
        PyErr_SetString(PyExc_TypeError, "only None can be passed");
        return -1;
      }
      if (integer(object, 64, &number) < 0) return -1;
      value->reference = WASMTIME_HOST_REF_HOST;
      value->of.number = number;
      return 0;
  }
}

int value_from_python(PyObject *object, wasmtime_host_type_t type, const char *what, size_t index,
                      wasmtime_host_value_t *value) {
  memset(value, 0, sizeof *value);
  value->type = type;
  return convert(object, value) < 0 ? complain(what, index, type) : 0;
}

PyObject *value_to_python(const wasmtime_host_value_t *value) {
  switch (value->type) {
    case WASMTIME_HOST_I32:
      return PyLong_FromLong(value->of.i32);
    case WASMTIME_HOST_I64:
      return PyLong_FromLongLong(value->of.i64);
    case WASMTIME_HOST_F32:
      return PyFloat_FromDouble(value->of.f32);
    case WASMTIME_HOST_F64:
      return PyFloat_FromDouble(value->of.f64);
    case WASMTIME_HOST_V128:
      return PyBytes_FromStringAndSize((const char *)value->of.v128, sizeof value->of.v128);
    default:
      break;
  }
  static const char *const REFERENTS[] = {NULL, "function", NULL, NULL, "struct", "array", "exception"};
  if (value->reference == WASMTIME_HOST_REF_HOST) return PyLong_FromUnsignedLongLong(value->of.number);
  if (value->reference == WASMTIME_HOST_REF_I31) return PyLong_FromLongLong((long long)value->of.number);
  if (value->reference != WASMTIME_HOST_REF_NULL && value->reference < sizeof REFERENTS / sizeof *REFERENTS)
    return PyUnicode_FromFormat("<%s>", REFERENTS[value->reference]);
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject *values_to_python(const wasmtime_host_value_t *values, size_t count) {
  if (count == 1) return value_to_python(values);
  if (count == 0) {
    Py_INCREF(Py_None);
    return Py_None;
  }
  PyObject *tuple = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; tuple != NULL && i < count; i++) {
    PyObject *item = value_to_python(&values[i]);
    if (item == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, item) < 0) Py_CLEAR(tuple);
  }
  return tuple;
}

int values_from_python(PyObject *object, const char *what, wasmtime_host_value_t *values, size_t count) {
  if (count == 0 && object != Py_None) {
    PyErr_Format(PyExc_TypeError, "no %s is wanted, not %R", what, object);
    return -1;
  }
  if (count <= 1) return count == 0 ? 0 : value_from_python(object, values->type, what, 0, values);
  PyObject *sequence = PySequence_Tuple(object);
  if (sequence == NULL) return -1;
  int result = 0;
  if (PyTuple_Size(sequence) != (Py_ssize_t)count) {
    PyErr_Format(PyExc_TypeError, "%zu %ss are wanted, not %zd", count, what, PyTuple_Size(sequence));
    result = -1;
  }
  for (size_t i = 0; result == 0 && i < count; i++)
    result = value_from_python(PyTuple_GetItem(sequence, (Py_ssize_t)i), values[i].type, what, i, &values[i]);
  Py_DECREF(sequence);
  return result;
}
