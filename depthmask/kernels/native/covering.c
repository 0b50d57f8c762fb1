#include "kernels.h"
#include <string.h>

static inline uint8_t over_255(uint32_t product)
{
    uint32_t total = product + 128;
    return (uint8_t)((total + (total >> 8)) >> 8);
}

/* The bits of a float32 less 1; all bits, which is the greatest, for one that is no depth: 0, less,
   or NaN. Values above 0 have the order of their bits. */
static inline uint32_t depth_bits(uint32_t value)
{
    return value - 1 < 0x7F800000 ? value - 1 : UINT32_MAX;
}

/* The `depth_bits` of the least depth where alpha is `least` or more. */
FOR_PROCESSORS
static uint32_t least_in_row(const uint32_t *restrict depth, const uint8_t *restrict alpha,
                             uint8_t least, Py_ssize_t width)
{
    uint32_t lowest = UINT32_MAX;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        uint32_t bits = depth_bits(depth[pixel]) | (alpha[pixel] >= least ? 0 : UINT32_MAX);
        lowest = bits < lowest ? bits : lowest;
    }
    return lowest;
}

/* least_depth(depth, alpha, least) -> the least value above 0 of float32 [h, w] where alpha, of the
   same size, is `least` or more; 0 without any. */
PyObject *least_depth(PyObject *module, PyObject *args)
{
    PyObject *of_depth, *of_alpha;
    Picture depth, alpha;
    uint8_t least;
    float result = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOb", &of_depth, &of_alpha, &least))
        return NULL;
    if (!open_picture(of_depth, &depth, 0, 4, 0))
        return NULL;
    if (!open_picture(of_alpha, &alpha, 0, 1, 0)) {
        close_picture(&depth);
        return NULL;
    }
    int fits = depth.height == alpha.height && depth.width == alpha.width;
    uint32_t lowest = UINT32_MAX;
    for (Py_ssize_t row = 0; fits && row < depth.height; row++) {
        uint32_t bits = least_in_row((const uint32_t *)(depth.data + row * depth.stride),
                                     alpha.data + row * alpha.stride, least, depth.width);
        lowest = bits < lowest ? bits : lowest;
    }
    close_picture(&alpha);
    close_picture(&depth);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "depth and alpha differ in size");
    if (lowest != UINT32_MAX) {
        lowest++;
        memcpy(&result, &lowest, sizeof result);
    }
    return PyFloat_FromDouble(result);
}

/* A byte becomes 0 where depth is above 0 and below `limit`; returns whether that is anywhere. */
FOR_PROCESSORS
static uint8_t uncover_row(uint8_t *restrict target, const uint8_t *restrict alpha,
                           const float *restrict depth, float limit, Py_ssize_t width)
{
    uint8_t any = 0;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        uint8_t covered = (depth[pixel] < limit) & (depth[pixel] > 0) ? 255 : 0;
        target[pixel] = alpha[pixel] & (uint8_t)~covered;
        any |= covered;
    }
    return any;
}

FOR_PROCESSORS
static uint32_t overlap_row(const uint8_t *restrict first, const uint8_t *restrict second,
                            Py_ssize_t width)
{
    uint32_t sum = 0;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        sum += first[pixel] < second[pixel] ? first[pixel] : second[pixel];
    return sum;
}

FOR_PROCESSORS
static uint32_t dim_row(uint8_t *restrict target, const uint8_t *restrict values,
                        const uint8_t *restrict alpha, Py_ssize_t width)
{
    uint32_t lost = 0;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        uint8_t rest = over_255((uint32_t)values[pixel] * (255u - alpha[pixel]));
        lost += (uint32_t)(values[pixel] - rest);
        target[pixel] = rest;
    }
    return lost;
}

FOR_PROCESSORS
static void unite_row(uint8_t *restrict mask, const uint8_t *restrict alpha, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        mask[pixel] = 255 - over_255((255u - mask[pixel]) * (255u - alpha[pixel]));
}

static inline float nearer(float own, float behind, int is_shown)
{
    return ((own < behind) | (behind == 0)) & is_shown ? own : behind;
}

FOR_PROCESSORS
static void set_number(float *restrict covered, float depth, const uint8_t *restrict alpha,
                       uint8_t least, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        covered[pixel] = nearer(depth, covered[pixel], alpha[pixel] >= least);
}

FOR_PROCESSORS
static void set_row(float *restrict covered, const float *restrict depth,
                    const uint8_t *restrict alpha, uint8_t least, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++)
        covered[pixel] = nearer(depth[pixel], covered[pixel], alpha[pixel] >= least);
}

/* Open some arrays of one size; on failure, set an exception and return 0. */
static int open_all(Picture *pictures, PyObject *const *arrays, const int *itemsizes,
                    const int *writable, int count)
{
    for (int one = 0; one < count; one++) {
        int is_open = open_picture(arrays[one], pictures + one, 0, itemsizes[one], writable[one]);
        if (is_open && pictures[one].height == pictures->height
            && pictures[one].width == pictures->width)
            continue;
        for (int other = 0; other < one + is_open; other++)
            close_picture(pictures + other);
        if (is_open)
            PyErr_SetString(PyExc_ValueError, "arrays that differ in size");
        return 0;
    }
    return 1;
}

static void close_all(Picture *pictures, int count)
{
    for (int one = 0; one < count; one++)
        close_picture(pictures + one);
}

static uint8_t *row_of(const Picture *picture, Py_ssize_t row)
{
    return picture->data + row * picture->stride;
}

