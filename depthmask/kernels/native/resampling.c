/* Lanczos as in Pillow's Resample.c (https://github.com/python-pillow/Pillow, HPND, see NOTICE): the
   same coefficients, of 22 bits, and the same order: across, rounded to bytes, then down. */
#include "kernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BITS 22
#define HALF (1 << (BITS - 1))
#define SUPPORT 3.0
/* Bytes that are made at a time, and that are compared at a time. */
#define LANES 16
#define GROUP 32
/* More would not fit into 32 bits, or into memory. */
#define MOST 65535

/* The weights of one direction. first, count: of the source pixels of each target pixel. weights:
   `span` for each target pixel, 0 after the last. most: of the counts. keeps_levels: whether they
   make a level of nothing but that level. */
typedef struct {
    int32_t *first, *count, *weights;
    Py_ssize_t span;
    int32_t most;
    int keeps_levels;
} Weights;

static double lanczos(double x)
{
    if (x < -SUPPORT || x >= SUPPORT)
        return 0.0;
    if (x == 0.0)
        return 1.0;
    double one = x * 3.14159265358979323846, third = x / 3 * 3.14159265358979323846;
    return sin(one) / one * (sin(third) / third);
}

/* `lanczos` within 1e-13, in a tenth of the time: sin(t) by its series up to t**19, for a third of
   the angle, and sin(3 * t) = 3 * sin(t) - 4 * sin(t)**3. The smallest number makes 0 / 0 a 1. */
static inline double nearly_lanczos(double x)
{
    double size = x < 0 ? -x : x, t = size * (3.14159265358979323846 / 3);
    double rest = 3.14159265358979323846 - t, angle = t < rest ? t : rest;
    double square = angle * angle, sum = -1.0 / 121645100408832000.0;
    sum = sum * square + 1.0 / 355687428096000.0;
    sum = sum * square - 1.0 / 1307674368000.0;
    sum = sum * square + 1.0 / 6227020800.0;
    sum = sum * square - 1.0 / 39916800.0;
    sum = sum * square + 1.0 / 362880.0;
    sum = sum * square - 1.0 / 5040.0;
    sum = sum * square + 1.0 / 120.0;
    sum = sum * square - 1.0 / 6.0;
    double sine = (sum * square + 1.0) * angle, ratio = (sine + 1e-300) / (t + 1e-300);
    double value = ratio * ratio * (1.0 - 4.0 / 3.0 * sine * sine);
    return size < SUPPORT ? value : 0.0;
}

/* The taps of one target pixel: source pixels from `first` on, around `centre`. */
typedef struct {
    Py_ssize_t first, count;
    double centre, inverse;
} Taps;

/* The weights of taps, by `nearly_lanczos`; 0 if one lies so close to a half that only `lanczos`
   can tell how it is rounded. values: room for `span` of them. */
FOR_PROCESSORS
static int round_nearly(int32_t *restrict weights, double *restrict values, const Taps *taps)
{
    int32_t count = (int32_t)taps->count, first = (int32_t)taps->first, is_close = 0;
    /* In groups of four, so that none is left over from a vector. */
    int32_t all = (count + 3) / 4 * 4;
    double centre = taps->centre, inverse = taps->inverse, total = 0.0;
    for (int32_t tap = 0; tap < all; tap++) {
        double value = nearly_lanczos(((double)(tap + first) - centre + 0.5) * inverse);
        values[tap] = tap < count ? value : 0.0;
    }
    for (int32_t tap = 0; tap < count; tap++)
        total += values[tap];
    double factor = (1 << BITS) / total;
    for (int32_t tap = 0; tap < all; tap++) {
        double weight = values[tap] * factor, size = (weight < 0 ? -weight : weight) + 0.5;
        int32_t whole = (int32_t)size;
        double above = size - whole;
        is_close |= (above < 1e-5) | (above > 1.0 - 1e-5);
        weights[tap] = weight < 0 ? -whole : whole;
    }
    return total > 0.5 && !is_close;
}

