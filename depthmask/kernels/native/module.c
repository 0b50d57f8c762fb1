#include "kernels.h"

static PyMethodDef methods[] = {
    {"add_mirrored", add_mirrored, METH_VARARGS, NULL},
    {"arriving", arriving, METH_VARARGS, NULL},
    {"blend_alpha", blend_alpha, METH_VARARGS, NULL},
    {"blocked", blocked, METH_VARARGS, NULL},
    {"blur", blur, METH_VARARGS, NULL},
    {"byte_sum", byte_sum, METH_O, NULL},
    {"byte_sums", byte_sums, METH_VARARGS, NULL},
    {"byte_sums_beside", byte_sums_beside, METH_VARARGS, NULL},
    {"cast_rays", cast_rays, METH_VARARGS, NULL},
    {"darken", darken, METH_VARARGS, NULL},
    {"depth_range", depth_range, METH_O, NULL},
    {"depth_sums", depth_sums, METH_VARARGS, NULL},
    {"developed", developed, METH_VARARGS, NULL},
    {"dim", dim, METH_VARARGS, NULL},
    {"keep_busy", keep_busy, METH_VARARGS, NULL},
    {"lab_sums", lab_sums, METH_VARARGS, NULL},
    {"least_depth", least_depth, METH_VARARGS, NULL},
    {"least_depths", least_depths, METH_VARARGS, NULL},
    {"look_up", look_up, METH_VARARGS, NULL},
    {"mask_runs", mask_runs, METH_VARARGS, NULL},
    {"mend", mend, METH_VARARGS, NULL},
    {"moved_in_lab", moved_in_lab, METH_VARARGS, NULL},
    {"outdoors", outdoors, METH_VARARGS, NULL},
    {"overlap", overlap, METH_VARARGS, NULL},
    {"paint_patterns", paint_patterns, METH_VARARGS, NULL},
    {"premultiply", premultiply, METH_VARARGS, NULL},
    {"printed", printed, METH_VARARGS, NULL},
    {"resample", resample, METH_VARARGS, NULL},
    {"set_nearer", set_nearer, METH_VARARGS, NULL},
    {"straight", straight, METH_VARARGS, NULL},
    {"sums_above", sums_above, METH_VARARGS, NULL},
    {"sunlight", sunlight, METH_VARARGS, NULL},
    {"surface_points", surface_points, METH_VARARGS, NULL},
    {"tar_header", tar_header, METH_VARARGS, NULL},
    {"uncover", uncover, METH_VARARGS, NULL},
    {"unite", unite, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* sources: the hash of the files that it was compiled from. */
static int fill_module(PyObject *module)
{
    return PyModule_AddStringConstant(module, "sources", SOURCES);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill_module},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "depthmask.kernels._native", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
