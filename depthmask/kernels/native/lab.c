#include "kernels.h"
#include <math.h>
#include <string.h>

/* All numbers are integers: see `lab.py`, which makes the tables and has the meaning of each. */
typedef struct {
    const uint16_t *linear;
    const int32_t *root;
    const uint8_t *curve;
} Tables;

typedef struct {
    int32_t l, a, b;
} Lab;

static const int32_t TO_XYZ[9] = {7110, 6164, 3110, 3484, 11717, 1183, 290, 1794, 14300};
static const int32_t TO_RGB[9] = {50462, -25185, -8893, -15094, 30736, 742, 867, -3343, 18860};

static inline int32_t clamped(int64_t value)
{
    return (int32_t)(value < 0 ? 0 : value > 65535 ? 65535 : value);
}

static inline Lab lab_of(const uint8_t *rgb, const Tables *tables)
{
    int32_t red = tables->linear[rgb[0]], green = tables->linear[rgb[1]];
    int32_t blue = tables->linear[rgb[2]], roots[3];
    for (int axis = 0; axis < 3; axis++) {
        const int32_t *row = TO_XYZ + 3 * axis;
        int64_t sum = (int64_t)red * row[0] + (int64_t)green * row[1] + (int64_t)blue * row[2];
        roots[axis] = tables->root[clamped((sum + 8192) >> 14)];
    }
    Lab lab = {116 * roots[1] - 16 * 65536, 500 * (roots[0] - roots[1]),
               200 * (roots[1] - roots[2])};
    return lab;
}

static inline int64_t cube(int64_t root)
{
    return root > 13559 ? (root * root * root) >> 32 : ((root - 9039) * 8416) >> 16;
}

static inline void rgb_of(uint8_t *rgb, int64_t l, int64_t a, int64_t b, const Tables *tables)
{
    /* 1 / 116, 1 / 500 and 1 / 200 in 2**-24. */
    int64_t y = ((l + 16 * 65536) * 144631) >> 24;
    int64_t x = y + ((a * 33554) >> 24), z = y - ((b * 83886) >> 24);
    int64_t xyz[3] = {cube(x), cube(y), cube(z)};
    for (int channel = 0; channel < 3; channel++) {
        const int32_t *row = TO_RGB + 3 * channel;
        int64_t sum = xyz[0] * row[0] + xyz[1] * row[1] + xyz[2] * row[2];
        rgb[channel] = tables->curve[clamped((sum + 8192) >> 14)];
    }
}

/* How L becomes (L - mean) * factor + l, and a and b get more. */
typedef struct {
    int64_t mean, factor, l, a, b;
} Move;

static inline void move_pixel(uint8_t *into, const uint8_t *rgb, const Move *move,
                              const Tables *tables)
{
    Lab lab = lab_of(rgb, tables);
    rgb_of(into, (((lab.l - move->mean) * move->factor) >> 16) + move->l, lab.a + move->a,
           lab.b + move->b, tables);
}

/* Pixels of a row that pass each step together. x, y, z: their linear red, green and blue, then X, Y
   and Z, then the roots of these, then the places of red, green and blue in the curve. */
#define PIXELS 32
typedef struct {
    int32_t x[PIXELS], y[PIXELS], z[PIXELS];
} Group;

/* The sums are less than 2**30, since the factors of each add up to 2**14. */
FOR_PROCESSORS
static void to_xyz(Group *group)
{
    for (int pixel = 0; pixel < PIXELS; pixel++) {
        int32_t red = group->x[pixel], green = group->y[pixel], blue = group->z[pixel];
        group->x[pixel] = (red * 7110 + green * 6164 + blue * 3110 + 8192) >> 14;
        group->y[pixel] = (red * 3484 + green * 11717 + blue * 1183 + 8192) >> 14;
        group->z[pixel] = (red * 290 + green * 1794 + blue * 14300 + 8192) >> 14;
    }
}

/* Of `count` pixels, `step` bytes apart. */
static void to_roots(Group *group, const uint8_t *rgb, Py_ssize_t step, int count,
                     const Tables *tables)
{
    for (int pixel = 0; pixel < count; pixel++, rgb += step) {
        group->x[pixel] = tables->linear[rgb[0]];
        group->y[pixel] = tables->linear[rgb[1]];
        group->z[pixel] = tables->linear[rgb[2]];
    }
    to_xyz(group);
    for (int pixel = 0; pixel < count; pixel++) {
        group->x[pixel] = tables->root[group->x[pixel]];
        group->y[pixel] = tables->root[group->y[pixel]];
        group->z[pixel] = tables->root[group->z[pixel]];
    }
}

static inline double cube_of(double root)
{
    double above = root * root * root * (1.0 / 4294967296.0);
    double below = (root - 9039.0) * (8416.0 / 65536.0);
    return floor(root > 13559.0 ? above : below);
}

