#include "kernels.h"
#include <stdlib.h>
#include <string.h>

/* Rows and columns of a tile. */
#define TILE 32
#define CHANNELS 4

/* A cut-out with four channels. flags: for each row and tile, which of the next two it has. */
typedef struct {
    const Picture *rgba;
    uint8_t *flags;
    Py_ssize_t across;
    int solid;
} CutOut;
#define HAS_SOLID 1
#define HAS_SOFT 2

/* The weights, which are whole numbers; `reach` of them on either side of the middle. */
typedef struct {
    const double *exact;
    int32_t *whole;
    Py_ssize_t count, reach;
    double least;
} Taps;

/* Room for a tile: red, green, blue and 1 of a row, 0 where it is not solid; which column each is of;
   and rows that are summed across. */
typedef struct {
    int32_t *row;
    Py_ssize_t *columns;
    double *rows;
} Room;

static inline Py_ssize_t lesser(Py_ssize_t one, Py_ssize_t other)
{
    return one < other ? one : other;
}

/* Mirrored at the first and the last place, as OpenCV's BORDER_REFLECT_101 has it. */
static Py_ssize_t mirrored(Py_ssize_t place, Py_ssize_t count)
{
    while (count > 1 && (place < 0 || place >= count))
        place = place < 0 ? -place : 2 * (count - 1) - place;
    return count > 1 ? place : 0;
}

FOR_PROCESSORS
static void flag_row(uint8_t *restrict flags, const uint8_t *restrict rgba, Py_ssize_t width,
                     int solid)
{
    for (Py_ssize_t left = 0; left < width; left += TILE, flags++) {
        Py_ssize_t end = lesser(width, left + TILE);
        uint8_t most = 0, least = 255;
        for (Py_ssize_t column = left; column < end; column++) {
            uint8_t alpha = rgba[4 * column + 3];
            most = alpha > most ? alpha : most;
            least = alpha < least ? alpha : least;
        }
        *flags = (uint8_t)((most >= solid ? HAS_SOLID : 0) | (least < solid ? HAS_SOFT : 0));
    }
}

/* The flags of a row, in a tile and those beside it that its sums may read. */
static uint8_t flags_beside(const CutOut *of, Py_ssize_t row, Py_ssize_t tile, Py_ssize_t reach)
{
    Py_ssize_t tiles = (reach + TILE - 1) / TILE, begin = tile < tiles ? 0 : tile - tiles;
    Py_ssize_t end = lesser(of->across, tile + tiles + 1);
    uint8_t flags = 0;
    for (Py_ssize_t one = begin; one < end; one++)
        flags |= of->flags[row * of->across + one];
    return flags;
}

/* Of a row, `width` places that lie side by side if `columns` is NULL. */
FOR_PROCESSORS
static void read_row(int32_t *restrict row, const uint8_t *restrict rgba,
                     const Py_ssize_t *restrict columns, Py_ssize_t width, int solid)
{
    int32_t *restrict red = row, *restrict green = row + width;
    int32_t *restrict blue = row + 2 * width, *restrict one = row + 3 * width;
    if (!columns)
        for (Py_ssize_t place = 0; place < width; place++) {
            int32_t is_solid = rgba[4 * place + 3] >= solid;
            red[place] = rgba[4 * place] & -is_solid;
            green[place] = rgba[4 * place + 1] & -is_solid;
            blue[place] = rgba[4 * place + 2] & -is_solid;
            one[place] = is_solid;
        }
    else
        for (Py_ssize_t place = 0; place < width; place++) {
            const uint8_t *pixel = rgba + 4 * columns[place];
            int32_t is_solid = pixel[3] >= solid;
            red[place] = pixel[0] & -is_solid;
            green[place] = pixel[1] & -is_solid;
            blue[place] = pixel[2] & -is_solid;
            one[place] = is_solid;
        }
}