static void round_exactly(int32_t *weights, double *values, const Taps *taps)
{
    double total = 0.0;
    for (Py_ssize_t tap = 0; tap < taps->count; tap++) {
        values[tap] = lanczos(((double)(tap + taps->first) - taps->centre + 0.5) * taps->inverse);
        total += values[tap];
    }
    for (Py_ssize_t tap = 0; tap < taps->count; tap++) {
        double weight = (total != 0.0 ? values[tap] / total : values[tap]) * (1 << BITS);
        weights[tap] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
}

static void free_weights(Weights *weights)
{
    free(weights->first);
    free(weights->count);
    free(weights->weights);
}

/* Up to this size, the centres of two mirrored pixels are mirrored within 1e-12, which moves a weight
   by less than what `round_nearly` takes for close. */
#define MOST_MIRRORED 2048

/* Whether `pixel` has the taps of the earlier pixel `other`, mirrored; then it gets its weights. */
static int mirror_weights(Weights *weights, Py_ssize_t pixel, Py_ssize_t other, const Taps *taps,
                          Py_ssize_t source)
{
    Py_ssize_t count = taps->count;
    const int32_t *from = weights->weights + weights->span * other;
    int32_t *into = weights->weights + weights->span * pixel;
    if (source - weights->first[other] - count != taps->first || weights->count[other] != count)
        return 0;
    for (Py_ssize_t tap = 0; tap < count; tap++)
        into[tap] = from[count - 1 - tap];
    return 1;
}

/* The weights of target pixels start..stop of `target`, for source pixels begin..end of `source`.
   Returns 0 if there is no memory. */
static int make_weights(Weights *weights, Py_ssize_t source, float begin, float end,
                        Py_ssize_t target, Py_ssize_t start, Py_ssize_t stop)
{
    double scale = (double)(end - begin) / (double)target;
    double filter_scale = scale < 1.0 ? 1.0 : scale;
    double support = SUPPORT * filter_scale;
    Py_ssize_t most = (Py_ssize_t)ceil(support) * 2 + 1, count = stop - start;
    weights->span = (most + 7) / 8 * 8;
    weights->most = 0;
    weights->keeps_levels = 1;
    weights->first = malloc(count * sizeof(int32_t));
    weights->count = malloc(count * sizeof(int32_t));
    weights->weights = calloc(count * weights->span, sizeof(int32_t));
    double *values = malloc(weights->span * sizeof(double));
    uint8_t *is_exact = calloc(1, count);
    if (!weights->first || !weights->count || !weights->weights || !values || !is_exact) {
        free_weights(weights);
        free(values);
        free(is_exact);
        return 0;
    }
    int is_even = begin == 0 && end == (float)source && source <= MOST_MIRRORED;
    for (Py_ssize_t pixel = start; pixel < stop; pixel++) {
        double centre = begin + ((double)pixel + 0.5) * scale;
        Py_ssize_t first = (Py_ssize_t)(centre - support + 0.5);
        Py_ssize_t last = (Py_ssize_t)(centre + support + 0.5);
        first = first < 0 ? 0 : first;
        last = last > source ? source : last;
        int32_t *own = weights->weights + (pixel - start) * weights->span;
        Taps taps = {first, last > first ? last - first : 0, centre, 1.0 / filter_scale};
        Py_ssize_t other = target - 1 - pixel - start;
        int is_mirrored = is_even && other >= 0 && other < pixel - start && !is_exact[other]
                          && mirror_weights(weights, pixel - start, other, &taps, source);
        if (!is_mirrored && !round_nearly(own, values, &taps)) {
            round_exactly(own, values, &taps);
            is_exact[pixel - start] = 1;
        }
        int64_t sum = 0;
        for (Py_ssize_t tap = 0; tap < taps.count; tap++)
            sum += own[tap];
        weights->keeps_levels &= llabs(sum - (1 << BITS)) < HALF / 256;
        weights->first[pixel - start] = (int32_t)first;
        weights->count[pixel - start] = (int32_t)taps.count;
        weights->most = taps.count > weights->most ? (int32_t)taps.count : weights->most;
    }
    free(values);
    free(is_exact);
    return 1;
}

static inline uint8_t clipped(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Down: the weighted sum of `taps` rows that lie `stride` apart, at bytes begin..end. */
static void down_plain(uint8_t *restrict target, const uint8_t *restrict rows, Py_ssize_t stride,
                       const int32_t *restrict weights, int32_t taps, Py_ssize_t begin,
                       Py_ssize_t end)
{
    for (Py_ssize_t byte = begin; byte < end; byte++) {
        int32_t sum = HALF;
        for (int32_t tap = 0; tap < taps; tap++)
            sum += rows[tap * stride + byte] * weights[tap];
        target[byte] = clipped(sum >> BITS);
    }
}

/* Rows that are made at once. Where there are fewer, the last is made more than once. After the last
   pixel of `from`, `span` pixels may be read. */
#define ROWS 4
typedef struct {
    const uint8_t *from[ROWS];
    uint8_t *into[ROWS];
} RowsAcross;

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* As `down_plain`, in groups of 16 bytes; returns how many bytes are made. GCC makes no vectors of
   the plain loop. */
__attribute__((target("avx2")))
static Py_ssize_t down_avx2(uint8_t *restrict target, const uint8_t *restrict rows,
                            Py_ssize_t stride, const int32_t *restrict weights, int32_t taps,
                            Py_ssize_t bytes)
{
    Py_ssize_t byte = 0;
    for (; byte + LANES <= bytes; byte += LANES) {
        __m256i low = _mm256_set1_epi32(HALF), high = low;
        const uint8_t *source = rows + byte;
        for (int32_t tap = 0; tap < taps; tap++, source += stride) {
            __m256i weight = _mm256_set1_epi32(weights[tap]);
            __m256i first = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)source));
            __m256i second = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(source + 8)));
            low = _mm256_add_epi32(low, _mm256_mullo_epi32(first, weight));
            high = _mm256_add_epi32(high, _mm256_mullo_epi32(second, weight));
        }
        __m256i words = _mm256_packs_epi32(_mm256_srai_epi32(low, BITS),
                                           _mm256_srai_epi32(high, BITS));
        words = _mm256_permute4x64_epi64(words, 0xD8);
        __m128i made = _mm_packus_epi16(_mm256_castsi256_si128(words),
                                        _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((__m128i *)(target + byte), made);
    }
    return byte;
}

