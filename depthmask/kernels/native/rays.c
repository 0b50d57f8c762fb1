#include <math.h>
#include <string.h>

#include "kernels.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { BOX, ROUND, BALL };
/* Rays that move less in a direction do not move. */
#define LEAST 1e-30
/* Numbers for each body as seen by one viewer: kind, taper, start [3], rays [3, 3]. */
#define FRAME 14
/* Numbers for each body in the world: kind, taper, centre [3], inverse [3, 3], half axes [3],
   radius of a sphere around it, bevel, whether (u, v) are those of the unit body, and whether
   they change places. */
#define BODY 21
/* Surfaces before the bodies: the faces of the box around all. */
#define FACES 6

#define REAL float
#define NAME(name) name##_float
#define ROOT sqrtf
#define ABSOLUTE fabsf
#define WITH_SIGN copysignf
#include "spans.h"
#undef REAL
#undef NAME
#undef ROOT
#undef ABSOLUTE
#undef WITH_SIGN
#define REAL double
#define NAME(name) name##_double
#define ROOT sqrt
#define ABSOLUTE fabs
#define WITH_SIGN copysign
#include "spans.h"
#undef REAL
#undef NAME
#undef ROOT
#undef ABSOLUTE
#undef WITH_SIGN

static int windows_fit(const int32_t *windows, Py_ssize_t bodies, Py_ssize_t height,
                       Py_ssize_t width)
{
    for (Py_ssize_t body = 0; body < bodies; body++) {
        const int32_t *one = windows + 4 * body;
        if (one[0] < 0 || one[1] > height || one[2] < 0 || one[3] > width)
            return 0;
    }
    return 1;
}

/* cast_rays(u, v, frames, windows, numbers, shell, z, surface): the first body that each ray hits,
   into z and surface. shell: the frame of a box seen from inside, or empty. */
PyObject *cast_rays(PyObject *module, PyObject *args)
{
    Py_buffer u, v, frames, windows, numbers, shell, z, surface;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*w*w*", &u, &v, &frames, &windows, &numbers, &shell, &z,
                          &surface))
        return NULL;
    Py_ssize_t pixels = surface.len / 2, bodies = numbers.len / 2;
    Py_ssize_t item = pixels ? z.len / pixels : 4;
    Py_ssize_t width = u.len / item, height = v.len / item;
    int fits = (item == 4 || item == 8) && z.len == pixels * item && width * height == pixels
               && frames.len == bodies * FRAME * 8 && windows.len == bodies * 16
               && (shell.len == 0 || shell.len == FRAME * 8)
               && windows_fit(windows.buf, bodies, height, width);
    void *entered = fits ? PyMem_Malloc((size_t)(width * item + 1)) : NULL;
    if (entered) {
        const double *of_shell = shell.len ? shell.buf : NULL;
        Py_BEGIN_ALLOW_THREADS
        if (item == 4)
            cast_float(u.buf, v.buf, width, height, frames.buf, windows.buf, numbers.buf, bodies,
                       of_shell, z.buf, surface.buf, entered);
        else
            cast_double(u.buf, v.buf, width, height, frames.buf, windows.buf, numbers.buf, bodies,
                        of_shell, z.buf, surface.buf, entered);
        Py_END_ALLOW_THREADS
        PyMem_Free(entered);
    }
    PyBuffer_Release(&u);
    PyBuffer_Release(&v);
    PyBuffer_Release(&frames);
    PyBuffer_Release(&windows);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&shell);
    PyBuffer_Release(&z);
    PyBuffer_Release(&surface);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "grid, frames, windows, z and surface do not fit");
    if (!entered)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

/* Points at a time that are tested against a body, or not if they are far from it. */
#define BLOCK 64

typedef struct {
    float low[3], high[3];
} Bounds;

