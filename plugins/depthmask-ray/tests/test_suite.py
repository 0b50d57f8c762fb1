from __future__ import annotations

from depthmask.testing import RunnerSuite

from depthmask_ray.runner import Ray


class TestRay(RunnerSuite):
    stage_class = Ray