/* Of four rows, the sums of one pixel become bytes: of one channel one each, else four each. */
#define SUMS_OF_ROWS(step, load)                                                                 \
    for (int32_t tap = 0; tap < taps; tap += step) {                                             \
        __m256i own = load;                                                                      \
        for (int line = 0; line < ROWS; line++) {                                                \
            const uint8_t *source = rows->from[line] + at + channels * tap;                      \
            __m128i bytes = _mm_loadl_epi64((const __m128i *)source);                            \
            bytes = channels == 3 ? _mm_shuffle_epi8(bytes, apart) : bytes;                      \
            __m256i products = _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), own);             \
            sums[line] = _mm256_add_epi32(sums[line], products);                                 \
        }                                                                                        \
    }

/* As `across_plain`: eight taps at a time of one channel, else two; weights after the last are 0. */
__attribute__((target("avx2"), always_inline))
static inline void across_avx2(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                               Py_ssize_t end, int channels)
{
    const __m256i twice = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    const __m128i apart = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    /* As many for each pixel, or the processor would guess wrong. */
    int32_t taps = across->most;
    for (Py_ssize_t pixel = begin; pixel < end; pixel++) {
        Py_ssize_t at = channels * (Py_ssize_t)across->first[pixel];
        const int32_t *weights = across->weights + across->span * pixel;
        __m256i sums[ROWS];
        for (int line = 0; line < ROWS; line++)
            sums[line] = _mm256_setzero_si256();
        if (channels == 1) {
            SUMS_OF_ROWS(8, _mm256_loadu_si256((const __m256i *)(weights + tap)))
        } else {
            SUMS_OF_ROWS(2, _mm256_permutevar8x32_epi32(
                _mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)(weights + tap))), twice))
        }
        const __m256i half = _mm256_set1_epi32(HALF);
        __m256i words;
        if (channels == 1) {
            __m256i pairs = _mm256_hadd_epi32(sums[0], sums[1]);
            pairs = _mm256_hadd_epi32(pairs, _mm256_hadd_epi32(sums[2], sums[3]));
            pairs = _mm256_add_epi32(pairs, _mm256_permute2x128_si256(pairs, pairs, 1));
            pairs = _mm256_srai_epi32(_mm256_add_epi32(pairs, half), BITS);
            words = _mm256_packs_epi32(pairs, pairs);
        } else {
            __m256i two[2];
            for (int pair = 0; pair < 2; pair++) {
                __m256i first = sums[2 * pair], second = sums[2 * pair + 1];
                two[pair] = _mm256_add_epi32(_mm256_permute2x128_si256(first, second, 0x20),
                                             _mm256_permute2x128_si256(first, second, 0x31));
                two[pair] = _mm256_srai_epi32(_mm256_add_epi32(two[pair], half), BITS);
            }
            words = _mm256_permute4x64_epi64(_mm256_packs_epi32(two[0], two[1]), 0xD8);
        }
        uint8_t made[LANES];
        __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words),
                                         _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((__m128i *)made, bytes);
        for (int line = 0; line < ROWS; line++)
            memcpy(rows->into[line] + channels * pixel, made + (channels == 1 ? line : 4 * line),
                   channels);
    }
}