/* The factors are in 2**-14. What is below 0 is cut off towards 0, and becomes 0. */
static inline int32_t level_of(double x, double y, double z, double of_x, double of_y, double of_z)
{
    int32_t level = (int32_t)(x * (of_x / 16384) + y * (of_y / 16384) + z * (of_z / 16384) + 0.5);
    level = level < 0 ? 0 : level;
    return level > 65535 ? 65535 : level;
}

/* As `move_pixel`, in float64, which holds all these numbers exactly while roots are less than
   208000. Returns 0 where one is more. */
FOR_PROCESSORS
static int to_levels(Group *group, const Move *move)
{
    double factor = (double)move->factor * (1.0 / 65536.0), of_y = 116.0 * factor;
    double middle = (1048576.0 + (double)move->mean) * factor, above = 1048576.0 + (double)move->l;
    double of_a = 500.0 * (33554.0 / 16777216.0), more_a = (double)move->a * (33554.0 / 16777216.0);
    double of_b = 200.0 * (83886.0 / 16777216.0), more_b = (double)move->b * (83886.0 / 16777216.0);
    int is_large = 0;
    for (int pixel = 0; pixel < PIXELS; pixel++) {
        double root_x = group->x[pixel], root_y = group->y[pixel], root_z = group->z[pixel];
        double moved = floor(root_y * of_y - middle) + above;
        double y = floor(moved * (144631.0 / 16777216.0));
        double x = y + floor((root_x - root_y) * of_a + more_a);
        double z = y - floor((root_y - root_z) * of_b + more_b);
        is_large |= (x > 208000.0) | (y > 208000.0) | (z > 208000.0);
        x = cube_of(x);
        y = cube_of(y);
        z = cube_of(z);
        group->x[pixel] = level_of(x, y, z, 50462.0, -25185.0, -8893.0);
        group->y[pixel] = level_of(x, y, z, -15094.0, 30736.0, 742.0);
        group->z[pixel] = level_of(x, y, z, 867.0, -3343.0, 18860.0);
    }
    return !is_large;
}

/* Whether `to_levels` can do it. */
static int is_usual(const Move *move)
{
    int64_t most = 1 << 25;
    return -most < move->mean && move->mean < most && -most < move->l && move->l < most
           && -most < move->a && move->a < most && -most < move->b && move->b < most
           && 0 <= move->factor && move->factor < 1 << 20;
}

/* Move `count` pixels where alpha is not 0, and copy the rest. is_usual: see `is_usual`. */
static void move_group(uint8_t *into, const uint8_t *from, const uint8_t *alpha, int count,
                       Group *group, const Move *move, int usual, const Tables *tables)
{
    int is_made = 0, is_visible = 0;
    memcpy(into, from, 3 * count);
    for (int pixel = 0; pixel < count; pixel++)
        is_visible |= alpha[pixel];
    if (is_visible && usual) {
        to_roots(group, from, 3, count, tables);
        is_made = to_levels(group, move);
    }
    for (int pixel = 0; is_visible && pixel < count; pixel++) {
        if (!alpha[pixel])
            continue;
        if (is_made) {
            into[3 * pixel] = tables->curve[group->x[pixel]];
            into[3 * pixel + 1] = tables->curve[group->y[pixel]];
            into[3 * pixel + 2] = tables->curve[group->z[pixel]];
        } else
            move_pixel(into + 3 * pixel, from + 3 * pixel, move, tables);
    }
}

/* count, L, L * L, a and b, of pixels. */
typedef struct {
    int64_t count, l, squares, a, b;
} Sums;

/* Add the pixels of a group whose mask is -1; that of the others is 0. */
FOR_PROCESSORS
static void add_levels(Sums *sums, const Group *group, const int32_t *masks)
{
    int32_t l = 0, a = 0, b = 0;
    int64_t squares = 0;
    for (int pixel = 0; pixel < PIXELS; pixel++) {
        int32_t x = group->x[pixel], y = group->y[pixel], z = group->z[pixel];
        int32_t level = ((116 * y - 16 * 65536) >> 8) & masks[pixel];
        l += level;
        squares += (int64_t)level * level;
        a += ((500 * (x - y)) >> 8) & masks[pixel];
        b += ((200 * (y - z)) >> 8) & masks[pixel];
    }
    sums->l += l;
    sums->squares += squares;
    sums->a += a;
    sums->b += b;
}

