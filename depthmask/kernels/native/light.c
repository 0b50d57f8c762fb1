#include <math.h>

#include "kernels.h"

#define LESSER(x, y) ((x) < (y) ? (x) : (y))
#define GREATER(x, y) ((x) > (y) ? (x) : (y))

/* Numbers for each light: whether it is a point, normal [3], area. */
#define LIGHT 5

/* step: 1 if each point has its own target, otherwise 0. */
FOR_PROCESSORS
static void from_area(const float *restrict position, const float *restrict normal,
                      Py_ssize_t count, const float *restrict target, Py_ssize_t stride,
                      Py_ssize_t step, const float *light, float *restrict share)
{
    float of[3] = {light[1], light[2], light[3]}, area = light[4];
    float shared[3] = {target[0], target[stride], target[2 * stride]};
#define TARGET(axis) (step ? target[(axis) * stride + i] : shared[axis])
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = TARGET(0) - position[i], y = TARGET(1) - position[count + i];
        float z = TARGET(2) - position[2 * count + i];
        float square = x * x + y * y + z * z;
        float falling = x * normal[i] + y * normal[count + i] + z * normal[2 * count + i];
        float leaving = -(x * of[0] + y * of[1] + z * of[2]);
        falling = GREATER(falling, 0.0f);
        leaving = GREATER(leaving, 0.0f);
        share[i] = falling * leaving * area / (square * square + 0.05f);
    }
#undef TARGET
}

FOR_PROCESSORS
static void from_point(const float *restrict position, const float *restrict normal,
                       Py_ssize_t count, const float *target, Py_ssize_t stride,
                       float *restrict share)
{
    float at[3] = {target[0], target[stride], target[2 * stride]};
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = at[0] - position[i], y = at[1] - position[count + i];
        float z = at[2] - position[2 * count + i];
        float square = x * x + y * y + z * z + 0.02f;
        float facing = x * normal[i] + y * normal[count + i] + z * normal[2 * count + i];
        facing = facing / sqrtf(square);
        share[i] = GREATER(facing, 0.0f) / (square + 0.3f);
    }
}

/* arriving(position, normal, targets, lights, shares, own): the shares float32 [m, n] of the light
   from targets float32 [3, m, n], if `own`, or [3, m, 1], that arrives at points float32 [3, n]. */
PyObject *arriving(PyObject *module, PyObject *args)
{
    Py_buffer position, normal, targets, lights, shares;
    int is_own;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*p", &position, &normal, &targets, &lights, &shares,
                          &is_own))
        return NULL;
    Py_ssize_t count = position.len / 12, rows = lights.len / (4 * LIGHT);
    Py_ssize_t stride = is_own ? rows * count : rows;
    int fits = position.len == 12 * count && normal.len == position.len
               && targets.len == 12 * stride && lights.len == rows * 4 * LIGHT
               && shares.len == 4 * rows * count;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rows; row++) {
            const float *light = (const float *)lights.buf + row * LIGHT;
            const float *target = (const float *)targets.buf + (is_own ? row * count : row);
            float *share = (float *)shares.buf + row * count;
            if (light[0] == 0 && count)
                from_area(position.buf, normal.buf, count, target, stride, is_own, light, share);
            else if (count)
                from_point(position.buf, normal.buf, count, target, stride, share);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&position);
    PyBuffer_Release(&normal);
    PyBuffer_Release(&targets);
    PyBuffer_Release(&lights);
    PyBuffer_Release(&shares);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "points, targets, lights and shares do not fit");
    Py_RETURN_NONE;
}

/* Numbers for each pane: normal [3], its distance from the origin, slope of the light, centre [3],
   directions [3] and half lengths of its two edges. */
#define PANE 16

/* Add the light that falls through a pane with one cross of bars. */
FOR_PROCESSORS
static void through(const float *restrict position, const float *restrict normal,
                    Py_ssize_t count, const float *towards, const float *pane,
                    float *restrict share)
{
    float t[3] = {towards[0], towards[1], towards[2]}, of[PANE];
    for (int i = 0; i < PANE; i++)
        of[i] = pane[i];
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = position[i], y = position[count + i], z = position[2 * count + i];
        float facing = t[0] * normal[i] + t[1] * normal[count + i] + t[2] * normal[2 * count + i];
        float distance = (of[0] * x + of[1] * y + of[2] * z - of[3]) / of[4];
        float a = x + t[0] * distance - of[5], b = y + t[1] * distance - of[6];
        float c = z + t[2] * distance - of[7], passed = 1;
        for (int half = 8; half < PANE; half += 4) {
            float place = fabsf(of[half] * a + of[half + 1] * b + of[half + 2] * c);
            /* The sun's disc and the air blur the edges by a few centimetres. */
            float inside = (of[half + 3] - place) / 0.03f, beside = (place - 0.02f) / 0.02f;
            inside = GREATER(inside, 0.0f);
            beside = GREATER(beside, 0.0f);
            passed = passed * LESSER(inside, 1.0f);
            passed = passed * LESSER(beside, 1.0f);
        }
        passed = distance > 0 ? passed : 0.0f;
        share[i] = share[i] + GREATER(facing, 0.0f) * passed;
    }
}

