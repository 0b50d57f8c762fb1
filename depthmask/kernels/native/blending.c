#include "kernels.h"
#include <string.h>

#define PIXELS 8
#define VALUES (3 * PIXELS)

/* canvas + (rgb - canvas) * alpha / 255, rounded: the weighted mean of two bytes, whose sum is at
   most 65025, divided by 255 exactly. No multiple of 1/255 is a tie. 16 bits hold each step. */
static inline void mix(uint8_t *canvas, const uint8_t *rgb, const uint8_t *weights, int values)
{
    for (int value = 0; value < values; value++) {
        uint16_t weight = weights[value];
        uint16_t sum = (uint16_t)(rgb[value] * weight + canvas[value] * (255 - weight) + 128);
        canvas[value] = (uint8_t)((uint16_t)(sum + (sum >> 8)) >> 8);
    }
}

/* Eight pixels at a time; where all are opaque, or none is there, as in most of a cut-out, they are
   copied or left. */
FOR_PROCESSORS
static void mix_row(uint8_t *restrict canvas, const uint8_t *restrict rgb,
                    const uint8_t *restrict alpha, Py_ssize_t width)
{
    /* Four bytes are written for each pixel, of which the next one overwrites the last. */
    uint8_t weights[VALUES + 1];
    for (; width >= PIXELS; width -= PIXELS) {
        uint64_t eight;
        memcpy(&eight, alpha, PIXELS);
        if (!~eight)
            memcpy(canvas, rgb, VALUES);
        else if (eight) {
            for (int pixel = 0; pixel < PIXELS; pixel++) {
                uint32_t weight = alpha[pixel] * 0x01010101u;
                memcpy(weights + 3 * pixel, &weight, sizeof weight);
            }
            mix(canvas, rgb, weights, VALUES);
        }
        canvas += VALUES;
        rgb += VALUES;
        alpha += PIXELS;
    }
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        memset(weights, alpha[pixel], 3);
        mix(canvas + 3 * pixel, rgb + 3 * pixel, weights, 3);
    }
}

PyObject *blend_alpha(PyObject *module, PyObject *args)
{
    PyObject *of_canvas, *of_rgb, *of_alpha;
    Picture canvas, rgb, alpha;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO", &of_canvas, &of_rgb, &of_alpha))
        return NULL;
    if (!open_picture(of_canvas, &canvas, 3, 1, 1))
        return NULL;
    if (!open_picture(of_rgb, &rgb, 3, 1, 0)) {
        close_picture(&canvas);
        return NULL;
    }
    if (!open_picture(of_alpha, &alpha, 0, 1, 0)) {
        close_picture(&rgb);
        close_picture(&canvas);
        return NULL;
    }
    int fits = canvas.height == alpha.height && rgb.height == alpha.height
               && canvas.width == alpha.width && rgb.width == alpha.width;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < alpha.height; row++)
            mix_row(canvas.data + row * canvas.stride, rgb.data + row * rgb.stride,
                    alpha.data + row * alpha.stride, alpha.width);
        Py_END_ALLOW_THREADS
    }
    close_picture(&alpha);
    close_picture(&rgb);
    close_picture(&canvas);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "canvas, rgb and alpha differ in size");
    Py_RETURN_NONE;
}
