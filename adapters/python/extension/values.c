/*
 * WebAssembly's values as Python's, and back. Integers come out signed, and may go in as signed or unsigned; numbers
 * that do not fit are an OverflowError, never cut.
 */
#include <math.h>
#include <string.h>

#include "extension.h"

const char *type_name(char type) {
  switch (type) {
    case 'i': return "i32";
    case 'j': return "i64";
    case 'f': return "f32";
    case 'd': return "f64";
    case 'v': return "v128";
    case 'r': return "funcref";
    case 'x': return "externref";
    default: return "?";
  }
}

static PyObject *type_names(const char *types) {
  PyObject *names = PyTuple_New((Py_ssize_t)strlen(types));
  for (Py_ssize_t i = 0; names != NULL && types[i] != '\0'; i++) {
    PyObject *name = PyUnicode_FromString(type_name(types[i]));
    if (name == NULL || PyTuple_SetItem(names, i, name) < 0) Py_CLEAR(names);
  }
  return names;
}

PyObject *new_signature(const state_t *state, const char *params, const char *results) {
  PyObject *signature = PyStructSequence_New(state->signature);
  PyObject *in = type_names(params), *out = type_names(results);
  if (signature == NULL || in == NULL || out == NULL) {
    Py_XDECREF(signature);
    Py_XDECREF(in);
    Py_XDECREF(out);
    return NULL;
  }
  PyStructSequence_SetItem(signature, 0, in);
  PyStructSequence_SetItem(signature, 1, out);
  return signature;
}

/* ---- Into WebAssembly ---- */

static int wrong_type(PyObject *object, char type, const char *what, size_t index, const char *wanted) {
  PyObject *found = PyObject_GetAttrString((PyObject *)Py_TYPE(object), "__name__");
  if (found != NULL) {
    PyErr_Format(PyExc_TypeError, "%s %zu is an %s: %s wanted, not %U", what, index + 1, type_name(type), wanted,
                 found);
    Py_DECREF(found);
  }
  return -1;
}

static int does_not_fit(PyObject *object, char type, const char *what, size_t index) {
  PyErr_Format(PyExc_OverflowError, "%s %zu is an %s: %R does not fit", what, index + 1, type_name(type), object);
  return -1;
}

static int integer_from_python(PyObject *object, char type, const char *what, size_t index, wasm_value_t *value) {
  PyObject *integer = PyIndex_Check(object) ? PyNumber_Index(object) : NULL;
  if (integer == NULL) return PyErr_Occurred() ? -1 : wrong_type(object, type, what, index, "int");
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
  int fits = overflow == 0;
  if (type == 'i') {
    fits = fits && number >= INT32_MIN && number <= (long long)UINT32_MAX;
    value->i32 = (uint32_t)number;
  } else {
    value->i64 = (uint64_t)number;
    if (overflow > 0) {
      value->i64 = PyLong_AsUnsignedLongLong(integer);
      fits = !PyErr_Occurred();
      PyErr_Clear();
    }
  }
  const int result = fits ? 0 : does_not_fit(integer, type, what, index);
  Py_DECREF(integer);
  return result;
}

static int float_from_python(PyObject *object, char type, const char *what, size_t index, wasm_value_t *value) {
  const double number = PyFloat_AsDouble(object);
  if (number == -1.0 && PyErr_Occurred()) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Clear();
      return wrong_type(object, type, what, index, "float");
    }
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
      PyErr_Clear();
      return does_not_fit(object, type, what, index);
    }
    return -1;
  }
  if (type == 'd') {
    value->f64 = number;
    return 0;
  }
  value->f32 = (float)number;
  return isinf(value->f32) && !isinf(number) ? does_not_fit(object, type, what, index) : 0;
}

int value_from_python(PyObject *object, char type, const char *what, size_t index, wasm_value_t *value) {
  return type == 'i' || type == 'j' ? integer_from_python(object, type, what, index, value)
                                    : float_from_python(object, type, what, index, value);
}

int results_from_python(PyObject *object, const char *types, const char *what, wasm_value_t *values) {
  const size_t count = strlen(types);
  if (count == 1) return value_from_python(object, types[0], "result", 0, &values[0]);
  if (count == 0) {
    if (object == Py_None) return 0;
    PyErr_Format(PyExc_TypeError, "the import %s has no result, and the function for it returned %R", what, object);
    return -1;
  }
  PyObject *tuple = PySequence_Tuple(object);
  if (tuple == NULL) return -1;
  int result = 0;
  if ((size_t)PyTuple_Size(tuple) != count) {
    PyErr_Format(PyExc_TypeError, "the import %s has %zu results, and the function for it returned %zd", what, count,
                 PyTuple_Size(tuple));
    result = -1;
  }
  for (size_t i = 0; result == 0 && i < count; i++) {
    result = value_from_python(PyTuple_GetItem(tuple, (Py_ssize_t)i), types[i], "result", i, &values[i]);
  }
  Py_DECREF(tuple);
  return result;
}

/* ---- Out of WebAssembly ---- */

PyObject *value_to_python(char type, const wasm_value_t *value) {
  switch (type) {
    case 'i': return PyLong_FromLong((int32_t)value->i32);
    case 'j': return PyLong_FromLongLong((int64_t)value->i64);
    case 'f': return PyFloat_FromDouble((double)value->f32);
    default: return PyFloat_FromDouble(value->f64);
  }
}

PyObject *results_to_python(const char *types, const wasm_value_t *values) {
  const size_t count = strlen(types);
  if (count == 1) return value_to_python(types[0], &values[0]);
  if (count == 0) {
    Py_INCREF(Py_None);
    return Py_None;
  }
  PyObject *tuple = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; tuple != NULL && i < count; i++) {
    PyObject *value = value_to_python(types[i], &values[i]);
    if (value == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, value) < 0) Py_CLEAR(tuple);
  }
  return tuple;
}
