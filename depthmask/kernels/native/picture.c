#include "kernels.h"

int open_picture(PyObject *array, Picture *picture, int channels, int itemsize, int writable)
{
    Py_buffer *buffer = &picture->buffer;
    int dimensions = channels ? 3 : 2;
    if (PyObject_GetBuffer(array, buffer, PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0)) < 0)
        return 0;
    int fits = buffer->ndim == dimensions && buffer->itemsize == itemsize;
    if (fits && channels)
        fits = buffer->shape[2] == channels && buffer->strides[2] == itemsize;
    Py_ssize_t pixel = (Py_ssize_t)itemsize * (channels ? channels : 1);
    /* NumPy may give any stride to a dimension of length 1. */
    if (fits)
        fits = buffer->strides[1] == pixel || buffer->shape[1] <= 1;
    if (!fits) {
        PyBuffer_Release(buffer);
        PyErr_Format(PyExc_ValueError, "expected an array of %d dimensions with items of %d bytes",
                     dimensions, itemsize);
        return 0;
    }
    picture->data = buffer->buf;
    picture->height = buffer->shape[0];
    picture->width = buffer->shape[1];
    picture->stride = buffer->strides[0];
    return 1;
}

void close_picture(Picture *picture)
{
    PyBuffer_Release(&picture->buffer);
}