/* uncover(target, alpha, depth, limit) -> whether any byte is covered */
PyObject *uncover(PyObject *module, PyObject *args)
{
    PyObject *arrays[3];
    Picture all[3];
    float limit;
    int any = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOf", &arrays[0], &arrays[1], &arrays[2], &limit)
        || !open_all(all, arrays, (const int[]){1, 1, 4}, (const int[]){1, 0, 0}, 3))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->height; row++)
        any |= uncover_row(row_of(all, row), row_of(all + 1, row),
                           (const float *)row_of(all + 2, row), limit, all->width);
    Py_END_ALLOW_THREADS
    close_all(all, 3);
    return PyBool_FromLong(any);
}

/* overlap(first, second) -> the sum of the lesser bytes */
PyObject *overlap(PyObject *module, PyObject *args)
{
    PyObject *arrays[2];
    Picture all[2];
    long long sum = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &arrays[0], &arrays[1])
        || !open_all(all, arrays, (const int[]){1, 1}, (const int[]){0, 0}, 2))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->height; row++)
        sum += overlap_row(row_of(all, row), row_of(all + 1, row), all->width);
    Py_END_ALLOW_THREADS
    close_all(all, 2);
    return PyLong_FromLongLong(sum);
}

/* dim(target, values, alpha) -> how much less the sum of `target` is than that of `values` */
PyObject *dim(PyObject *module, PyObject *args)
{
    PyObject *arrays[3];
    Picture all[3];
    long long lost = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO", &arrays[0], &arrays[1], &arrays[2])
        || !open_all(all, arrays, (const int[]){1, 1, 1}, (const int[]){1, 0, 0}, 3))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->height; row++)
        lost += dim_row(row_of(all, row), row_of(all + 1, row), row_of(all + 2, row), all->width);
    Py_END_ALLOW_THREADS
    close_all(all, 3);
    return PyLong_FromLongLong(lost);
}

/* unite(mask, alpha) */
PyObject *unite(PyObject *module, PyObject *args)
{
    PyObject *arrays[2];
    Picture all[2];
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &arrays[0], &arrays[1])
        || !open_all(all, arrays, (const int[]){1, 1}, (const int[]){1, 0}, 2))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->height; row++)
        unite_row(row_of(all, row), row_of(all + 1, row), all->width);
    Py_END_ALLOW_THREADS
    close_all(all, 2);
    Py_RETURN_NONE;
}

/* The least of `count` depths as `depth_bits`. */
FOR_PROCESSORS
static uint32_t least_bits(const uint32_t *values, Py_ssize_t count)
{
    uint32_t least = UINT32_MAX;
    for (Py_ssize_t value = 0; value < count; value++) {
        uint32_t bits = depth_bits(values[value]);
        least = bits < least ? bits : least;
    }
    return least;
}

/* Bits of the least depth of each block of a row of blocks; `side` rows of depth, or fewer. */
static void least_of_blocks(uint32_t *blocks, const Picture *depth, Py_ssize_t top, Py_ssize_t side,
                            Py_ssize_t count)
{
    Py_ssize_t stop = top + side < depth->height ? top + side : depth->height;
    for (Py_ssize_t block = 0; block < count; block++) {
        Py_ssize_t left = block * side;
        Py_ssize_t width = left + side < depth->width ? side : depth->width - left;
        uint32_t least = UINT32_MAX;
        for (Py_ssize_t row = top; row < stop; row++) {
            uint32_t one = least_bits((const uint32_t *)row_of(depth, row) + left, width);
            least = one < least ? one : least;
        }
        /* Infinity, where no depth is valid. */
        blocks[block] = least == UINT32_MAX ? 0x7F800000 : least + 1;
    }
}

/* least_depths(blocks, depth, side): of the valid depths in each block of `side` rows and columns */
PyObject *least_depths(PyObject *module, PyObject *args)
{
    PyObject *of_blocks, *of_depth;
    Picture blocks, depth;
    Py_ssize_t side;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOn", &of_blocks, &of_depth, &side)
        || !open_picture(of_blocks, &blocks, 0, 4, 1))
        return NULL;
    if (!open_picture(of_depth, &depth, 0, 4, 0)) {
        close_picture(&blocks);
        return NULL;
    }
    int fits = side > 0 && blocks.height == (depth.height + side - 1) / side
               && blocks.width == (depth.width + side - 1) / side;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < blocks.height; row++)
            least_of_blocks((uint32_t *)row_of(&blocks, row), &depth, row * side, side,
                            blocks.width);
        Py_END_ALLOW_THREADS
    }
    close_picture(&depth);
    close_picture(&blocks);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "blocks that do not fit the depth");
    Py_RETURN_NONE;
}

/* set_nearer(covered, depth, alpha, least): depth may be a number */
PyObject *set_nearer(PyObject *module, PyObject *args)
{
    PyObject *arrays[3], *depth;
    Picture all[3];
    unsigned char least;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOb", &arrays[0], &depth, &arrays[1], &least))
        return NULL;
    int is_number = PyFloat_Check(depth), count = is_number ? 2 : 3;
    float number = is_number ? (float)PyFloat_AsDouble(depth) : 0;
    arrays[2] = depth;
    if (!open_all(all, arrays, (const int[]){4, 1, 4}, (const int[]){1, 0, 0}, count))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < all->height; row++) {
        float *covered = (float *)row_of(all, row);
        const uint8_t *alpha = row_of(all + 1, row);
        if (is_number)
            set_number(covered, number, alpha, least, all->width);
        else
            set_row(covered, (const float *)row_of(all + 2, row), alpha, least, all->width);
    }
    Py_END_ALLOW_THREADS
    close_all(all, count);
    Py_RETURN_NONE;
}