/* The number of channels is a constant in each, so that the loops are unrolled. */
__attribute__((target("avx2")))
static void across_levels_avx2(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                               Py_ssize_t end)
{
    across_avx2(rows, across, begin, end, 1);
}

__attribute__((target("avx2")))
static void across_rgb_avx2(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                            Py_ssize_t end)
{
    across_avx2(rows, across, begin, end, 3);
}

__attribute__((target("avx2")))
static void across_rgba_avx2(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                             Py_ssize_t end)
{
    across_avx2(rows, across, begin, end, 4);
}
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define down_avx2(target, rows, stride, weights, taps, bytes) 0
#define across_levels_avx2(rows, across, begin, end) (void)0
#define across_rgb_avx2(rows, across, begin, end) (void)0
#define across_rgba_avx2(rows, across, begin, end) (void)0
#define HAS_AVX2 0
#endif

static void down(uint8_t *target, const uint8_t *rows, Py_ssize_t stride, const int32_t *weights,
                 int32_t taps, Py_ssize_t bytes)
{
    Py_ssize_t begin = HAS_AVX2 ? down_avx2(target, rows, stride, weights, taps, bytes) : 0;
    down_plain(target, rows, stride, weights, taps, begin, bytes);
}

/* Across: the target pixels begin..end of rows. */
static void across_plain(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                         Py_ssize_t end, int channels)
{
    for (int line = 0; line < ROWS; line++)
        for (Py_ssize_t pixel = begin; pixel < end; pixel++)
            down_plain(rows->into[line] + channels * pixel,
                       rows->from[line] + channels * (Py_ssize_t)across->first[pixel], channels,
                       across->weights + across->span * pixel, across->count[pixel], 0, channels);
}

static void across_pixels(const RowsAcross *rows, const Weights *across, Py_ssize_t begin,
                          Py_ssize_t end, int channels)
{
    if (!HAS_AVX2)
        across_plain(rows, across, begin, end, channels);
    else if (channels == 1)
        across_levels_avx2(rows, across, begin, end);
    else if (channels == 3)
        across_rgb_avx2(rows, across, begin, end);
    else
        across_rgba_avx2(rows, across, begin, end);
}

typedef struct {
    const uint8_t *data;
    Py_ssize_t height, width, row, pixel;
    int channels;
} Source;

/* Bytes of a row of the source. */
static void copy_bytes(uint8_t *restrict target, const Source *source, Py_ssize_t row,
                       Py_ssize_t left, Py_ssize_t bytes)
{
    const uint8_t *from = source->data + row * source->row + left * source->pixel;
    if (source->pixel == source->channels)
        memcpy(target, from, bytes);
    else
        for (Py_ssize_t pixel = 0; pixel < bytes; pixel++)
            target[pixel] = from[pixel * source->pixel];
}

typedef struct {
    Py_ssize_t begin, end;
} Span;

/* The pixels of a row from the first to the last that is not black. */
static Span not_black(const uint8_t *row, Py_ssize_t width, int channels)
{
    Py_ssize_t begin = 0, end = width * channels;
    uint64_t eight;
    for (; begin + 8 <= end && (memcpy(&eight, row + begin, 8), eight == 0); begin += 8)
        ;
    for (; begin + 8 <= end && (memcpy(&eight, row + end - 8, 8), eight == 0); end -= 8)
        ;
    Span span = {begin / channels, (end + channels - 1) / channels};
    return span;
}

/* For each source pixel, which target pixels are made of both it and the one before it. Most of a
   cut-out's alpha is 0 or 255, and where one level is all there is, that becomes the target's. */
static void make_edges(Span *edges, const Weights *across, Py_ssize_t source, Py_ssize_t width)
{
    Span span = {0, 0};
    for (Py_ssize_t column = 0; column < source; column++) {
        while (span.begin < width
               && across->first[span.begin] + across->count[span.begin] <= column)
            span.begin++;
        while (span.end < width && across->first[span.end] < column)
            span.end++;
        edges[column] = span;
    }
}

/* Where a row has another level than in the column before: bits that are not 0, of any of four rows. */
FOR_PROCESSORS
static void find_changes(uint8_t *restrict changes, const RowsAcross *rows, Py_ssize_t source)
{
    const uint8_t *first = rows->from[0], *second = rows->from[1];
    const uint8_t *third = rows->from[2], *fourth = rows->from[3];
    for (Py_ssize_t column = 1; column < source; column++)
        changes[column] = (first[column] ^ first[column - 1]) | (second[column] ^ second[column - 1])
                          | (third[column] ^ third[column - 1])
                          | (fourth[column] ^ fourth[column - 1]);
}