/* The sums are less than 2**31. */
FOR_PROCESSORS
static void sum_across(double *restrict sums, const int32_t *restrict row,
                       const int32_t *restrict taps, Py_ssize_t count)
{
    int32_t whole[TILE] = {0};
    for (Py_ssize_t tap = 0; tap < count; tap++)
        for (int place = 0; place < TILE; place++)
            whole[place] += row[tap + place] * taps[tap];
    for (int place = 0; place < TILE; place++)
        sums[place] = whole[place];
}

/* The sums are less than 2**53, so that doubles hold them exactly, in any order. */
FOR_PROCESSORS
static void sum_down(double *restrict sums, const double *restrict rows,
                     const double *restrict taps, Py_ssize_t count)
{
    memset(sums, 0, CHANNELS * TILE * sizeof *sums);
    for (Py_ssize_t tap = 0; tap < count; tap++)
        for (int place = 0; place < CHANNELS * TILE; place++)
            sums[place] += rows[tap * CHANNELS * TILE + place] * taps[tap];
}

/* Rounded as `rint` does: above 2**52, a double has no fractions. */
static inline uint8_t rounded(double level)
{
    return (uint8_t)(int32_t)((level + 4503599627370496.0) - 4503599627370496.0);
}

/* Colours of a row of a tile from sums of colours and, after them, of weights. */
static void mend_row(uint8_t *rgb, const uint8_t *rgba, int solid, const double *sums,
                     double least, Py_ssize_t width)
{
    for (Py_ssize_t place = 0; place < width; place++) {
        double weight = sums[3 * TILE + place];
        if (rgba[4 * place + 3] >= solid || !(weight > least))
            continue;
        for (int channel = 0; channel < 3; channel++)
            rgb[3 * place + channel] = rounded(sums[channel * TILE + place] / weight);
    }
}

/* The sums across of all rows that a tile reads. */
static void read_tile(const CutOut *of, const Taps *taps, Room *room, Py_ssize_t top,
                      Py_ssize_t tile, Py_ssize_t height)
{
    Py_ssize_t width = TILE + 2 * taps->reach, first = TILE * tile - taps->reach;
    int is_inside = first >= 0 && first + width <= of->rgba->width;
    for (Py_ssize_t place = 0; place < width; place++)
        room->columns[place] = mirrored(first + place, of->rgba->width);
    for (Py_ssize_t row = 0; row < height + 2 * taps->reach; row++) {
        double *sums = room->rows + row * CHANNELS * TILE;
        Py_ssize_t line = mirrored(top + row - taps->reach, of->rgba->height);
        const uint8_t *rgba = of->rgba->data + line * of->rgba->stride;
        if (!(flags_beside(of, line, tile, taps->reach) & HAS_SOLID)) {
            memset(sums, 0, CHANNELS * TILE * sizeof *sums);
            continue;
        }
        read_row(room->row, is_inside ? rgba + 4 * first : rgba, is_inside ? NULL : room->columns,
                 width, of->solid);
        for (int channel = 0; channel < CHANNELS; channel++)
            sum_across(sums + channel * TILE, room->row + channel * width, taps->whole,
                       taps->count);
    }
}

static void mend_tile(Picture *into, const CutOut *of, const Taps *taps, Room *room,
                      Py_ssize_t top, Py_ssize_t tile)
{
    Py_ssize_t left = TILE * tile, height = lesser(TILE, into->height - top);
    double sums[CHANNELS * TILE];
    read_tile(of, taps, room, top, tile, height);
    for (Py_ssize_t line = top; line < top + height; line++) {
        if (!(of->flags[line * of->across + tile] & HAS_SOFT))
            continue;
        sum_down(sums, room->rows + (line - top) * CHANNELS * TILE, taps->exact, taps->count);
        mend_row(into->data + line * into->stride + 3 * left,
                 of->rgba->data + line * of->rgba->stride + 4 * left, of->solid, sums, taps->least,
                 lesser(TILE, into->width - left));
    }
}