static Bounds bounds_of(const float *points, Py_ssize_t stride, Py_ssize_t count)
{
    Bounds result;
    for (int axis = 0; axis < 3; axis++) {
        float low = INFINITY, high = -INFINITY;
        for (Py_ssize_t i = 0; i < count; i++) {
            float value = points[axis * stride + i];
            low = LESSER(value, low);
            high = GREATER(value, high);
        }
        result.low[axis] = low;
        result.high[axis] = high;
    }
    return result;
}

/* A sphere around points. */
typedef struct {
    double centre[3], radius;
} Sphere;

static Sphere sphere_of(const float *points, Py_ssize_t stride, Py_ssize_t count)
{
    Bounds box = bounds_of(points, stride, count);
    Sphere result = {{0, 0, 0}, 0};
    for (int axis = 0; axis < 3; axis++) {
        double half = ((double)box.high[axis] - box.low[axis]) / 2;
        result.centre[axis] = ((double)box.high[axis] + box.low[axis]) / 2;
        result.radius += half * half;
    }
    result.radius = sqrt(result.radius);
    return result;
}

/* The largest distance of a point in half axes of a body where it is thinnest. Rounding moves
   squares of distances by 2**-24 of the square of this, in the frame where the half axes are 1; up to
   here, a body appears to be larger by less than a third. */
#define FARTHEST 1800.0

/* Whether all ways from one sphere to the other pass a body by. Its own sphere is taken a third
   larger, and 5 mm, for what rounding moves; a body that is thinner is tested in any case. */
static int is_passed_by(const Sphere *from, const Sphere *to, const double *body)
{
    double way[3], offset[3], length = 0, along = 0, square = 0, before = 0, behind = 0;
    for (int axis = 0; axis < 3; axis++) {
        way[axis] = to->centre[axis] - from->centre[axis];
        offset[axis] = body[2 + axis] - from->centre[axis];
        length += way[axis] * way[axis];
        along += way[axis] * offset[axis];
        before += offset[axis] * offset[axis];
        behind += (offset[axis] - way[axis]) * (offset[axis] - way[axis]);
    }
    double t = length > 0 ? along / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    for (int axis = 0; axis < 3; axis++) {
        double gap = offset[axis] - t * way[axis];
        square += gap * gap;
    }
    double size = GREATER(from->radius, to->radius), far = sqrt(GREATER(before, behind)) + size;
    double thinnest = LESSER(LESSER(body[14], body[15]), body[16]);
    double reach = body[17] * 4 / 3 + 0.005 + size;
    return far <= FARTHEST * thinnest && square > reach * reach;
}

/* Mark the ways from starts to goals that meet a body. step: of the goals, 0 if all share one. */
FOR_PROCESSORS
static void block_ways(const double *body, const float *restrict starts, Py_ssize_t stride,
                       const float *restrict goals, Py_ssize_t goal_stride, Py_ssize_t step,
                       Py_ssize_t count, int32_t *restrict blocked)
{
    float centre[3], inverse[9];
    float middle = (float)((1 + body[1]) / 2), slope = (float)((body[1] - 1) / 2);
    for (int i = 0; i < 3; i++)
        centre[i] = (float)body[2 + i];
    for (int i = 0; i < 9; i++)
        inverse[i] = (float)body[5 + i];
    float shared[3] = {goals[0], goals[goal_stride], goals[2 * goal_stride]};
#define GOAL(axis) (step ? goals[(axis) * goal_stride + i] : shared[axis])
#define EACH_WAY(SPAN)                                                                             \
    for (Py_ssize_t i = 0; i < count; i++) {                                                       \
        float from[3], to[3], start[3], way[3];                                                    \
        for (int axis = 0; axis < 3; axis++) {                                                     \
            from[axis] = starts[axis * stride + i] - centre[axis];                                 \
            to[axis] = GOAL(axis) - centre[axis];                                                  \
        }                                                                                          \
        for (int axis = 0; axis < 3; axis++) {                                                     \
            const float *row = inverse + 3 * axis;                                                 \
            start[axis] = row[0] * from[0] + row[1] * from[1] + row[2] * from[2];                  \
            way[axis] = (row[0] * to[0] + row[1] * to[1] + row[2] * to[2]) - start[axis];          \
        }                                                                                          \
        Span_float one = SPAN;                                                                     \
        blocked[i] |= (one.low <= one.high) & (one.high > 0) & (one.low < 1) & !one.is_missed;     \
    }
    if (body[0] == BOX)
        EACH_WAY(box_span_float(start, way))
    else if (body[0] == BALL)
        EACH_WAY(ball_span_float(start, way))
    else
        EACH_WAY(round_span_float(start, way, middle, slope))
#undef EACH_WAY
#undef GOAL
}

