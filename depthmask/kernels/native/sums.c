#include "kernels.h"
#include <string.h>

#define LANES 32
#define VECTORS 3
/* A multiple of 1 and of 3, so that each byte of a group has its own channel. */
#define GROUP (LANES * VECTORS)
/* Groups whose bytes 16 bits can add up. */
#define MOST_GROUPS 256
/* Words whose bytes 16 bits can add up, two at a time. */
#define MOST_WORDS 128
/* What the sums of an image have: of each channel, and of the squares of each. */
#define SUMS 6

typedef uint16_t words16 __attribute__((vector_size(32), aligned(1)));
typedef uint32_t longs8 __attribute__((vector_size(32)));
typedef float floats4 __attribute__((vector_size(16), aligned(4)));
typedef double doubles4 __attribute__((vector_size(32)));

/* The sums of 32 bytes of each group, at even and odd positions, and of their squares, at every
   fourth position. Words are split into halves by masks and shifts, since processors permute the
   lanes of a vector more slowly. */
FOR_PROCESSORS
static void sum_lanes(const uint8_t *bytes, Py_ssize_t groups, words16 *sums, longs8 *squares)
{
    words16 even = {0}, odd = {0};
    longs8 zeroth = {0}, first = {0}, second = {0}, third = {0};
    for (Py_ssize_t group = 0; group < groups; group++, bytes += GROUP) {
        words16 value = *(const words16 *)bytes;
        words16 low = value & 0xff, high = value >> 8;
        longs8 of_low = (longs8)(low * low), of_high = (longs8)(high * high);
        even += low;
        odd += high;
        zeroth += of_low & 0xffff;
        first += of_high & 0xffff;
        second += of_low >> 16;
        third += of_high >> 16;
    }
    sums[0] = even;
    sums[1] = odd;
    squares[0] = zeroth;
    squares[1] = first;
    squares[2] = second;
    squares[3] = third;
}

/* Add bytes, whose number is a multiple of the channels, to the totals of the channels: first the
   sums, then the squares. */
static void add_bytes(const uint8_t *bytes, Py_ssize_t count, int channels, uint64_t *totals)
{
    words16 sums[2];
    longs8 squares[4];
    Py_ssize_t done = 0;
    /* Even bytes are the lower ones of words. */
    while (PY_LITTLE_ENDIAN && count - done >= GROUP) {
        Py_ssize_t groups = (count - done) / GROUP;
        groups = groups < MOST_GROUPS ? groups : MOST_GROUPS;
        for (int from = 0; from < GROUP; from += LANES) {
            sum_lanes(bytes + done + from, groups, sums, squares);
            for (int lane = 0; lane < LANES; lane++) {
                int channel = (from + lane) % channels;
                totals[channel] += sums[lane % 2][lane / 2];
                totals[channels + channel] += squares[lane % 4][lane / 4];
            }
        }
        done += groups * GROUP;
    }
    for (; done < count; done++) {
        totals[done % channels] += bytes[done];
        totals[channels + done % channels] += (uint32_t)bytes[done] * bytes[done];
    }
}

/* Take rows that lie side by side as one. */
static void join_rows(Py_ssize_t *rows, Py_ssize_t *line, Py_ssize_t stride)
{
    if (stride == *line && *rows) {
        *line *= *rows;
        *rows = 1;
    }
}

/* As add_bytes, with the rows first..stop-1 of a picture. */
static void add_rows(const Picture *picture, Py_ssize_t first, Py_ssize_t stop, int channels,
                     uint64_t *totals)
{
    const uint8_t *data = picture->data + first * picture->stride;
    Py_ssize_t rows = stop - first, line = picture->width * channels;
    join_rows(&rows, &line, picture->stride);
    for (Py_ssize_t row = 0; row < rows; row++)
        add_bytes(data + row * picture->stride, line, channels, totals);
}

static PyObject *image_sums(const uint64_t *totals)
{
    return Py_BuildValue("KKKKKK", totals[0], totals[1], totals[2], totals[3], totals[4],
                         totals[5]);
}

/* sums_above(pixels, sums): fill uint64 [h + 1, 6] with the sums of byte_sums over the rows above
   each row of [h, w, 3]. */
