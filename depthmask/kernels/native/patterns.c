#include <math.h>

#include "kernels.h"

#define LESSER(x, y) ((x) < (y) ? (x) : (y))
#define GREATER(x, y) ((x) > (y) ? (x) : (y))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Entries of the noise along each side, and of the table of hashes. */
#define SIDE 512
#define HASHES 4096
/* Points at a time. */
#define BLOCK 256

enum {
    PLAIN, PLASTER, WOOD, PLANKS, TILES, CHECKER, CARPET, FABRIC, STRIPES, BOOKS, FOLDS, LEAVES,
    PICTURE, RUG
};

/* What all painters read: the points of a block, the material, the tables. */
typedef struct {
    const float *u, *v, *field, *hashes;
    Py_ssize_t count;
    float scale;
    int32_t seed;
} Job;

ALWAYS_INLINE float at(const Job *job, int32_t column, int32_t row)
{
    return job->field[(row & (SIDE - 1)) * SIDE + (column & (SIDE - 1))];
}

ALWAYS_INLINE float noise(const Job *job, float x, float y)
{
    return at(job, (int32_t)(x * SIDE) + job->seed * 37, (int32_t)(y * SIDE) + job->seed * 91);
}

ALWAYS_INLINE float chance(const Job *job, int32_t i, int32_t j)
{
    return job->hashes[(i * 1619 + j * 3163 + job->seed * 131) & (HASHES - 1)];
}

ALWAYS_INLINE float clip(float x, float low, float high)
{
    x = GREATER(x, low);
    return LESSER(x, high);
}

/* 1 at the cell's border, 0 beyond `width` (in cells) from it. */
ALWAYS_INLINE float line(float place, float width)
{
    float edge = LESSER(place, 1 - place);
    return clip(1 - edge / width, 0, 1);
}

ALWAYS_INLINE float larger(float x, float y)
{
    return GREATER(x, y);
}

#define PAINTER(name)                                                                              \
    FOR_PROCESSORS static void name(const Job *job, float *restrict share, float *restrict bright)
#define EACH_POINT                                                                                 \
    const Job own = *job;                                                                          \
    for (Py_ssize_t i = 0; i < own.count; i++)
#define U own.u[i]
#define V own.v[i]

PAINTER(plaster)
{
    EACH_POINT {
        share[i] = 0;
        bright[i] = 1 + 0.018f * noise(&own, U / 3, V / 3);
    }
}

PAINTER(wood)
{
    EACH_POINT {
        share[i] = clip(0.35f + 0.28f * noise(&own, U * 1.3f, V * 0.16f), 0, 1);
        bright[i] = 1;
    }
}

PAINTER(planks)
{
    float length = job->scale * 8;
    EACH_POINT {
        float x = U / own.scale, low = floorf(x), across = x - low;
        int32_t row = (int32_t)low;
        float y = V / length + chance(&own, row, 0), board = floorf(y), along = y - board;
        float tint = chance(&own, row, (int32_t)board);
        float grain = noise(&own, U * 1.1f + tint * 3, V * 0.13f + tint);
        float seam = larger(line(across, 0.035f), line(along, 0.004f));
        share[i] = clip(0.3f + 0.22f * grain + 0.5f * (tint - 0.5f), 0, 1);
        bright[i] = 1 - 0.55f * seam;
    }
}

PAINTER(tiles)
{
    EACH_POINT {
        float x = U / own.scale, column = floorf(x), y = V / own.scale, row = floorf(y);
        float grout = larger(line(x - column, 0.018f), line(y - row, 0.018f));
        float one = chance(&own, (int32_t)column, (int32_t)row);
        share[i] = LESSER(grout * 2, 1.0f);
        bright[i] = 0.96f + 0.08f * one + 0.02f * noise(&own, U / 2, V / 2);
    }
}

PAINTER(checker)
{
    EACH_POINT {
        float x = U / own.scale, column = floorf(x), y = V / own.scale, row = floorf(y);
        float grout = larger(line(x - column, 0.015f), line(y - row, 0.015f));
        share[i] = (float)(((int32_t)column + (int32_t)row) & 1);
        bright[i] = 1 - 0.3f * grout + 0.03f * noise(&own, U, V);
    }
}

PAINTER(carpet)
{
    Job unshifted = *job;
    unshifted.seed = 0;
    EACH_POINT {
        share[i] = clip(0.5f + 0.16f * noise(&own, U * 2.6f, V * 2.6f), 0, 1);
        bright[i] = 1 + 0.02f * noise(&unshifted, U / 4, V / 4);
    }
}

PAINTER(fabric)
{
    EACH_POINT {
        share[i] = clip(0.3f + 0.15f * noise(&own, U * 2.3f, V * 2.3f), 0, 1);
        bright[i] = 1;
    }
}

PAINTER(stripes)
{
    EACH_POINT {
        float x = U / own.scale, across = x - floorf(x);
        share[i] = clip((fabsf(across - 0.5f) - 0.25f) * 40 + 0.5f, 0, 1);
        bright[i] = 1;
    }
}