static int are_all(const int32_t *flags, Py_ssize_t count)
{
    int32_t sum = 0;
    for (Py_ssize_t i = 0; i < count; i++)
        sum += flags[i];
    return sum == count;
}

/* blocked(starts, targets, bodies, shadow): whether a body lies between starts float32 [3, n] and
   targets float32 [3, m, n] or [3, m, 1], into shadow uint8 [m, n]. */
PyObject *blocked(PyObject *module, PyObject *args)
{
    Py_buffer starts, targets, bodies, shadow;
    Py_ssize_t goals;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*w*n", &starts, &targets, &bodies, &shadow, &goals))
        return NULL;
    Py_ssize_t count = starts.len / 12, rows = bodies.len / (BODY * 8);
    int is_shared = targets.len == 12 * goals && count != 1;
    int fits = starts.len == count * 12 && bodies.len == rows * BODY * 8
               && shadow.len == goals * count
               && (is_shared || targets.len == 12 * goals * count);
    if (fits) {
        Py_ssize_t goal_stride = is_shared ? goals : goals * count;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t first = 0; first < count; first += BLOCK) {
            Py_ssize_t some = count - first < BLOCK ? count - first : BLOCK;
            const float *start = (const float *)starts.buf + first;
            Sphere from = sphere_of(start, count, some);
            for (Py_ssize_t goal = 0; goal < goals; goal++) {
                const float *target = (const float *)targets.buf
                                      + (is_shared ? goal : goal * count + first);
                Sphere to = sphere_of(target, goal_stride, is_shared ? 1 : some);
                int32_t flags[BLOCK] = {0};
                for (Py_ssize_t row = 0; row < rows; row++) {
                    const double *body = (const double *)bodies.buf + row * BODY;
                    if (is_passed_by(&from, &to, body))
                        continue;
                    block_ways(body, start, count, target, goal_stride, !is_shared, some, flags);
                    if (are_all(flags, some))
                        break;
                }
                uint8_t *result = (uint8_t *)shadow.buf + goal * count + first;
                for (Py_ssize_t i = 0; i < some; i++)
                    result[i] = (uint8_t)flags[i];
            }
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&starts);
    PyBuffer_Release(&targets);
    PyBuffer_Release(&bodies);
    PyBuffer_Release(&shadow);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "starts, targets, bodies and shadow do not fit");
    Py_RETURN_NONE;
}

/* Make rays and positions of u, v and z, which lie where the rays will be. view: the matrix from
   (u, v, 1) to rays, and the eye. */
FOR_PROCESSORS
static void place_points(const float *view, float *restrict position, float *restrict x,
                         float *restrict y, float *restrict z, Py_ssize_t count)
{
    float m[12];
    for (int i = 0; i < 12; i++)
        m[i] = view[i];
    for (Py_ssize_t i = 0; i < count; i++) {
        float u = x[i], v = y[i], depth = z[i];
        x[i] = m[0] * u + m[1] * v + m[2];
        y[i] = m[3] * u + m[4] * v + m[5];
        z[i] = m[6] * u + m[7] * v + m[8];
        position[i] = x[i] * depth + m[9];
        position[count + i] = y[i] * depth + m[10];
        position[2 * count + i] = z[i] * depth + m[11];
    }
}