static inline uint64_t eight_at(const uint8_t *bytes)
{
    uint64_t eight;
    memcpy(&eight, bytes, sizeof eight);
    return eight;
}

/* The next eight columns, from `column` on, with a change. changes: zeros follow it. */
static inline Py_ssize_t next_change(const uint8_t *changes, Py_ssize_t column, Py_ssize_t source)
{
    for (; column < source && !eight_at(changes + column); column += 8)
        ;
    return column;
}

/* The first and the last of eight bytes that is not 0, as they lie in memory; one is not. */
static inline Span ends_of(uint64_t eight)
{
    Py_ssize_t low = __builtin_ctzll(eight) / 8, high = 7 - __builtin_clzll(eight) / 8;
    Span span = {PY_LITTLE_ENDIAN ? low : 7 - high, PY_LITTLE_ENDIAN ? high : 7 - low};
    return span;
}

/* Target pixels begin..end become the level before `column`. */
static void fill(const RowsAcross *rows, Py_ssize_t column, Py_ssize_t begin, Py_ssize_t end)
{
    for (int line = 0; line < ROWS && begin < end; line++)
        memset(rows->into[line] + begin, rows->from[line][column - 1], end - begin);
}

/* Rows of one channel: by the weights between the first and the last change of eight columns, and
   around them, else by copying. changes: room for the columns of the source, and zeros after it. */
static void across_levels(const RowsAcross *rows, const Weights *across, const Span *edges,
                          uint8_t *changes, Py_ssize_t source, Py_ssize_t width)
{
    Span soft = {0, 0};
    find_changes(changes, rows, source);
    for (Py_ssize_t column = 0; (column = next_change(changes, column, source)) < source;
         column += 8) {
        Span ends = ends_of(eight_at(changes + column));
        Span edge = {edges[column + ends.begin].begin, edges[column + ends.end].end};
        if (edge.begin > soft.end) {
            across_pixels(rows, across, soft.begin, soft.end, 1);
            fill(rows, column + ends.begin, soft.end, edge.begin);
            soft = edge;
        }
        soft.end = edge.end > soft.end ? edge.end : soft.end;
    }
    across_pixels(rows, across, soft.begin, soft.end, 1);
    fill(rows, source, soft.end, width);
}

/* Rows of several channels: 0 where all is black. Cut-outs have much of that. */
static void across_colours(const RowsAcross *rows, const Weights *across, Py_ssize_t source,
                           Py_ssize_t width, int channels)
{
    Span span = not_black(rows->from[0], source, channels);
    for (int line = 1; line < ROWS; line++) {
        Span other = not_black(rows->from[line], source, channels);
        span.begin = other.begin < span.begin ? other.begin : span.begin;
        span.end = other.end > span.end ? other.end : span.end;
    }
    Py_ssize_t begin = 0, end = width;
    for (; begin < width && across->first[begin] + across->count[begin] <= span.begin; begin++)
        ;
    for (; end > begin && across->first[end - 1] >= span.end; end--)
        ;
    across_pixels(rows, across, begin, end, channels);
    for (int line = 0; line < ROWS; line++) {
        memset(rows->into[line], 0, begin * channels);
        memset(rows->into[line] + end * channels, 0, (width - end) * channels);
    }
}

/* A row of the source, with so many more pixels that may be read: itself, or a copy if its values lie
   apart, or nothing follows it. */
static const uint8_t *readable_row(uint8_t *copy, const Source *source, Py_ssize_t row,
                                   Py_ssize_t more)
{
    Py_ssize_t bytes = source->width * source->channels;
    Py_ssize_t left = (source->height - 1 - row) * source->row + bytes;
    if (source->pixel == source->channels && left >= bytes + more * source->channels)
        return source->data + row * source->row;
    copy_bytes(copy, source, row, 0, bytes);
    return copy;
}

