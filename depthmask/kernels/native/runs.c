#include "kernels.h"
#include <stdlib.h>
#include <string.h>

/* Bits of rows in a word of a column. */
#define BITS 64

/* The bits of up to 8 rows at each column, the first row lowest. */
FOR_PROCESSORS
static void pack_rows(const uint8_t *restrict data, Py_ssize_t stride, int rows, Py_ssize_t width,
                      uint8_t *restrict packed)
{
    memset(packed, 0, (size_t)width);
    for (int row = 0; row < rows; row++, data += stride)
        for (Py_ssize_t column = 0; column < width; column++)
            packed[column] |= (uint8_t)((data[column] != 0) << row);
}

/* Turn a mask into bits, column by column, each in `words` words, which are 0. packed: a row. */
static void pack(const Picture *mask, uint64_t *restrict columns, Py_ssize_t words, uint8_t *packed)
{
    for (Py_ssize_t top = 0; top < mask->height; top += 8) {
        int rows = mask->height - top < 8 ? (int)(mask->height - top) : 8;
        pack_rows(mask->data + top * mask->stride, mask->stride, rows, mask->width, packed);
        uint64_t *word = columns + top / BITS;
        for (Py_ssize_t column = 0; column < mask->width; column++, word += words)
            *word |= (uint64_t)packed[column] << top % BITS;
    }
}

/* Add a length to a list; returns 0 with an exception if there is no memory. */
static int append(PyObject *list, Py_ssize_t length)
{
    PyObject *number = PyLong_FromSsize_t(length);
    int is_added = number && PyList_Append(list, number) == 0;
    Py_XDECREF(number);
    return is_added;
}

/* Runs over the pixels of a canvas, column by column. area: of the runs. first_row, stop_row,
   first_column, stop_column: of the mask. begin, end: of the run that may go on in the next column;
   written: the end of what is in the list. */
typedef struct {
    PyObject *lengths;
    Py_ssize_t area, first_row, stop_row, first_column, stop_column, begin, end, written;
} Runs;

/* Add the run that has ended to the list, and the pixels before it. */
static int finish_run(Runs *runs)
{
    if (runs->begin == runs->end)
        return 1;
    int is_added = append(runs->lengths, runs->begin - runs->written)
                   && append(runs->lengths, runs->end - runs->begin);
    runs->written = runs->end;
    return is_added;
}

/* Add the run begin..end of a column. start: the pixel of the canvas where the column begins. */
static int add_run(Runs *runs, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t column, Py_ssize_t start)
{
    runs->area += end - begin;
    runs->first_row = begin < runs->first_row ? begin : runs->first_row;
    runs->stop_row = end > runs->stop_row ? end : runs->stop_row;
    runs->first_column = column < runs->first_column ? column : runs->first_column;
    runs->stop_column = column + 1;
    /* A run that reaches the foot of the canvas goes on at the top of the next column. */
    if (runs->begin == runs->end || start + begin != runs->end) {
        if (!finish_run(runs))
            return 0;
        runs->begin = start + begin;
    }
    runs->end = start + end;
    return 1;
}

static int add_column(Runs *runs, const uint64_t *words, Py_ssize_t height, Py_ssize_t column,
                      Py_ssize_t start)
{
    Py_ssize_t begin = -1;
    uint64_t before = 0;
    for (Py_ssize_t row = 0; row < height; row += BITS, words++) {
        uint64_t changes = *words ^ (*words << 1 | before);
        before = *words >> (BITS - 1);
        for (; changes; changes &= changes - 1) {
            Py_ssize_t change = row + __builtin_ctzll(changes);
            if (begin >= 0 && !add_run(runs, begin, change, column, start))
                return 0;
            begin = begin < 0 ? change : -1;
        }
    }
    return begin < 0 || add_run(runs, begin, height, column, start);
}

static int add_all(Runs *runs, const uint64_t *columns, Py_ssize_t words, const Picture *mask,
                   Py_ssize_t top, Py_ssize_t left, Py_ssize_t height, Py_ssize_t width)
{
    for (Py_ssize_t column = 0; column < mask->width; column++)
        if (!add_column(runs, columns + column * words, mask->height, column,
                        (left + column) * height + top))
            return 0;
    if (!finish_run(runs))
        return 0;
    return runs->written == height * width || append(runs->lengths, height * width - runs->written);
}

/* mask_runs(mask, top, left, height, width) -> (area, (first row, stop row, first column, stop
   column), run lengths) of a mask of 0 and 1 that lies at (top, left) on a canvas; rows and columns
   are those of the mask. */
PyObject *mask_runs(PyObject *module, PyObject *args)
{
    PyObject *of_mask;
    Picture mask;
    Py_ssize_t top, left, height, width;
    (void)module;
    if (!PyArg_ParseTuple(args, "Onnnn", &of_mask, &top, &left, &height, &width))
        return NULL;
    if (!open_picture(of_mask, &mask, 0, 1, 0))
        return NULL;
    if (top < 0 || left < 0 || mask.height > height - top || mask.width > width - left) {
        close_picture(&mask);
        return PyErr_Format(PyExc_ValueError, "the mask is not within the canvas");
    }
    Runs runs = {.first_row = mask.height, .first_column = mask.width};
    Py_ssize_t words = mask.height / BITS + 1;
    uint64_t *columns = calloc((size_t)(mask.width * words + 1), sizeof *columns);
    uint8_t *packed = malloc((size_t)mask.width + 1);
    runs.lengths = PyList_New(0);
    int is_done = 0;
    if (!columns || !packed)
        PyErr_NoMemory();
    else if (runs.lengths) {
        Py_BEGIN_ALLOW_THREADS
        pack(&mask, columns, words, packed);
        Py_END_ALLOW_THREADS
        is_done = add_all(&runs, columns, words, &mask, top, left, height, width);
    }
    free(packed);
    free(columns);
    close_picture(&mask);
    if (!is_done) {
        Py_XDECREF(runs.lengths);
        return NULL;
    }
    return Py_BuildValue("n(nnnn)N", runs.area, runs.first_row, runs.stop_row, runs.first_column,
                         runs.stop_column, runs.lengths);
}