/* sunlight(position, normal, towards, panes, share) */
PyObject *sunlight(PyObject *module, PyObject *args)
{
    Py_buffer position, normal, towards, panes, share;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*", &position, &normal, &towards, &panes, &share))
        return NULL;
    Py_ssize_t count = share.len / 4, rows = panes.len / (4 * PANE);
    int fits = position.len == 12 * count && normal.len == 12 * count && towards.len == 12
               && panes.len == rows * 4 * PANE;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rows; row++)
            through(position.buf, normal.buf, count, towards.buf,
                    (const float *)panes.buf + row * PANE, share.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&position);
    PyBuffer_Release(&normal);
    PyBuffer_Release(&towards);
    PyBuffer_Release(&panes);
    PyBuffer_Release(&share);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "points, panes and share do not fit");
    Py_RETURN_NONE;
}

/* Values of a table of `across` by `along` entries, with its three channels `entries` apart. */
FOR_PROCESSORS
static void nearest_entries(const float *restrict u, const float *restrict v, Py_ssize_t count,
                            const float *restrict table, Py_ssize_t entries, int32_t across,
                            int32_t along, float per_u, float per_v, float *restrict result,
                            Py_ssize_t stride)
{
    float right = (float)(across - 1), bottom = (float)(along - 1);
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = u[i] * per_u, y = v[i] * per_v;
        x = GREATER(x, 0.0f);
        y = GREATER(y, 0.0f);
        x = LESSER(x, right);
        y = LESSER(y, bottom);
        int32_t entry = (int32_t)y * across + (int32_t)x;
        result[i] = table[entry];
        result[stride + i] = table[entries + entry];
        result[2 * stride + i] = table[2 * entries + entry];
    }
}

/* look_up(u, v, table, across, along, per_u, per_v, result) */
PyObject *look_up(PyObject *module, PyObject *args)
{
    Py_buffer u, v, table, result;
    int across, along;
    float per_u, per_v;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*iiffw*", &u, &v, &table, &across, &along, &per_u, &per_v,
                          &result))
        return NULL;
    Py_ssize_t count = u.len / 4, entries = (Py_ssize_t)across * along;
    int fits = across > 0 && along > 0 && v.len == u.len && table.len == 12 * entries
               && result.len == 12 * count;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        nearest_entries(u.buf, v.buf, count, table.buf, entries, across, along, per_u, per_v,
                        result.buf, count);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&u);
    PyBuffer_Release(&v);
    PyBuffer_Release(&table);
    PyBuffer_Release(&result);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "points, table and result do not fit");
    Py_RETURN_NONE;
}

/* Numbers for each opening of a wall: the axis across the wall and its place there, the opening's
   two ends along the wall and upwards, its colour [3]. */
#define OPENING 9
/* Largest distance of a reflection, metres. */
#define MOST 50.0f

/* 1 between low and high, 0 outside; the edge between is `blur` wide. */
static inline float soft(float place, float low, float high, float blur)
{
    float below = place - low, above = high - place;
    float share = LESSER(below, above) / blur + 0.5f;
    share = GREATER(share, 0.0f);
    return LESSER(share, 1.0f);
}

FOR_PROCESSORS
static void mirror(const float *restrict position, const float *restrict ray, Py_ssize_t stride,
                   Py_ssize_t count, const float *opening, float strength, float *restrict colour)
{
    float of[OPENING];
    for (int i = 0; i < OPENING; i++)
        of[i] = opening[i];
    int axis = (int)of[0], across = axis == 2 ? 0 : 2;
    const float *wall = position + axis * stride, *way = ray + axis * stride;
    const float *side = position + across * stride, *run = ray + across * stride;
    for (Py_ssize_t i = 0; i < count; i++) {
        float x = ray[i], y = ray[stride + i], z = ray[2 * stride + i];
        /* Schlick's approximation of Fresnel: grazing views mirror more. */
        float graze = 1 + y / sqrtf(x * x + y * y + z * z);
        float mirrored = strength * (0.35f + 3 * graze * graze * graze);
        float distance = (of[1] - wall[i]) / way[i];
        int is_met = distance > 0;
        distance = LESSER(distance, MOST);
        float blur = 0.05f + 0.09f * GREATER(distance, 0.0f);
        float share = soft(side[i] + run[i] * distance, of[2], of[3], blur);
        share = share * soft(-y * distance, of[4], of[5], blur);
        share = (is_met ? share : 0.0f) * mirrored;
        colour[i] = colour[i] + of[6] * share * 0.6f;
        colour[stride + i] = colour[stride + i] + of[7] * share * 0.6f;
        colour[2 * stride + i] = colour[2 * stride + i] + of[8] * share * 0.6f;
    }
}

/* add_mirrored(position, ray, first, stop, openings, strength, colour) */
PyObject *add_mirrored(PyObject *module, PyObject *args)
{
    Py_buffer position, ray, openings, colour;
    Py_ssize_t first, stop;
    float strength;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*nny*fw*", &position, &ray, &first, &stop, &openings, &strength,
                          &colour))
        return NULL;
    Py_ssize_t count = colour.len / 12, rows = openings.len / (4 * OPENING);
    int fits = colour.len == 12 * count && position.len == colour.len && ray.len == colour.len
               && openings.len == rows * 4 * OPENING && first >= 0 && first <= stop
               && stop <= count;
    for (Py_ssize_t row = 0; fits && row < rows; row++) {
        float axis = ((const float *)openings.buf)[row * OPENING];
        fits = axis == 0 || axis == 1 || axis == 2;
    }
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rows; row++)
            mirror((const float *)position.buf + first, (const float *)ray.buf + first, count,
                   stop - first, (const float *)openings.buf + row * OPENING, strength,
                   (float *)colour.buf + first);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&position);
    PyBuffer_Release(&ray);
    PyBuffer_Release(&openings);
    PyBuffer_Release(&colour);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "points, openings and colour do not fit");
    Py_RETURN_NONE;
}