PyObject *sums_above(PyObject *module, PyObject *args)
{
    PyObject *of_pixels, *of_sums;
    Picture pixels, sums;
    uint64_t totals[SUMS] = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &of_pixels, &of_sums))
        return NULL;
    if (!open_picture(of_pixels, &pixels, 3, 1, 0))
        return NULL;
    if (!open_picture(of_sums, &sums, 0, sizeof *totals, 1)) {
        close_picture(&pixels);
        return NULL;
    }
    int fits = sums.height == pixels.height + 1 && sums.width == SUMS;
    for (Py_ssize_t row = 0; fits && row <= pixels.height; row++) {
        memcpy(sums.data + row * sums.stride, totals, sizeof totals);
        if (row < pixels.height)
            add_bytes(pixels.data + row * pixels.stride, 3 * pixels.width, 3, totals);
    }
    close_picture(&sums);
    close_picture(&pixels);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "sums do not fit the pixels");
    Py_RETURN_NONE;
}

/* byte_sums_beside(pixels, above, first, stop) -> as byte_sums of [h, w, 3], whose rows outside of
   first..stop-1 are those of the picture of which `above` is sums_above. */
PyObject *byte_sums_beside(PyObject *module, PyObject *args)
{
    PyObject *of_pixels, *of_above;
    Picture pixels, above;
    Py_ssize_t first, stop;
    uint64_t totals[SUMS];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOnn", &of_pixels, &of_above, &first, &stop))
        return NULL;
    if (!open_picture(of_pixels, &pixels, 3, 1, 0))
        return NULL;
    if (!open_picture(of_above, &above, 0, sizeof *totals, 0)) {
        close_picture(&pixels);
        return NULL;
    }
    int fits = above.height == pixels.height + 1 && above.width == SUMS && 0 <= first
               && first <= stop && stop <= pixels.height
               && above.stride == SUMS * (Py_ssize_t)sizeof *totals;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        const uint64_t *sums = (const uint64_t *)above.data;
        for (int sum = 0; sum < SUMS; sum++)
            totals[sum] = sums[SUMS * pixels.height + sum] - sums[SUMS * stop + sum]
                          + sums[SUMS * first + sum];
        add_rows(&pixels, first, stop, 3, totals);
        Py_END_ALLOW_THREADS
    }
    close_picture(&above);
    close_picture(&pixels);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "rows or sums do not fit the pixels");
    return image_sums(totals);
}

/* byte_sums(pixels, channels) -> the sum of each channel, then the sum of squares of each; [h, w]
   for one channel, [h, w, 3] for three. */
PyObject *byte_sums(PyObject *module, PyObject *args)
{
    PyObject *of_pixels;
    Picture pixels;
    int channels;
    uint64_t totals[6] = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "Oi", &of_pixels, &channels))
        return NULL;
    if (channels != 1 && channels != 3)
        return PyErr_Format(PyExc_ValueError, "expected one channel or three");
    if (!open_picture(of_pixels, &pixels, channels == 1 ? 0 : channels, 1, 0))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    add_rows(&pixels, 0, pixels.height, channels, totals);
    Py_END_ALLOW_THREADS
    close_picture(&pixels);
    if (channels == 1)
        return Py_BuildValue("KK", totals[0], totals[1]);
    return image_sums(totals);
}

/* The sum of bytes, four at even and four at odd positions of a word at a time, in 16 bits each. */
FOR_PROCESSORS
static uint64_t sum_bytes(const uint8_t *bytes, Py_ssize_t count)
{
    const uint64_t even = 0x00ff00ff00ff00ff, low = 0xffff;
    uint64_t total = 0;
    while (count >= 8) {
        Py_ssize_t words = count / 8 < MOST_WORDS ? count / 8 : MOST_WORDS;
        uint64_t sums = 0;
        for (Py_ssize_t word = 0; word < words; word++) {
            uint64_t value;
            memcpy(&value, bytes + 8 * word, sizeof value);
            sums += (value & even) + (value >> 8 & even);
        }
        total += (sums & low) + (sums >> 16 & low) + (sums >> 32 & low) + (sums >> 48);
        bytes += 8 * words;
        count -= 8 * words;
    }
    while (count--)
        total += *bytes++;
    return total;
}

/* byte_sum(values) -> the sum of [h, w]. */
PyObject *byte_sum(PyObject *module, PyObject *values)
{
    Picture picture;
    uint64_t sum = 0;
    (void)module;
    if (!open_picture(values, &picture, 0, 1, 0))
        return NULL;
    Py_ssize_t rows = picture.height, line = picture.width;
    join_rows(&rows, &line, picture.stride);
    for (Py_ssize_t row = 0; row < rows; row++)
        sum += sum_bytes(picture.data + row * picture.stride, line);
    close_picture(&picture);
    return PyLong_FromUnsignedLongLong(sum);
}

/* Add the number of values of a row that are not 0 to `valid`; returns the largest value, as bits:
   those of values below 0, and of what is not a number, are larger than all others. */
