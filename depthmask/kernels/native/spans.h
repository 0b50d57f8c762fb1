/* Where rays enter and leave bodies, for REAL = float or double. Included twice by rays.c.

   The bodies are the unit box, the unit ball, and the tapered cylinder between y = -1 and 1. All
   loops are over lanes of side-by-side rays; each operation is that of rays.py, in its order. */

#define LESSER(x, y) ((x) < (y) ? (x) : (y))
#define GREATER(x, y) ((x) > (y) ? (x) : (y))

/* Where a ray is inside. */
typedef struct {
    REAL low, high;
    int is_missed;
} NAME(Span);

/* Between -1 and 1 along one axis. A ray along the slab misses it. */
ALWAYS_INLINE NAME(Span) NAME(slab)(REAL start, REAL ray)
{
    REAL size = ABSOLUTE(ray);
    REAL reach = (REAL)1 / GREATER(size, (REAL)LEAST);
    REAL middle = -start * WITH_SIGN(reach, ray);
    NAME(Span) result = {middle - reach, middle + reach, !(size > (REAL)LEAST)};
    return result;
}

/* Between the solutions of a t^2 + 2 b t + c = 0. */
ALWAYS_INLINE NAME(Span) NAME(roots)(REAL a, REAL b, REAL c)
{
    REAL square = b * b - a * c;
    REAL root = ROOT(GREATER(square, (REAL)0));
    REAL first = (-b - root) / a, second = (-b + root) / a;
    NAME(Span) result = {LESSER(first, second), GREATER(first, second), (square < 0) | (a == 0)};
    return result;
}

ALWAYS_INLINE NAME(Span) NAME(box_span)(const REAL *start, const REAL *ray)
{
    NAME(Span) all = NAME(slab)(start[0], ray[0]);
    for (int axis = 1; axis < 3; axis++) {
        NAME(Span) one = NAME(slab)(start[axis], ray[axis]);
        all.low = GREATER(all.low, one.low);
        all.high = LESSER(all.high, one.high);
        all.is_missed |= one.is_missed;
    }
    return all;
}

ALWAYS_INLINE NAME(Span) NAME(ball_span)(const REAL *start, const REAL *ray)
{
    REAL a = ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2];
    REAL b = start[0] * ray[0] + start[1] * ray[1] + start[2] * ray[2];
    REAL c = start[0] * start[0] + start[1] * start[1] + start[2] * start[2] - (REAL)1;
    return NAME(roots)(a, b, c);
}

/* middle, slope: the radius at height y is middle + slope * y. */
ALWAYS_INLINE NAME(Span) NAME(round_span)(const REAL *start, const REAL *ray, REAL middle,
                                          REAL slope)
{
    REAL radius = middle + slope * start[1];
    REAL rise = slope * ray[1];
    REAL a = ray[0] * ray[0] + ray[2] * ray[2] - rise * rise;
    REAL b = start[0] * ray[0] + start[2] * ray[2] - rise * radius;
    REAL c = start[0] * start[0] + start[2] * start[2] - radius * radius;
    NAME(Span) two = NAME(roots)(a, b, c), caps = NAME(slab)(start[1], ray[1]);
    REAL near = GREATER(two.low, caps.low), far = LESSER(two.high, caps.high);
    /* Steeper than the cone's side: inside before the first root and after the second, on two
       nappes of which the caps cut one. */
    int is_steep = a < 0, is_lower = two.is_missed | (caps.low <= two.low);
    REAL past = GREATER(caps.low, two.high), until = LESSER(two.low, caps.high);
    REAL steep_near = is_lower ? caps.low : past;
    REAL steep_far = (is_lower & !two.is_missed) ? until : caps.high;
    NAME(Span) result = {is_steep ? steep_near : near, is_steep ? steep_far : far,
                         caps.is_missed | (two.is_missed & !is_steep)};
    return result;
}

/* The parameters where `count` rays meet a body from outside and ahead; infinity where they don't.
   They all begin at `start`; a ray is across[i] * u + line[i]. */