/* Rows begin..end of the source, across, one after another; returns 0 if there is no memory. */
static int across_rows(uint8_t *between, const Source *source, const Weights *across,
                       Py_ssize_t begin, Py_ssize_t end, Py_ssize_t width)
{
    int channels = source->channels;
    Py_ssize_t room = (source->width + across->span) * channels, bytes = width * channels;
    uint8_t *copies = calloc(ROWS, room), *changes = calloc(1, source->width + 8);
    Span *edges = malloc(source->width * sizeof(Span));
    int is_made = copies && changes && edges;
    if (is_made && channels == 1)
        make_edges(edges, across, source->width, width);
    for (Py_ssize_t line = begin; is_made && line < end; line += ROWS) {
        RowsAcross rows;
        for (int row = 0; row < ROWS; row++) {
            Py_ssize_t own = line + row < end ? line + row : end - 1;
            rows.from[row] = readable_row(copies + room * row, source, own, across->span);
            rows.into[row] = between + bytes * (own - begin);
        }
        if (channels > 1)
            across_colours(&rows, across, source->width, width, channels);
        else if (across->keeps_levels)
            across_levels(&rows, across, edges, changes, source->width, width);
        else
            across_pixels(&rows, across, 0, width, 1);
    }
    free(copies);
    free(changes);
    free(edges);
    return is_made;
}

/* How many rows before each row are as it is, in each group of bytes, and where it is not black. */
typedef struct {
    uint16_t *same;
    Span *spans;
} Rows;

static int make_rows(Rows *rows, const uint8_t *between, Py_ssize_t height, Py_ssize_t width,
                     int channels)
{
    Py_ssize_t bytes = width * channels, groups = channels == 1 ? bytes / GROUP : 0;
    rows->same = calloc(height * groups + 1, sizeof(uint16_t));
    rows->spans = malloc(height * sizeof(Span));
    if (!rows->same || !rows->spans)
        return 0;
    for (Py_ssize_t row = 0; row < height; row++, between += bytes) {
        if (channels > 1)
            rows->spans[row] = not_black(between, width, channels);
        uint16_t *same = rows->same + row * groups;
        for (Py_ssize_t group = 0; row && group < groups; group++) {
            const uint8_t *own = between + GROUP * group, *above = own - bytes;
            uint64_t change = (eight_at(own) ^ eight_at(above))
                              | (eight_at(own + 8) ^ eight_at(above + 8))
                              | (eight_at(own + 16) ^ eight_at(above + 16))
                              | (eight_at(own + 24) ^ eight_at(above + 24));
            same[group] = change ? 0 : same[group - groups] + 1;
        }
    }
    return 1;
}

static void free_rows(Rows *rows)
{
    free(rows->same);
    free(rows->spans);
}

/* Bytes begin..end of a line. */
static void down_bytes(uint8_t *target, const uint8_t *rows, Py_ssize_t stride,
                       const Weights *below, Py_ssize_t line, Py_ssize_t begin, Py_ssize_t end)
{
    if (begin < end)
        down(target + begin, rows + begin, stride, below->weights + below->span * line,
             below->count[line], end - begin);
}

/* A line of one channel: groups of bytes that are the same in all rows are copied. */
static void down_levels(uint8_t *target, const uint8_t *rows, Py_ssize_t stride,
                        const Weights *below, Py_ssize_t line, const uint16_t *same)
{
    Py_ssize_t begin = 0;
    for (Py_ssize_t group = 0; group < stride / GROUP; group++) {
        if (same[group] < below->count[line] - 1)
            continue;
        down_bytes(target, rows, stride, below, line, begin, GROUP * group);
        memcpy(target + GROUP * group, rows + GROUP * group, GROUP);
        begin = GROUP * (group + 1);
    }
    down_bytes(target, rows, stride, below, line, begin, stride);
}

/* A line of several channels: 0 where all rows are black. */
static void down_colours(uint8_t *target, const uint8_t *rows, Py_ssize_t stride,
                         const Weights *below, Py_ssize_t line, const Span *spans, int channels)
{
    Py_ssize_t begin = stride, end = 0;
    for (int32_t row = 0; row < below->count[line]; row++) {
        begin = spans[row].begin * channels < begin ? spans[row].begin * channels : begin;
        end = spans[row].end * channels > end ? spans[row].end * channels : end;
    }
    /* A few bytes more, so that none is left over from a group. */
    end = begin < end ? begin + (end - begin + LANES - 1) / LANES * LANES : begin;
    end = end < stride ? end : stride;
    memset(target, 0, begin);
    down_bytes(target, rows, stride, below, line, begin, end);
    memset(target + end, 0, stride - end);
}

/* Mirror the pixels of a row; of one channel, eight at a time. */
static inline void mirror_pixels(uint8_t *row, Py_ssize_t width, const int channels)
{
    Py_ssize_t left = 0, right = width;
    for (; channels == 1 && right - left >= 16; left += 8, right -= 8) {
        uint64_t first = __builtin_bswap64(eight_at(row + left));
        uint64_t last = __builtin_bswap64(eight_at(row + right - 8));
        memcpy(row + left, &last, sizeof last);
        memcpy(row + right - 8, &first, sizeof first);
    }
    for (right--; left < right; left++, right--) {
        uint8_t kept[4];
        memcpy(kept, row + channels * left, channels);
        memcpy(row + channels * left, row + channels * right, channels);
        memcpy(row + channels * right, kept, channels);
    }
}

