#include <math.h>

#include "kernels.h"

#define LESSER(x, y) ((x) < (y) ? (x) : (y))
#define GREATER(x, y) ((x) > (y) ? (x) : (y))

FOR_PROCESSORS
static void develop(const float *restrict light, float factor, float *restrict values,
                    Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        float value = light[i] * factor;
        value = value * ((1 + value * 0.0625f) / (1 + value));
        value = sqrtf(LESSER(value, 1.0f));
        values[i] = value + 0.28f * (value * value * (3 - 2 * value) - value);
    }
}

/* developed(light, factor, values) */
PyObject *developed(PyObject *module, PyObject *args)
{
    Py_buffer light, values;
    float factor;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*fw*", &light, &factor, &values))
        return NULL;
    int fits = light.len == values.len;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        develop(light.buf, factor, values.buf, light.len / 4);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&light);
    PyBuffer_Release(&values);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "light and values differ in size");
    Py_RETURN_NONE;
}

/* One channel of a row. */
FOR_PROCESSORS
static void print_row(const float *restrict values, const uint32_t *restrict noise,
                      const float *restrict across, float down, float grain, Py_ssize_t width,
                      uint8_t *restrict result)
{
    for (Py_ssize_t i = 0; i < width; i++) {
        uint32_t sum = (noise[i] & 255) + (noise[i] >> 8 & 255) + (noise[i] >> 16 & 255)
                       + (noise[i] >> 24);
        float value = values[i] * (1 - 0.28f * (across[i] + down));
        value = value + grain * (float)((int32_t)sum - 510);
        value = GREATER(value, 0.0f);
        value = LESSER(value, 1.0f);
        result[3 * i] = (uint8_t)(int32_t)(value * 255 + 0.5f);
    }
}

/* printed(values, noise, across, down, grain, image) */
PyObject *printed(PyObject *module, PyObject *args)
{
    Py_buffer values, noise, across, down, image;
    float grain;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*fw*", &values, &noise, &across, &down, &grain, &image))
        return NULL;
    Py_ssize_t width = across.len / 4, height = down.len / 4, pixels = width * height;
    int fits = values.len == 12 * pixels && noise.len == 12 * pixels && image.len == 3 * pixels;
    if (fits) {
        const float *value = values.buf, *rows = down.buf;
        const uint32_t *number = noise.buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < height; row++) {
            for (int channel = 0; channel < 3; channel++) {
                Py_ssize_t first = channel * pixels + row * width;
                print_row(value + first, number + first, across.buf, rows[row], grain, width,
                          (uint8_t *)image.buf + 3 * row * width + channel);
            }
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&values);
    PyBuffer_Release(&noise);
    PyBuffer_Release(&across);
    PyBuffer_Release(&down);
    PyBuffer_Release(&image);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "values, noise, rows, columns and image do not fit");
    Py_RETURN_NONE;
}