PAINTER(books)
{
    float shift = 0.3f * noise(job, 0, 0);
    EACH_POINT {
        float x = U / own.scale + shift, low = floorf(x), across = x - low;
        float spine = clip(1.25f - fabsf(across - 0.5f) * 1.6f, 0.35f, 1);
        share[i] = chance(&own, (int32_t)low, 1);
        bright[i] = spine * (0.55f + 0.9f * chance(&own, (int32_t)low, 2));
    }
}

PAINTER(folds)
{
    EACH_POINT {
        float x = U / own.scale + 0.25f * noise(&own, U * 0.4f, V * 0.02f);
        float low = floorf(x), across = x - low, wave = 4 * across * (1 - across);
        share[i] = 0;
        bright[i] = 0.62f + 0.38f * wave * (0.8f + 0.3f * chance(&own, (int32_t)low, 0));
    }
}

PAINTER(leaves)
{
    EACH_POINT {
        share[i] = clip(0.4f + 0.35f * noise(&own, U * 1.5f, V * 1.5f), 0, 1);
        bright[i] = 1;
    }
}

PAINTER(picture)
{
    int32_t rows[3];
    const double places[3] = {0.137, 0.31, 0.71};
    for (int i = 0; i < 3; i++)
        rows[i] = (int32_t)(job->seed * places[i] * SIDE) + job->seed * 91;
    int32_t shift = job->seed * 37;
    EACH_POINT {
        int is_paper = (fabsf(U) > 0.72f) | (fabsf(V) > 0.72f);
        float hills = at(&own, (int32_t)(U / 6 * SIDE) + shift, rows[0]) * 0.16f
                      + at(&own, (int32_t)(U / 2 * SIDE) + shift, rows[1]) * 0.03f - 0.1f;
        float away = at(&own, (int32_t)(U / 5 * SIDE) + shift, rows[2]) * 0.14f + 0.2f;
        float sky = 0.12f + 0.2f * (0.7f - V);
        float drawn = V < hills ? 1.0f : V < away ? 0.62f : sky;
        share[i] = is_paper ? 0.0f : drawn;
        bright[i] = is_paper ? 1.25f : 1.0f;
    }
}

PAINTER(rug)
{
    int kind = job->seed % 3;
    EACH_POINT {
        float edge = larger(fabsf(U), fabsf(V)), x = U * 3, y = V * 3, z = V * 4;
        int is_border = (edge > 0.78f) & (edge < 0.9f), is_inside = edge < 0.72f;
        float from = fabsf(x - floorf(x) - 0.5f) + fabsf(y - floorf(y) - 0.5f) - 0.5f;
        int is_lozenge = is_inside & (fabsf(from) < 0.09f) & (kind == 0);
        int is_band = is_inside & (fabsf(z - floorf(z) - 0.5f) < 0.12f) & (kind == 1);
        share[i] = is_border | is_lozenge | is_band ? 0.85f : 0.0f;
        bright[i] = 0.9f + 0.04f * noise(&own, U, V);
    }
}

FOR_PROCESSORS
static void mix(float first, float second, const float *restrict share,
                const float *restrict bright, Py_ssize_t count, float *restrict result)
{
    float way = second - first;
    for (Py_ssize_t i = 0; i < count; i++)
        result[i] = (first + way * share[i]) * bright[i];
}

typedef void (*Painter)(const Job *, float *restrict, float *restrict);

static const Painter painters[] = {
    NULL, plaster, wood, planks, tiles, checker, carpet, fabric, stripes, books, folds, leaves,
    picture, rug,
};

/* Colours of up to BLOCK points of one material. */
static void paint(const Job *job, int32_t pattern, const float *colours, float *colour,
                  Py_ssize_t stride)
{
    float share[BLOCK], bright[BLOCK];
    if (pattern != PLAIN)
        painters[pattern](job, share, bright);
    for (int channel = 0; channel < 3; channel++) {
        float *result = colour + channel * stride;
        if (pattern != PLAIN)
            mix(colours[channel], colours[3 + channel], share, bright, job->count, result);
        else
            for (Py_ssize_t i = 0; i < job->count; i++)
                result[i] = colours[channel];
    }
}

/* paint_patterns(u, v, which, patterns, seeds, numbers, field, hashes, colour): the colours float32
   [3, n] of points whose materials are which int16 [n]. numbers: float32 [k, 7], for each material
   its colours and its scale. */
