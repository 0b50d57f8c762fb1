#include "kernels.h"
#include <stdlib.h>
#include <string.h>

/* Weights that add up to 256, so that 16 bits hold the sums of a row of bytes: `reach` before the
   middle, the middle, and the first ones mirrored. */
typedef struct {
    const uint16_t *weights;
    Py_ssize_t reach, count;
} Taps;

/* values: with `reach` more at either end. */
FOR_PROCESSORS
static void blur_across(uint16_t *restrict sums, const uint8_t *restrict values, Taps taps,
                        Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        sums[pixel] = (uint16_t)(values[pixel + taps.reach] * taps.weights[taps.reach]);
    for (Py_ssize_t tap = 0; tap < taps.reach; tap++) {
        const uint8_t *first = values + tap, *second = values + taps.count - 1 - tap;
        uint16_t weight = taps.weights[tap];
        for (Py_ssize_t pixel = 0; pixel < width; pixel++)
            sums[pixel] = (uint16_t)(sums[pixel] + (first[pixel] + second[pixel]) * weight);
    }
}

FOR_PROCESSORS
static void begin_sums(uint32_t *restrict sums, const uint16_t *restrict row, uint16_t weight,
                       Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        sums[pixel] = (uint32_t)row[pixel] * weight + (1 << 15);
}

FOR_PROCESSORS
static void add_rows(uint32_t *restrict sums, const uint16_t *restrict first,
                     const uint16_t *restrict second, uint16_t weight, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        sums[pixel] += ((uint32_t)first[pixel] + second[pixel]) * weight;
}

FOR_PROCESSORS
static void round_row(uint8_t *restrict target, const uint32_t *restrict sums, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        target[pixel] = (uint8_t)(sums[pixel] >> 16);
}

/* What is kept while the rows of a picture pass. padded: a row with its ends repeated. rows: the last
   `count` rows after the pass across. sums: of the pass down. */
typedef struct {
    uint8_t *padded;
    uint16_t *rows;
    uint32_t *sums;
} Rows;

static void pass_across(const Rows *rows, const Picture *values, Taps taps, Py_ssize_t row)
{
    Py_ssize_t width = values->width, reach = taps.reach;
    const uint8_t *from = values->data + row * values->stride;
    memset(rows->padded, from[0], reach);
    memcpy(rows->padded + reach, from, width);
    memset(rows->padded + reach + width, from[width - 1], reach);
    blur_across(rows->rows + row % taps.count * width, rows->padded, taps, width);
}

/* The row at `row` after the pass across, or the nearest one. */
static const uint16_t *row_at(const Rows *rows, const Picture *target, Taps taps, Py_ssize_t row)
{
    Py_ssize_t last = target->height - 1, nearest = row < 0 ? 0 : row > last ? last : row;
    return rows->rows + nearest % taps.count * target->width;
}

static void pass_down(const Rows *rows, const Picture *target, Taps taps, Py_ssize_t row)
{
    Py_ssize_t width = target->width;
    begin_sums(rows->sums, row_at(rows, target, taps, row), taps.weights[taps.reach], width);
    for (Py_ssize_t tap = 0; tap < taps.reach; tap++)
        add_rows(rows->sums, row_at(rows, target, taps, row - taps.reach + tap),
                 row_at(rows, target, taps, row + taps.reach - tap), taps.weights[tap], width);
    round_row(target->data + row * target->stride, rows->sums, width);
}

/* Returns 0 if there is no memory. */
static int blur_into(const Picture *target, const Picture *values, Taps taps)
{
    Py_ssize_t width = values->width, reach = taps.reach;
    Rows rows = {malloc(width + taps.count), malloc(taps.count * width * sizeof(uint16_t)),
                 malloc(width * sizeof(uint32_t))};
    int is_made = rows.padded && rows.rows && rows.sums;
    for (Py_ssize_t row = 0; is_made && row < values->height + reach; row++) {
        if (row < values->height)
            pass_across(&rows, values, taps, row);
        if (row >= reach)
            pass_down(&rows, target, taps, row - reach);
    }
    free(rows.padded);
    free(rows.rows);
    free(rows.sums);
    return is_made;
}

static int are_weights(Taps taps)
{
    uint32_t sum = 0;
    int are_mirrored = taps.count % 2 == 1;
    for (Py_ssize_t tap = 0; tap < taps.count; tap++) {
        sum += taps.weights[tap];
        are_mirrored &= taps.weights[tap] == taps.weights[taps.count - 1 - tap];
    }
    return are_mirrored && sum == 256;
}

/* blur(target, values, taps): taps of uint16 */
PyObject *blur(PyObject *module, PyObject *args)
{
    PyObject *of_target, *of_values;
    Py_buffer buffer;
    Picture target, values;
    int is_made = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOy*", &of_target, &of_values, &buffer))
        return NULL;
    if (!open_picture(of_target, &target, 0, 1, 1)) {
        PyBuffer_Release(&buffer);
        return NULL;
    }
    if (!open_picture(of_values, &values, 0, 1, 0)) {
        close_picture(&target);
        PyBuffer_Release(&buffer);
        return NULL;
    }
    Py_ssize_t count = buffer.len / (Py_ssize_t)sizeof(uint16_t);
    Taps taps = {buffer.buf, count / 2, count};
    int fits = target.height == values.height && target.width == values.width && values.height > 0
               && values.width > 0 && are_weights(taps);
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        is_made = blur_into(&target, &values, taps);
        Py_END_ALLOW_THREADS
    }
    close_picture(&values);
    close_picture(&target);
    PyBuffer_Release(&buffer);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "target, values or taps do not fit");
    if (!is_made)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}