FOR_PROCESSORS
static void NAME(enter)(int kind, double taper, const REAL *start, const REAL *across,
                        const REAL *line, const REAL *restrict u, Py_ssize_t count,
                        REAL *restrict result)
{
    REAL middle = (REAL)((1 + taper) / 2), slope = (REAL)((taper - 1) / 2);
    REAL s[3] = {start[0], start[1], start[2]};
    REAL m[3] = {across[0], across[1], across[2]}, l[3] = {line[0], line[1], line[2]};
#define EACH_RAY(SPAN)                                                                             \
    for (Py_ssize_t i = 0; i < count; i++) {                                                       \
        REAL ray[3] = {m[0] * u[i] + l[0], m[1] * u[i] + l[1], m[2] * u[i] + l[2]};                \
        NAME(Span) one = SPAN;                                                                     \
        int is_hit = (one.low <= one.high) & (one.low > 0) & !one.is_missed;                       \
        result[i] = is_hit ? one.low : (REAL)INFINITY;                                             \
    }
    if (kind == BOX)
        EACH_RAY(NAME(box_span)(s, ray))
    else if (kind == BALL)
        EACH_RAY(NAME(ball_span)(s, ray))
    else
        EACH_RAY(NAME(round_span)(s, ray, middle, slope))
#undef EACH_RAY
}

/* Put a body in front of what was hit before. */
FOR_PROCESSORS
static void NAME(put_in_front)(const REAL *restrict entered, int16_t number, Py_ssize_t count,
                               REAL *restrict z, int16_t *restrict surface)
{
    /* Two loops, which compilers turn into masks instead of branches. */
    for (Py_ssize_t i = 0; i < count; i++) {
        int16_t is_first = (int16_t)-(entered[i] < z[i]);
        surface[i] = (int16_t)((number & is_first) | (surface[i] & ~is_first));
    }
    for (Py_ssize_t i = 0; i < count; i++)
        z[i] = LESSER(entered[i], z[i]);
}

/* Where rays from inside leave the box, and its face there: 2 * axis, and 1 more at the upper end. */
FOR_PROCESSORS
static void NAME(leave)(const REAL *start, const REAL *across, const REAL *line,
                        const REAL *restrict u, Py_ssize_t count, REAL *restrict left,
                        REAL *restrict z, int16_t *restrict surface)
{
    for (int axis = 0; axis < 3; axis++) {
        REAL s = start[axis], m = across[axis], l = line[axis];
        for (Py_ssize_t i = 0; i < count; i++)
            left[i] = NAME(slab)(s, m * u[i] + l).high;
        for (Py_ssize_t i = 0; i < count; i++) {
            int16_t is_first = (int16_t)-(left[i] < z[i]);
            int16_t face = (int16_t)(2 * axis + (m * u[i] + l > 0));
            surface[i] = (int16_t)((face & is_first) | (surface[i] & ~is_first));
        }
        for (Py_ssize_t i = 0; i < count; i++)
            z[i] = LESSER(left[i], z[i]);
    }
}

/* All rays of a grid, for all bodies. frames: rows of FRAME numbers. */
static void NAME(cast)(const REAL *u, const REAL *v, Py_ssize_t width, Py_ssize_t height,
                       const double *frames, const int32_t *windows, const int16_t *numbers,
                       Py_ssize_t bodies, const double *shell, REAL *z, int16_t *surface,
                       REAL *entered)
{
    for (Py_ssize_t body = -1; body < bodies; body++) {
        const double *frame = body < 0 ? shell : frames + body * FRAME;
        if (!frame)
            continue;
        REAL start[3], across[3], down[3], rest[3];
        for (int i = 0; i < 3; i++) {
            start[i] = (REAL)frame[2 + i];
            across[i] = (REAL)frame[5 + 3 * i];
            down[i] = (REAL)frame[6 + 3 * i];
            rest[i] = (REAL)frame[7 + 3 * i];
        }
        const int32_t whole[4] = {0, (int32_t)height, 0, (int32_t)width};
        const int32_t *window = body < 0 ? whole : windows + 4 * body;
        Py_ssize_t count = window[3] - window[2];
        for (Py_ssize_t row = window[0]; row < window[1]; row++) {
            Py_ssize_t first = row * width + window[2];
            REAL line[3];
            for (int i = 0; i < 3; i++)
                line[i] = down[i] * v[row] + rest[i];
            if (body < 0) {
                NAME(leave)(start, across, line, u, count, entered, z + first, surface + first);
                continue;
            }
            NAME(enter)((int)frame[0], frame[1], start, across, line, u + window[2], count, entered);
            NAME(put_in_front)(entered, numbers[body], count, z + first, surface + first);
        }
    }
}