/* A body as `box_facets` and `round_facets` take it. */
typedef struct {
    float centre[3], inverse[9], half[3];
} Frame;

static Frame frame_of(const double *body)
{
    Frame frame;
    for (int i = 0; i < 3; i++) {
        frame.centre[i] = (float)body[2 + i];
        frame.half[i] = (float)body[14 + i];
    }
    for (int i = 0; i < 9; i++)
        frame.inverse[i] = (float)body[5 + i];
    return frame;
}

ALWAYS_INLINE void to_unit(const Frame *frame, const float *restrict position, Py_ssize_t stride,
                           Py_ssize_t i, float *unit)
{
    float x = position[i] - frame->centre[0], y = position[stride + i] - frame->centre[1];
    float z = position[2 * stride + i] - frame->centre[2];
    for (int axis = 0; axis < 3; axis++) {
        const float *row = frame->inverse + 3 * axis;
        unit[axis] = row[0] * x + row[1] * y + row[2] * z;
    }
}

ALWAYS_INLINE void set_normal(const Frame *frame, const float *slope, float *restrict normal,
                              Py_ssize_t stride, Py_ssize_t i)
{
    const float *m = frame->inverse;
    float x = m[0] * slope[0] + m[3] * slope[1] + m[6] * slope[2];
    float y = m[1] * slope[0] + m[4] * slope[1] + m[7] * slope[2];
    float z = m[2] * slope[0] + m[5] * slope[1] + m[8] * slope[2];
    float length = sqrtf(x * x + y * y + z * z);
    normal[i] = x / length;
    normal[stride + i] = y / length;
    normal[2 * stride + i] = z / length;
}

/* Near an edge the normal leans towards the neighbouring face, as if it were rounded. */
ALWAYS_INLINE float lean(float size, float half, float bevel)
{
    float share = 1 - (1 - size) * half / bevel;
    share = GREATER(share, 0.0f);
    share = LESSER(share, 1.0f);
    return 0.8f * share * share;
}

FOR_PROCESSORS
static void box_facets(const double *body, const float *restrict position, Py_ssize_t stride,
                       Py_ssize_t count, float *restrict normal, float *restrict u,
                       float *restrict v)
{
    const Frame frame = frame_of(body);
    float wide = (float)body[18], bevel[3], scale[3];
    for (int axis = 0; axis < 3; axis++) {
        bevel[axis] = LESSER(wide, frame.half[axis]);
        scale[axis] = body[19] ? 1.0f : frame.half[axis];
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        float unit[3], slope[3], size[3];
        to_unit(&frame, position, stride, i, unit);
        for (int axis = 0; axis < 3; axis++)
            size[axis] = fabsf(unit[axis]);
        float most = GREATER(size[0], size[1]);
        int is_z = size[2] > most, is_y = !is_z & (size[1] > size[0]);
        int is_face[3] = {!is_z & !is_y, is_y, is_z};
        for (int axis = 0; axis < 3; axis++) {
            float leaning = lean(size[axis], frame.half[axis], bevel[axis]);
            leaning = is_face[axis] ? 1.0f : leaning;
            slope[axis] = copysignf(1.0f, unit[axis]) * leaning * frame.half[axis];
        }
        float x = unit[0] * scale[0], y = unit[1] * scale[1], z = unit[2] * scale[2];
        u[i] = is_face[0] ? z : x;
        v[i] = is_y ? z : y;
        set_normal(&frame, slope, normal, stride, i);
    }
}