/* The number of channels is a constant in each. */
static void mirror_row(uint8_t *row, Py_ssize_t width, int channels)
{
    if (channels == 1)
        mirror_pixels(row, width, 1);
    else if (channels == 3)
        mirror_pixels(row, width, 3);
    else
        mirror_pixels(row, width, 4);
}

/* Fill the target with its window, mirrored or not; returns 0 if there is no memory. */
static int resample_into(const Source *source, Picture *target, Py_ssize_t height,
                         Py_ssize_t width, const float box[4], Py_ssize_t top, Py_ssize_t left,
                         int flip)
{
    int channels = source->channels, is_made = 0;
    int is_across = width != source->width || box[0] != 0 || box[2] != (float)width;
    int is_down = height != source->height || box[1] != 0 || box[3] != (float)height;
    Py_ssize_t bytes = target->width * channels;
    Weights across = {0}, below = {0};
    if (is_across && !make_weights(&across, source->width, box[0], box[2], width, left,
                                   left + target->width))
        return 0;
    if (is_down && !make_weights(&below, source->height, box[1], box[3], height, top,
                                 top + target->height)) {
        free_weights(&across);
        return 0;
    }
    Py_ssize_t begin = top, end = top + target->height;
    if (is_down) {
        begin = below.first[0];
        end = below.first[target->height - 1] + below.count[target->height - 1];
    }
    uint8_t *between = malloc((end - begin) * bytes);
    Rows rows = {0};
    is_made = between != NULL;
    if (is_made && is_across)
        is_made = across_rows(between, source, &across, begin, end, target->width);
    for (Py_ssize_t line = begin; is_made && !is_across && line < end; line++)
        copy_bytes(between + (line - begin) * bytes, source, line, left, bytes);
    if (is_made && is_down)
        is_made = make_rows(&rows, between, end - begin, target->width, channels);
    for (Py_ssize_t line = 0; is_made && line < target->height; line++) {
        uint8_t *into = target->data + line * target->stride;
        Py_ssize_t first = is_down ? below.first[line] - begin : line;
        const uint8_t *from = between + first * bytes;
        if (!is_down)
            memcpy(into, from, bytes);
        else if (channels > 1)
            down_colours(into, from, bytes, &below, line, rows.spans + first, channels);
        else if (below.keeps_levels)
            down_levels(into, from, bytes, &below, line,
                        rows.same + (first + below.count[line] - 1) * (bytes / GROUP));
        else
            down_bytes(into, from, bytes, &below, line, 0, bytes);
        if (flip)
            mirror_row(into, target->width, channels);
    }
    free_rows(&rows);
    free(between);
    free_weights(&across);
    free_weights(&below);
    return is_made;
}

/* resample(source, target, height, width, box, top, left, flip) */
PyObject *resample(PyObject *module, PyObject *args)
{
    PyObject *of_source, *of_target;
    Py_ssize_t height, width, top, left;
    int flip;
    float box[4];
    Py_buffer buffer;
    Picture target;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOnn(ffff)nnp", &of_source, &of_target, &height, &width, &box[0],
                          &box[1], &box[2], &box[3], &top, &left, &flip))
        return NULL;
    if (PyObject_GetBuffer(of_source, &buffer, PyBUF_STRIDES) < 0)
        return NULL;
    int channels = buffer.ndim == 3 ? (int)buffer.shape[2] : 1;
    int fits = buffer.itemsize == 1 && (buffer.ndim == 2 || buffer.ndim == 3)
               && (channels == 1 || channels == 3 || channels == 4)
               && (buffer.ndim == 2 || buffer.strides[2] == 1)
               && (channels == 1 || buffer.strides[1] == channels);
    if (!fits || !open_picture(of_target, &target, buffer.ndim == 3 ? channels : 0, 1, 1)) {
        PyBuffer_Release(&buffer);
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "expected bytes [h, w], [h, w, 3] or [h, w, 4]");
        return NULL;
    }
    Source source = {buffer.buf, buffer.shape[0], buffer.shape[1], buffer.strides[0],
                     buffer.strides[1], channels};
    fits = source.height > 0 && source.width > 0 && source.height <= MOST && source.width <= MOST
           && height > 0 && width > 0 && height <= MOST && width <= MOST
           && top >= 0 && left >= 0 && target.height > 0 && target.width > 0
           && top + target.height <= height && left + target.width <= width
           && box[0] >= 0 && box[1] >= 0 && box[2] > box[0] && box[3] > box[1]
           && box[2] <= (float)source.width && box[3] <= (float)source.height;
    int is_made = 0;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        is_made = resample_into(&source, &target, height, width, box, top, left, flip);
        Py_END_ALLOW_THREADS
    }
    close_picture(&target);
    PyBuffer_Release(&buffer);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "sizes, box or window that do not fit");
    if (!is_made)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static inline uint8_t product(unsigned value, unsigned alpha)
{
    unsigned sum = value * alpha + 128;
    return (uint8_t)((sum + (sum >> 8)) >> 8);
}

