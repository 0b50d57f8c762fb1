/* Headers of tar archives. */
#include "kernels.h"
#include <string.h>

#define BLOCK 512
/* Where the fields of a header lie, POSIX ustar. */
#define SIZE 124
#define CHECKSUM 148
#define NAME_BYTES 100
/* 11 octal digits. */
#define MOST_BYTES (((unsigned long long)1 << 33) - 1)

static void write_octal(char *field, int digits, unsigned long long number)
{
    while (digits--) {
        field[digits] = (char)('0' + (number & 7));
        number >>= 3;
    }
}

/* tar_header(blank, name, size) -> a copy of the 512 bytes of `blank` with a name of at most 99
   bytes, a size of at most 11 octal digits, and the checksum. */
PyObject *tar_header(PyObject *module, PyObject *args)
{
    const char *blank, *name;
    Py_ssize_t block, length;
    unsigned long long size;
    unsigned checksum = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "y#y#K", &blank, &block, &name, &length, &size))
        return NULL;
    if (block != BLOCK || length >= NAME_BYTES || size > MOST_BYTES)
        return PyErr_Format(PyExc_ValueError, "a header, name or size that does not fit");
    PyObject *header = PyBytes_FromStringAndSize(blank, BLOCK);
    if (!header)
        return NULL;
    char *bytes = PyBytes_AsString(header);
    memcpy(bytes, name, (size_t)length);
    write_octal(bytes + SIZE, 11, size);
    memset(bytes + CHECKSUM, ' ', 8);
    for (int byte = 0; byte < BLOCK; byte++)
        checksum += (unsigned char)bytes[byte];
    write_octal(bytes + CHECKSUM, 6, checksum);
    bytes[CHECKSUM + 6] = 0;
    return header;
}