FOR_PROCESSORS
static void round_facets(const double *body, const float *restrict position, Py_ssize_t stride,
                         Py_ssize_t count, float *restrict normal, float *restrict u,
                         float *restrict v)
{
    const Frame frame = frame_of(body);
    int is_ball = body[0] == BALL;
    float side = (float)((1 - body[1]) / 2);
    for (Py_ssize_t i = 0; i < count; i++) {
        float unit[3];
        to_unit(&frame, position, stride, i, unit);
        u[i] = (unit[0] + unit[2]) * frame.half[0];
        v[i] = unit[1] * frame.half[1];
        float up = fabsf(unit[1]) > 0.999f ? unit[1] * 1e4f : side;
        unit[1] = is_ball ? unit[1] : up;
        set_normal(&frame, unit, normal, stride, i);
    }
}

static void face_facets(int face, const float *position, Py_ssize_t stride, Py_ssize_t count,
                        float *normal, float *u, float *v)
{
    static const int across[3] = {2, 0, 0}, along[3] = {1, 2, 1};
    int axis = face / 2;
    for (int i = 0; i < 3; i++)
        for (Py_ssize_t point = 0; point < count; point++)
            normal[i * stride + point] = i == axis ? (face % 2 ? -1.0f : 1.0f) : 0.0f;
    memcpy(u, position + across[axis] * stride, (size_t)count * sizeof(float));
    memcpy(v, position + along[axis] * stride, (size_t)count * sizeof(float));
}

/* First place in the order of surfaces for each of them; returns the number of points, or -1 if a
   surface is out of range. */
static Py_ssize_t count_surfaces(const int16_t *surface, Py_ssize_t pixels, Py_ssize_t *starts,
                                 Py_ssize_t surfaces)
{
    for (Py_ssize_t i = 0; i < pixels; i++) {
        if (surface[i] >= surfaces)
            return -1;
        if (surface[i] >= 0)
            starts[surface[i]]++;
    }
    Py_ssize_t total = 0;
    for (Py_ssize_t i = 0; i < surfaces; i++) {
        Py_ssize_t own = starts[i];
        starts[i] = total;
        total += own;
    }
    return total;
}

/* surface_points(u, v, z, surface, view, bodies, oversample, floats, surfaces, pixels): the points
   that rays hit, in the order of surfaces. floats: float32 [11, n]: position, normal, u and v on the
   surface, ray. view: float32 [12], as `place_points` takes it. */
PyObject *surface_points(PyObject *module, PyObject *args)
{
    Py_buffer u, v, z, surface, view, bodies, floats, surfaces, pixels;
    int oversample;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*iw*w*w*", &u, &v, &z, &surface, &view, &bodies,
                          &oversample, &floats, &surfaces, &pixels))
        return NULL;
    Py_ssize_t width = u.len / 4, height = v.len / 4, rows = bodies.len / (BODY * 8);
    Py_ssize_t count = surfaces.len / 2;
    int fits = z.len == width * height * 4 && surface.len == width * height * 2 && view.len == 48
               && bodies.len == rows * BODY * 8 && oversample > 0 && floats.len == count * 44
               && pixels.len == count * 4;
    Py_ssize_t *places = PyMem_Calloc((size_t)(FACES + rows + 1), sizeof(Py_ssize_t));
    const int16_t *number = surface.buf;
    if (fits && places)
        fits = count_surfaces(number, width * height, places, FACES + rows) == count;
    if (fits && places) {
        const float *of_u = u.buf, *of_v = v.buf, *depth = z.buf;
        float *position = floats.buf, *normal = position + 3 * count, *on_u = normal + 3 * count;
        float *on_v = on_u + count, *ray = on_v + count;
        int32_t *pixel = pixels.buf;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < height; row++) {
            Py_ssize_t line = row / oversample * (width / oversample);
            for (Py_ssize_t column = 0; column < width; column++) {
                Py_ssize_t at = row * width + column;
                if (number[at] < 0)
                    continue;
                Py_ssize_t place = places[number[at]]++;
                ray[place] = of_u[column];
                ray[count + place] = of_v[row];
                ray[2 * count + place] = depth[at];
                pixel[place] = (int32_t)(line + column / oversample);
            }
        }
        place_points(view.buf, position, ray, ray + count, ray + 2 * count, count);
        Py_ssize_t first = 0;
        /* By now, places are where the surfaces end. */
        for (Py_ssize_t one = 0; one < FACES + rows; first = places[one++]) {
            Py_ssize_t own = places[one] - first;
            const double *body = (const double *)bodies.buf + (one - FACES) * BODY;
            for (Py_ssize_t i = first; i < places[one]; i++)
                ((int16_t *)surfaces.buf)[i] = (int16_t)one;
            if (one < FACES) {
                face_facets((int)one, position + first, count, own, normal + first, on_u + first,
                            on_v + first);
                continue;
            }
            int is_turned = body[20] && body[0] == BOX;
            float *across = is_turned ? on_v : on_u, *along = is_turned ? on_u : on_v;
            (body[0] == BOX ? box_facets : round_facets)(body, position + first, count, own,
                                                         normal + first, across + first,
                                                         along + first);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&u);
    PyBuffer_Release(&v);
    PyBuffer_Release(&z);
    PyBuffer_Release(&surface);
    PyBuffer_Release(&view);
    PyBuffer_Release(&bodies);
    PyBuffer_Release(&floats);
    PyBuffer_Release(&surfaces);
    PyBuffer_Release(&pixels);
    int has_memory = places != NULL;
    PyMem_Free(places);
    if (!has_memory)
        return PyErr_NoMemory();
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "grid, hits, bodies and points do not fit");
    Py_RETURN_NONE;
}