FOR_PROCESSORS
static void multiply_row(uint8_t *restrict rgba, Py_ssize_t width)
{
    for (Py_ssize_t pixel = 0; pixel < width; pixel++, rgba += 4) {
        unsigned alpha = rgba[3];
        rgba[0] = product(rgba[0], alpha);
        rgba[1] = product(rgba[1], alpha);
        rgba[2] = product(rgba[2], alpha);
    }
}

/* Whether the alpha of eight pixels is 0 or 255: then alpha + 1 has no bit but the first and ninth. */
static inline int is_hard(const uint8_t *rgba)
{
    uint64_t pairs[4], soft = 0;
    memcpy(pairs, rgba, sizeof pairs);
    for (int pair = 0; pair < 4; pair++)
        soft |= ((pairs[pair] >> 24 & 0xFF000000FF) + 0x100000001) & 0xFE000000FE;
    return !soft && PY_LITTLE_ENDIAN;
}

/* inverses: 2**24 / alpha, rounded up, with which 255 * value / alpha is exact; of 0 and 255, those of
   255. */
static void divide_row(uint8_t *rgb, const uint8_t *rgba, Py_ssize_t width,
                       const uint32_t *inverses)
{
    for (Py_ssize_t pixel = 0; pixel < width;) {
        if (pixel + 8 <= width && is_hard(rgba + 4 * pixel)) {
            /* Four bytes at a time; the fourth is overwritten by the next pixel. */
            for (Py_ssize_t last = pixel + 7; pixel < last; pixel++)
                memcpy(rgb + 3 * pixel, rgba + 4 * pixel, 4);
            memcpy(rgb + 3 * pixel, rgba + 4 * pixel, 3);
            pixel++;
            continue;
        }
        Py_ssize_t end = pixel + 8 < width ? pixel + 8 : width;
        for (; pixel < end; pixel++) {
            uint64_t inverse = inverses[rgba[4 * pixel + 3]];
            for (int channel = 0; channel < 3; channel++) {
                uint64_t value = 255 * rgba[4 * pixel + channel] * inverse >> 24;
                rgb[3 * pixel + channel] = (uint8_t)(value > 255 ? 255 : value);
            }
        }
    }
}

/* premultiply(rgba): colours times alpha, in place. */
PyObject *premultiply(PyObject *module, PyObject *args)
{
    PyObject *of_rgba;
    Picture rgba;
    (void)module;
    if (!PyArg_ParseTuple(args, "O", &of_rgba) || !open_picture(of_rgba, &rgba, 4, 1, 1))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < rgba.height; row++)
        multiply_row(rgba.data + row * rgba.stride, rgba.width);
    Py_END_ALLOW_THREADS
    close_picture(&rgba);
    Py_RETURN_NONE;
}

/* straight(rgba, rgb): colours divided by alpha. */
PyObject *straight(PyObject *module, PyObject *args)
{
    PyObject *of_rgba, *of_rgb;
    Picture rgba, rgb;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &of_rgba, &of_rgb) || !open_picture(of_rgba, &rgba, 4, 1, 0))
        return NULL;
    if (!open_picture(of_rgb, &rgb, 3, 1, 1)) {
        close_picture(&rgba);
        return NULL;
    }
    int fits = rgba.height == rgb.height && rgba.width == rgb.width;
    uint32_t inverses[256];
    for (uint32_t alpha = 0; alpha < 256; alpha++)
        inverses[alpha] = ((1 << 24) - 1) / (alpha ? alpha : 255) + 1;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; fits && row < rgb.height; row++)
        divide_row(rgb.data + row * rgb.stride, rgba.data + row * rgba.stride, rgb.width, inverses);
    Py_END_ALLOW_THREADS
    close_picture(&rgb);
    close_picture(&rgba);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "rgba and rgb differ in size");
    Py_RETURN_NONE;
}
