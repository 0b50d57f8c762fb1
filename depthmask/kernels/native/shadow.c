#include "kernels.h"
#include <stdlib.h>

/* Where the pixels of a row lie in the ellipse, in steps of its fall-off, and how far they are on the
   floor: as in `shadow.py`, each operation in the same order. From `steps` on, there is no shade. */
FOR_PROCESSORS
static void place_row(double *restrict places, double *restrict on_floors,
                      const float *restrict depths, const double *restrict columns, double row,
                      const double *restrict of, double steps, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        double z = depths[pixel], x = columns[pixel] * z - of[0], y = row * z - of[1];
        double behind = z - of[2];
        double across = (x * of[9] + y * of[10] + behind * of[11]) * of[12];
        double along = (x * of[13] + y * of[14] + behind * of[15]) * of[16] - 0.5;
        double place = (across * across + along * along) * of[17];
        double below = (x * of[3] + y * of[4] + behind * of[5] + of[6]) * of[7] - 1.0;
        double on_floor = 2.0 - (below < 0 ? -below : below) * of[8];
        /* One after another, for vectors of one width. */
        place = place < steps ? place : steps;
        place = on_floor > 0 ? place : steps;
        places[pixel] = z > 0 ? place : steps;
        on_floors[pixel] = on_floor < 1.0 ? on_floor : 1.0;
    }
}

/* The pixels of a row from the first to the last in the shade. */
typedef struct {
    Py_ssize_t first, stop;
} Shaded;

/* What is kept of each value of those pixels, three times for each: 1 where there is no shade. */
static Shaded keep_row(double *kept, const double *places, const double *on_floors,
                       const double *falloff, double steps, double strength, Py_ssize_t width)
{
    Shaded shaded = {0, width};
    while (shaded.first < width && !(places[shaded.first] < steps))
        shaded.first++;
    while (shaded.stop > shaded.first && !(places[shaded.stop - 1] < steps))
        shaded.stop--;
    for (Py_ssize_t pixel = shaded.first; pixel < shaded.stop; pixel++) {
        double part = 1.0;
        if (places[pixel] < steps) {
            double shade = on_floors[pixel] * falloff[(int32_t)places[pixel]];
            part = 1.0 - strength * shade;
        }
        for (int channel = 0; channel < 3; channel++)
            kept[3 * pixel + channel] = part;
    }
    return shaded;
}

/* Darken values; returns whether one changes. */
FOR_PROCESSORS
static int darken_values(uint8_t *restrict values, const double *restrict kept, Py_ssize_t count)
{
    uint8_t change = 0;
    for (Py_ssize_t value = 0; value < count; value++) {
        uint8_t darker = (uint8_t)(int32_t)(values[value] * kept[value] + 0.5);
        change |= darker ^ values[value];
        values[value] = darker;
    }
    return change != 0;
}

static int darken_row(uint8_t *pixels, double *kept, const double *places,
                      const double *on_floors, const double *falloff, double steps,
                      double strength, Py_ssize_t width)
{
    Shaded shaded = keep_row(kept, places, on_floors, falloff, steps, strength, width);
    return darken_values(pixels + 3 * shaded.first, kept + 3 * shaded.first,
                         3 * (shaded.stop - shaded.first));
}

/* darken(canvas, depth, columns, rows, of, falloff, strength) -> (first, stop) of the rows changed */
PyObject *darken(PyObject *module, PyObject *args)
{
    PyObject *of_canvas, *of_depth;
    Py_buffer columns, rows, of, falloff;
    Picture canvas, depth;
    double strength;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOy*y*y*y*d", &of_canvas, &of_depth, &columns, &rows, &of,
                          &falloff, &strength))
        return NULL;
    PyObject *result = NULL;
    if (!open_picture(of_canvas, &canvas, 3, 1, 1))
        goto end;
    if (!open_picture(of_depth, &depth, 0, 4, 0)) {
        close_picture(&canvas);
        goto end;
    }
    Py_ssize_t first = -1, stop = 0, number = (Py_ssize_t)sizeof(double);
    int fits = canvas.height == depth.height && canvas.width == depth.width
               && columns.len == canvas.width * number && rows.len == canvas.height * number
               && of.len == 18 * number && falloff.len >= number;
    double *places = fits ? malloc(5 * canvas.width * number + 1) : NULL;
    if (places) {
        const double *row = rows.buf;
        double *on_floors = places + canvas.width, *kept = on_floors + canvas.width;
        double steps = (double)(falloff.len / number);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t line = 0; line < canvas.height; line++) {
            place_row(places, on_floors, (const float *)(depth.data + line * depth.stride),
                      columns.buf, row[line], of.buf, steps, canvas.width);
            if (darken_row(canvas.data + line * canvas.stride, kept, places, on_floors,
                           falloff.buf, steps, strength, canvas.width)) {
                first = first < 0 ? line : first;
                stop = line + 1;
            }
        }
        Py_END_ALLOW_THREADS
    }
    close_picture(&depth);
    close_picture(&canvas);
    if (places)
        result = Py_BuildValue("nn", first < 0 ? 0 : first, stop);
    else if (fits)
        PyErr_NoMemory();
    else
        PyErr_SetString(PyExc_ValueError, "canvas, depth, columns, rows or tables do not fit");
    free(places);
end:
    PyBuffer_Release(&columns);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&of);
    PyBuffer_Release(&falloff);
    return result;
}