/* Whether a tile has soft pixels, with solid ones nearby. */
static int is_rim(const CutOut *of, Py_ssize_t top, Py_ssize_t tile, Py_ssize_t reach)
{
    Py_ssize_t first = top < reach ? 0 : top - reach;
    Py_ssize_t stop = lesser(of->rgba->height, top + TILE + reach);
    uint8_t own = 0, all = 0;
    for (Py_ssize_t row = top; row < lesser(stop, top + TILE); row++)
        own |= of->flags[row * of->across + tile];
    for (Py_ssize_t row = first; row < stop && (own & HAS_SOFT); row++)
        all |= flags_beside(of, row, tile, reach);
    return (own & HAS_SOFT) && (all & HAS_SOLID);
}

static void mend_all(Picture *into, const CutOut *of, const Taps *taps, Room *room)
{
    for (Py_ssize_t row = 0; row < into->height; row++)
        flag_row(of->flags + row * of->across, of->rgba->data + row * of->rgba->stride,
                 into->width, of->solid);
    for (Py_ssize_t top = 0; top < into->height; top += TILE)
        for (Py_ssize_t tile = 0; tile < of->across; tile++)
            if (is_rim(of, top, tile, taps->reach))
                mend_tile(into, of, taps, room, top, tile);
}

/* Returns 0 if there is no memory. */
static int mend_with_room(Picture *into, CutOut *of, Taps *taps)
{
    Py_ssize_t around = TILE + 2 * taps->reach;
    Room room = {calloc((size_t)(CHANNELS * around), sizeof(int32_t)),
                 malloc((size_t)around * sizeof(Py_ssize_t)),
                 malloc((size_t)(around * CHANNELS * TILE) * sizeof(double))};
    of->across = (into->width + TILE - 1) / TILE;
    of->flags = malloc((size_t)(into->height * of->across) + 1);
    taps->whole = malloc((size_t)taps->count * sizeof(int32_t));
    int is_made = room.row && room.columns && room.rows && of->flags && taps->whole;
    if (is_made) {
        for (Py_ssize_t tap = 0; tap < taps->count; tap++)
            taps->whole[tap] = (int32_t)taps->exact[tap];
        mend_all(into, of, taps, &room);
    }
    free(room.row);
    free(room.columns);
    free(room.rows);
    free(of->flags);
    free(taps->whole);
    return is_made;
}

/* mend(target, rgba, solid, taps, least): where alpha is less than `solid`, target becomes the mean of
   the colours where it is not, weighted by `taps` across and down, if the sum of the weights is more
   than `least`. */
PyObject *mend(PyObject *module, PyObject *args)
{
    PyObject *of_target, *of_rgba;
    Py_buffer weights;
    Picture target, rgba;
    int solid, is_made = 0;
    double least;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOiy*d", &of_target, &of_rgba, &solid, &weights, &least))
        return NULL;
    if (!open_picture(of_target, &target, 3, 1, 1))
        goto end;
    if (!open_picture(of_rgba, &rgba, 4, 1, 0)) {
        close_picture(&target);
        goto end;
    }
    Py_ssize_t count = weights.len / (Py_ssize_t)sizeof(double);
    if (target.height == rgba.height && target.width == rgba.width && count % 2 == 1) {
        CutOut of = {&rgba, NULL, 0, solid};
        Taps taps = {weights.buf, NULL, count, count / 2, least};
        Py_BEGIN_ALLOW_THREADS
        is_made = mend_with_room(&target, &of, &taps);
        Py_END_ALLOW_THREADS
        if (!is_made)
            PyErr_NoMemory();
    } else
        PyErr_SetString(PyExc_ValueError, "target, rgba or taps do not fit");
    close_picture(&rgba);
    close_picture(&target);
end:
    PyBuffer_Release(&weights);
    if (!is_made)
        return NULL;
    Py_RETURN_NONE;
}