/* One row of pixels: whether all rays of each hit one surface, and how many hit anything. */
static void compare_rays(const int16_t *surface, Py_ssize_t width, int oversample,
                         uint8_t *restrict is_busy, uint8_t *restrict met)
{
    Py_ssize_t stride = width * oversample;
    for (Py_ssize_t pixel = 0; pixel < width; pixel++) {
        const int16_t *own = surface + pixel * oversample;
        int count = 0, differ = 0;
        for (int y = 0; y < oversample; y++) {
            for (int x = 0; x < oversample; x++) {
                count += own[y * stride + x] >= 0;
                differ |= own[y * stride + x] != own[0];
            }
        }
        met[pixel] = (uint8_t)count;
        is_busy[pixel] = (uint8_t)(is_busy[pixel] | differ);
    }
}

/* keep_busy(surface, oversample, is_busy, met): mark pixels whose rays hit several surfaces in
   is_busy uint8 [h, w], let the rays of all others hit nothing, and count in met uint8 [h, w] how
   many hit something before. surface: int16 [h * oversample, w * oversample]. */
PyObject *keep_busy(PyObject *module, PyObject *args)
{
    Py_buffer surface, is_busy, met;
    Py_ssize_t width;
    int oversample;
    (void)module;
    if (!PyArg_ParseTuple(args, "w*niw*w*", &surface, &width, &oversample, &is_busy, &met))
        return NULL;
    int fits = oversample > 0 && oversample < 16 && width > 0 && met.len == is_busy.len
               && is_busy.len % width == 0
               && surface.len == 2 * is_busy.len * oversample * oversample;
    if (fits) {
        Py_ssize_t stride = width * oversample;
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < is_busy.len / width; row++) {
            int16_t *first = (int16_t *)surface.buf + row * oversample * stride;
            uint8_t *busy = (uint8_t *)is_busy.buf + row * width;
            compare_rays(first, width, oversample, busy, (uint8_t *)met.buf + row * width);
            for (int y = 0; y < oversample; y++)
                for (Py_ssize_t pixel = 0; pixel < width; pixel++)
                    for (int x = 0; !busy[pixel] && x < oversample; x++)
                        first[y * stride + pixel * oversample + x] = -1;
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&surface);
    PyBuffer_Release(&is_busy);
    PyBuffer_Release(&met);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "surface, is_busy and met do not fit");
    Py_RETURN_NONE;
}