FOR_PROCESSORS
static uint32_t largest_bits(const uint32_t *row, Py_ssize_t width, uint32_t *valid)
{
    uint32_t largest = 0, count = 0;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        largest = row[pixel] > largest ? row[pixel] : largest;
        count += row[pixel] != 0;
    }
    *valid = count;
    return largest;
}

/* Metres as whole millimetres, rounded as `rint` does: above 2**52, a double has no fractions. */
#define MILLIMETRES(metres) \
    ((__builtin_convertvector(metres, doubles4) * 1000.0 + 4503599627370496.0) - 4503599627370496.0)

/* The sum of the millimetres of a row in metres, and of their squares, which doubles hold exactly.
   Two sums at a time, since an addition waits for the one before. */
FOR_PROCESSORS
static void sum_millimetres(const float *row, Py_ssize_t width, doubles4 *sum, doubles4 *squares)
{
    doubles4 sums[2] = {{0}}, of_squares[2] = {{0}};
    for (Py_ssize_t pixel = 0; pixel < width; pixel += 8) {
        float metres[8] = {0};
        const float *values = row + pixel;
        if (pixel + 8 > width)
            values = memcpy(metres, values, (size_t)(width - pixel) * sizeof *row);
        for (int half = 0; half < 2; half++) {
            doubles4 millimetres = MILLIMETRES(*(const floats4 *)(values + 4 * half));
            sums[half] += millimetres;
            of_squares[half] += millimetres * millimetres;
        }
    }
    *sum = sums[0] + sums[1];
    *squares = of_squares[0] + of_squares[1];
}

/* Add a row of a depth map to the totals: valid pixels, their millimetres, and the squares. Returns
   0 if a value is larger than `most`, below 0, or not a number. */
static int add_depths(const uint8_t *data, Py_ssize_t width, float most, uint64_t *totals)
{
    uint32_t bits, valid;
    doubles4 sum, squares;
    memcpy(&bits, &most, sizeof bits);
    if (largest_bits((const uint32_t *)data, width, &valid) > bits)
        return 0;
    sum_millimetres((const float *)data, width, &sum, &squares);
    totals[0] += valid;
    for (int lane = 0; lane < 4; lane++) {
        totals[1] += (uint64_t)sum[lane];
        totals[2] += (uint64_t)squares[lane];
    }
    return 1;
}

/* depth_sums(depth, most) -> (valid pixels, sum of their millimetres, sum of squares) of float32
   [h, w] in metres; None if a value is larger than `most`, which is below 65.536, below 0, or not a
   number. */
PyObject *depth_sums(PyObject *module, PyObject *args)
{
    PyObject *of_depth;
    Picture depth;
    float most;
    uint64_t totals[3] = {0};
    int fits = 1;
    (void)module;
    if (!PyArg_ParseTuple(args, "Of", &of_depth, &most))
        return NULL;
    if (!open_picture(of_depth, &depth, 0, 4, 0))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < depth.height && fits; row++)
        fits = add_depths(depth.data + row * depth.stride, depth.width, most, totals);
    Py_END_ALLOW_THREADS
    close_picture(&depth);
    if (!fits)
        Py_RETURN_NONE;
    return Py_BuildValue("KKK", totals[0], totals[1], totals[2]);
}

/* The least and the largest value of a row, as bits less 1: then 0 is larger than all others. */
FOR_PROCESSORS
static void range_of_row(const uint32_t *row, Py_ssize_t width, uint32_t *least, uint32_t *largest)
{
    uint32_t lowest = *least, highest = *largest;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        uint32_t before = row[pixel] - 1;
        lowest = before < lowest ? before : lowest;
        highest = row[pixel] > highest ? row[pixel] : highest;
    }
    *least = lowest;
    *largest = highest;
}

/* depth_range(depth) -> (least value but 0, largest) of float32 [h, w], both 0 where all are; None
   if one is below 0, -0, infinite, or not a number. */
PyObject *depth_range(PyObject *module, PyObject *of_depth)
{
    Picture depth;
    uint32_t least = UINT32_MAX, largest = 0;
    float range[2];
    (void)module;
    if (!open_picture(of_depth, &depth, 0, 4, 0))
        return NULL;
    Py_ssize_t rows = depth.height, line = depth.width * 4;
    join_rows(&rows, &line, depth.stride);
    for (Py_ssize_t row = 0; row < rows; row++)
        range_of_row((const uint32_t *)(depth.data + row * depth.stride), line / 4, &least,
                     &largest);
    close_picture(&depth);
    if (largest >= 0x7F800000)
        Py_RETURN_NONE;
    least = largest ? least + 1 : 0;
    memcpy(&range[0], &least, sizeof least);
    memcpy(&range[1], &largest, sizeof largest);
    return Py_BuildValue("ff", range[0], range[1]);
}