PyObject *paint_patterns(PyObject *module, PyObject *args)
{
    Py_buffer u, v, which, patterns, seeds, numbers, field, hashes, colour;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*w*", &u, &v, &which, &patterns, &seeds, &numbers,
                          &field, &hashes, &colour))
        return NULL;
    Py_ssize_t count = which.len / 2, materials = patterns.len / 4;
    const int16_t *own = which.buf;
    const int32_t *kinds = patterns.buf, *shifts = seeds.buf;
    int fits = u.len == 4 * count && v.len == 4 * count && colour.len == 12 * count
               && seeds.len == patterns.len && numbers.len == 28 * materials
               && field.len == 4 * SIDE * SIDE && hashes.len == 4 * HASHES;
    for (Py_ssize_t i = 0; fits && i < count; i++)
        fits = own[i] >= 0 && own[i] < materials;
    for (Py_ssize_t i = 0; fits && i < materials; i++)
        fits = kinds[i] >= PLAIN && kinds[i] <= RUG;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        Py_ssize_t first = 0;
        while (first < count) {
            Py_ssize_t stop = first;
            while (stop < count && stop < first + BLOCK && own[stop] == own[first])
                stop++;
            const float *number = (const float *)numbers.buf + 7 * own[first];
            Job job = {
                (const float *)u.buf + first, (const float *)v.buf + first, field.buf, hashes.buf,
                stop - first, number[6], shifts[own[first]],
            };
            paint(&job, kinds[own[first]], number, (float *)colour.buf + first, count);
            first = stop;
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&u);
    PyBuffer_Release(&v);
    PyBuffer_Release(&which);
    PyBuffer_Release(&patterns);
    PyBuffer_Release(&seeds);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&field);
    PyBuffer_Release(&hashes);
    PyBuffer_Release(&colour);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "points, materials and tables do not fit");
    Py_RETURN_NONE;
}

/* Smooth bumps 0..1 of width 1 along `place`. */
ALWAYS_INLINE float crowns(const Job *job, float place)
{
    float low = floorf(place), fraction = place - low;
    float first = chance(job, (int32_t)low, 9), next = chance(job, (int32_t)low + 1, 9);
    return first + (next - first) * (fraction * fraction * (3 - 2 * fraction));
}

ALWAYS_INLINE int is_near(float place, float width)
{
    return fabsf(place - floorf(place) - 0.5f) < width;
}

/* colours: zenith, horizon, trees, lawn, houses, each [3]. */
static void view_out(const float *ray, Py_ssize_t count, const float *colours, const Job *job,
                     float *result)
{
    Job other = *job;
    other.seed = job->seed + 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = ray[i], z = ray[2 * count + i], colour[3];
        float away = sqrtf(x * x + z * z) + 1e-6f, rise = ray[count + i] / away;
        /* A bearing without trigonometry, monotonic over the half of the horizon in view. */
        float sign = (float)((x > 0) - (x < 0));
        float bearing = z > fabsf(x) ? x / away : sign * (2 - z / away);
        float high = clip(rise * 1.6f, 0, 1);
        float cloud = clip(noise(job, bearing * 0.35f, rise * 0.9f) * 0.5f, 0, 1);
        float leaf = 0.8f + 0.16f * noise(job, bearing * 2, rise * 2);
        float wide = crowns(job, bearing * 4), fine = crowns(&other, bearing * 23);
        float trees = -0.03f + 0.14f * wide + 0.05f * fine;
        int32_t block = (int32_t)floorf(bearing * 9);
        float roof = 0.02f + 0.26f * chance(job, block, 3);
        float tint = 0.75f + 0.5f * chance(job, block, 5);
        int is_house = job->seed % 2 && rise < roof;
        int is_pane = job->seed % 2 && rise < roof - 0.03f && is_near(bearing * 72, 0.22f)
                      && is_near(rise * 30, 0.25f);
        for (int channel = 0; channel < 3; channel++) {
            const float *of = colours + channel;
            colour[channel] = of[3] + (of[0] - of[3]) * high;
            colour[channel] = colour[channel] + (3.8f - colour[channel]) * cloud * 0.7f;
            colour[channel] = is_house ? of[12] * tint : colour[channel];
            colour[channel] = is_pane ? colour[channel] * 0.55f : colour[channel];
            colour[channel] = rise < trees ? of[6] * leaf : colour[channel];
            colour[channel] = rise < -0.12f ? of[9] * leaf : colour[channel];
            result[channel * count + i] = colour[channel];
        }
    }
}

/* outdoors(ray, colours, seed, field, hashes, result) */
PyObject *outdoors(PyObject *module, PyObject *args)
{
    Py_buffer ray, colours, field, hashes, result;
    int seed;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*iy*y*w*", &ray, &colours, &seed, &field, &hashes, &result))
        return NULL;
    int fits = ray.len == result.len && ray.len % 12 == 0 && colours.len == 60
               && field.len == 4 * SIDE * SIDE && hashes.len == 4 * HASHES;
    if (fits) {
        Job job = {NULL, NULL, field.buf, hashes.buf, 0, 1, seed};
        Py_BEGIN_ALLOW_THREADS
        view_out(ray.buf, ray.len / 12, colours.buf, &job, result.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&ray);
    PyBuffer_Release(&colours);
    PyBuffer_Release(&field);
    PyBuffer_Release(&hashes);
    PyBuffer_Release(&result);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "rays, colours and tables do not fit");
    Py_RETURN_NONE;
}