/* Add `count` pixels, `across` apart, whose alpha is `least` or more; alpha may be NULL. */
static void add_group(Sums *sums, const uint8_t *rgb, const uint8_t *alpha, Py_ssize_t least,
                      Py_ssize_t across, int count, Group *group, const Tables *tables)
{
    int solid = 0;
    int32_t masks[PIXELS] = {0};
    for (int pixel = 0; pixel < count; pixel++) {
        masks[pixel] = -(!alpha || alpha[across * pixel] >= least);
        solid -= masks[pixel];
    }
    if (!solid)
        return;
    to_roots(group, rgb, 3 * across, count, tables);
    add_levels(sums, group, masks);
    sums->count += solid;
}

/* lab_sums(rgb, alpha, least, down, across, linear, root) -> (count, l, l * l, a, b): of every
   `down`-th row and `across`-th column, where alpha is `least` or more; alpha may be None. */
PyObject *lab_sums(PyObject *module, PyObject *args)
{
    PyObject *of_rgb, *of_alpha, *result = NULL;
    Py_buffer linear, root;
    Picture rgb, alpha = {0};
    Py_ssize_t least, down, across;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOnnny*y*", &of_rgb, &of_alpha, &least, &down, &across, &linear,
                          &root))
        return NULL;
    int has_alpha = of_alpha != Py_None;
    if (!open_picture(of_rgb, &rgb, 3, 1, 0))
        goto end;
    if (has_alpha && !open_picture(of_alpha, &alpha, 0, 1, 0)) {
        close_picture(&rgb);
        goto end;
    }
    int fits = down > 0 && across > 0 && linear.len == 512 && root.len == 4 * 65536
               && (!has_alpha || (alpha.height == rgb.height && alpha.width == rgb.width));
    Sums sums = {0};
    if (fits) {
        Tables tables = {linear.buf, root.buf, NULL};
        Group group = {0};
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rgb.height; row += down)
            for (Py_ssize_t left = 0; left < rgb.width; left += PIXELS * across) {
                Py_ssize_t count = (rgb.width - left + across - 1) / across;
                add_group(&sums, rgb.data + row * rgb.stride + 3 * left,
                          has_alpha ? alpha.data + row * alpha.stride + left : NULL, least, across,
                          count < PIXELS ? (int)count : PIXELS, &group, &tables);
            }
        Py_END_ALLOW_THREADS
        result = Py_BuildValue("LLLLL", (long long)sums.count, (long long)sums.l,
                               (long long)sums.squares, (long long)sums.a, (long long)sums.b);
    } else
        PyErr_SetString(PyExc_ValueError, "rgb, alpha, steps or tables do not fit");
    if (has_alpha)
        close_picture(&alpha);
    close_picture(&rgb);
end:
    PyBuffer_Release(&linear);
    PyBuffer_Release(&root);
    return result;
}

/* moved_in_lab(rgb, alpha, target, (mean, factor, l, a, b), linear, root, curve) */
PyObject *moved_in_lab(PyObject *module, PyObject *args)
{
    PyObject *of_rgb, *of_alpha, *of_target, *result = NULL;
    Py_buffer linear, root, curve;
    Picture rgb, alpha, target;
    long long mean, factor, l, a, b;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO(LLLLL)y*y*y*", &of_rgb, &of_alpha, &of_target, &mean, &factor,
                          &l, &a, &b, &linear, &root, &curve))
        return NULL;
    if (!open_picture(of_rgb, &rgb, 3, 1, 0))
        goto end;
    if (!open_picture(of_alpha, &alpha, 0, 1, 0)) {
        close_picture(&rgb);
        goto end;
    }
    if (!open_picture(of_target, &target, 3, 1, 1)) {
        close_picture(&alpha);
        close_picture(&rgb);
        goto end;
    }
    int fits = alpha.height == rgb.height && alpha.width == rgb.width && linear.len == 512
               && target.height == rgb.height && target.width == rgb.width
               && root.len == 4 * 65536 && curve.len == 65536;
    if (fits) {
        Tables tables = {linear.buf, root.buf, curve.buf};
        Move move = {mean, factor, l, a, b};
        Group group = {0};
        int usual = is_usual(&move);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t row = 0; row < rgb.height; row++)
            for (Py_ssize_t left = 0; left < rgb.width; left += PIXELS) {
                Py_ssize_t count = rgb.width - left;
                move_group(target.data + row * target.stride + 3 * left,
                           rgb.data + row * rgb.stride + 3 * left,
                           alpha.data + row * alpha.stride + left,
                           count < PIXELS ? (int)count : PIXELS, &group, &move, usual, &tables);
            }
        Py_END_ALLOW_THREADS
        result = Py_None;
        Py_INCREF(result);
    } else
        PyErr_SetString(PyExc_ValueError, "rgb, alpha, target or tables do not fit");
    close_picture(&target);
    close_picture(&alpha);
    close_picture(&rgb);
end:
    PyBuffer_Release(&linear);
    PyBuffer_Release(&root);
    PyBuffer_Release(&curve);
    return result;
}
