/* What all kernels share: views of arrays, and loops compiled for several processors. */
#ifndef DEPTHMASK_KERNELS_H
#define DEPTHMASK_KERNELS_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <stdint.h>

/* A loop is compiled twice, and the processor chooses when the module is loaded. Only for loops
   without floating point, or with each operation rounded by itself (-ffp-contract=off). */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_PROCESSORS __attribute__((target_clones("avx2", "default")))
#else
#define FOR_PROCESSORS
#endif

/* An array with `item` bytes for each pixel of a row that is contiguous; rows may lie apart. */
typedef struct {
    Py_buffer buffer;
    uint8_t *data;
    Py_ssize_t height, width, stride;
} Picture;

/* Open `array` as [height, width] or [height, width, channels] of values of `itemsize` bytes. On
   failure, set an exception and return 0. channels: 0 for [height, width]. */
int open_picture(PyObject *array, Picture *picture, int channels, int itemsize, int writable);
void close_picture(Picture *picture);

PyObject *add_mirrored(PyObject *module, PyObject *args);
PyObject *arriving(PyObject *module, PyObject *args);
PyObject *blend_alpha(PyObject *module, PyObject *args);
PyObject *blocked(PyObject *module, PyObject *args);
PyObject *blur(PyObject *module, PyObject *args);
PyObject *byte_sum(PyObject *module, PyObject *values);
PyObject *byte_sums(PyObject *module, PyObject *args);
PyObject *byte_sums_beside(PyObject *module, PyObject *args);
PyObject *cast_rays(PyObject *module, PyObject *args);
PyObject *darken(PyObject *module, PyObject *args);
PyObject *depth_range(PyObject *module, PyObject *of_depth);
PyObject *depth_sums(PyObject *module, PyObject *args);
PyObject *developed(PyObject *module, PyObject *args);
PyObject *dim(PyObject *module, PyObject *args);
PyObject *keep_busy(PyObject *module, PyObject *args);
PyObject *lab_sums(PyObject *module, PyObject *args);
PyObject *least_depth(PyObject *module, PyObject *args);
PyObject *least_depths(PyObject *module, PyObject *args);
PyObject *look_up(PyObject *module, PyObject *args);
PyObject *mask_runs(PyObject *module, PyObject *args);
PyObject *mend(PyObject *module, PyObject *args);
PyObject *moved_in_lab(PyObject *module, PyObject *args);
PyObject *outdoors(PyObject *module, PyObject *args);
PyObject *overlap(PyObject *module, PyObject *args);
PyObject *paint_patterns(PyObject *module, PyObject *args);
PyObject *premultiply(PyObject *module, PyObject *args);
PyObject *printed(PyObject *module, PyObject *args);
PyObject *resample(PyObject *module, PyObject *args);
PyObject *set_nearer(PyObject *module, PyObject *args);
PyObject *straight(PyObject *module, PyObject *args);
PyObject *sums_above(PyObject *module, PyObject *args);
PyObject *sunlight(PyObject *module, PyObject *args);
PyObject *surface_points(PyObject *module, PyObject *args);
PyObject *tar_header(PyObject *module, PyObject *args);
PyObject *uncover(PyObject *module, PyObject *args);
PyObject *unite(PyObject *module, PyObject *args);

#endif
