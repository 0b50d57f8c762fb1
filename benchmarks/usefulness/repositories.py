"""The frames with measured depth that are taken of public repositories, on github.

All were looked at: real sensors, no renders, depth that lies on the picture, a known unit. Frames
of NYU Depth v2 are left out, since FastDepth was trained on it. Places that may be the same room
are one scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SUN = 1 / 8
"""SUN RGB-D rotates its millimetres by three bits."""


@dataclass(frozen=True)
class Frames:
    """Some frames of a scene.

    picture, depth: their paths in the repository, where `{}` stands for each of `names`. unit:
    millimetres in a unit of the depth. far: metres beyond which depth is unknown, since the sensor
    guesses. people: people are seen.
    """

    scene: str
    repository: str
    picture: str
    depth: str
    names: Sequence[str | int] = ("0",)
    unit: float = 1.0
    far: float = 10.0
    people: bool = False


def _lingbot(scene: str, picture: str, depth: str, people: bool = False) -> Frames:
    return Frames(scene, "Robbyant/lingbot-depth", picture, depth, people=people)


_SUN_TOY = "images/2014-12-18_11-31-54_260595134347"
_OPEN3D = "examples/test_data/RGBD/other_formats"
_NVIDIA_TABLE = "nvidia-table"

FRAMES = (
    Frames(
        "tsdf-office",
        "andyzeng/tsdf-fusion-python",
        "data/frame-{:06}.color.jpg",
        "data/frame-{:06}.depth.png",
        range(0, 1000, 100),
    ),
    Frames("tum-desks", "gaoxiang12/slambook", "ch7/{}.png", "ch7/{}_depth.png", (1, 2), 0.2),
    Frames(
        "tum-desks",
        "IntelVCL/Open3D",
        f"{_OPEN3D}/TUM_color.png",
        f"{_OPEN3D}/TUM_depth.png",
        ("office",),
        0.2,
    ),
    Frames(
        "sun-corridor",
        "IntelVCL/Open3D",
        f"{_OPEN3D}/SUN_color.jpg",
        f"{_OPEN3D}/SUN_depth.png",
        unit=SUN,
    ),
    Frames(
        "sun-office",
        "GuardianWang/sunrgbd-toy",
        f"{_SUN_TOY}/image/0000144.jpg",
        f"{_SUN_TOY}/depth/0000144.png",
        unit=SUN,
    ),
    Frames(
        "sun-shelf",
        "GuardianWang/sunrgbd-toy",
        "images/img_0063/image/img_0063.jpg",
        "images/img_0063/depth/img_0063_abs.png",
        unit=SUN,
    ),
    Frames(
        "graspnet-table",
        "graspnet/graspnet-baseline",
        "doc/example_data/color.png",
        "doc/example_data/depth.png",
    ),
    Frames(
        "arc-bins",
        "andyzeng/arc-robot-vision",
        "parallel-jaw-grasping/convnet/demo/input-{}.color.png",
        "parallel-jaw-grasping/convnet/demo/input-{}.depth.png",
        (0, 1),
        0.1,
    ),
    Frames(
        "arc-bins",
        "andyzeng/arc-robot-vision",
        "suction-based-grasping/convnet/demo/test-image.color.png",
        "suction-based-grasping/convnet/demo/test-image.depth.png",
        ("suction",),
        0.1,
    ),
    Frames(
        "arkit-library",
        "DepthAnything/PromptDA",
        "assets/example_images/image.jpg",
        "assets/example_images/arkit_depth.png",
    ),
    Frames(
        "arkit-laptop",
        "liwuaa/ImageRelocation",
        "query/rgb/{}.jpg",
        "depth/{}.png",
        range(1, 100, 10),
    ),
    Frames(
        "arkit-cups",
        "ioridev/LiDAR-Depth-Map-Capture-for-iOS",
        "samples/1721362630.651355_image.jpg",
        "samples/1721362630.651355_depth.tiff",
        unit=1000,
    ),
    Frames(
        "arkit-poster",
        "AlessandroGnutti/LiDAR-Depth-Map-Guided-Image-Compression-Model",
        "ARKITSCENES_upsampling/Validation/highres_RGB_resized/41069021_305.244.png",
        "ARKITSCENES_upsampling/Validation/lowres_depth/41069021_305.244.png",
    ),
    Frames("hammer", "sakizuki/6DPoseAnnotator", "data/rgb.png", "data/depth.png"),
    Frames(
        "bundlefusion-stairs",
        "Sidlertime/3DSMC_BA",
        "frame-000000.color.jpg",
        "frame-000000.depth.png",
    ),
    Frames(
        "femto-lab",
        "Amik05/semantic-grasp",
        "color{}.png",
        "depth{}.png",
        ("", 1, 3),
    ),
    Frames("femto-mug", "Amik05/semantic-grasp", "color2.png", "depth2.png"),
    Frames(
        _NVIDIA_TABLE,
        "IRVLUTD/UnseenObjectClustering",
        "data/demo/{:06}-color.png",
        "data/demo/{:06}-depth.png",
        range(4),
    ),
    Frames(
        _NVIDIA_TABLE,
        "NVlabs/PoseCNN-PyTorch",
        "data/demo/{:06}-color.png",
        "data/demo/{:06}-depth.png",
        range(5),
    ),
    Frames(
        "round-table",
        "IRVLUTD/UnseenObjectClustering",
        "data/demo/000004-color.png",
        "data/demo/000004-depth.png",
    ),
    Frames(
        "meeting-table",
        "IRVLUTD/UnseenObjectClustering",
        "data/demo/{:06}-color.png",
        "data/demo/{:06}-depth.png",
        range(5, 9),
    ),
    *(
        Frames(
            "cups-desk",
            "meiqua/6DPose",
            f"cxx_3d_seg/test/{n}/rgb/{{:04}}.png",
            f"cxx_3d_seg/test/{n}/depth/{{:04}}.png",
            range(3),
        )
        for n in (1, 2, 3)
    ),
    Frames(
        "linemod",
        "meiqua/6DPose",
        "cxxLCHF/test/0000_rgb.png",
        "cxxLCHF/test/0000_dep.png",
    ),
    Frames(
        "kitti-street",
        "YvanYin/Metric3D",
        "data/kitti_demo/rgb/{:010}.png",
        "data/kitti_demo/depth/{:010}.png",
        (5, 50, 100),
        1000 / 256,
        60,
    ),
    Frames(
        "kitti-street",
        "hlwang1124/SNE-RoadSeg",
        "examples/rgb.png",
        "examples/depth_u16.png",
        ("road",),
        far=60,
    ),
    *(
        Frames(
            scene,
            "postech-ami/Zero-Shot-Depth-Completion",
            f"examples/{n}/rgb.png",
            f"examples/{n}/gt_depth.png",
            unit=1000 / 256,
            far=60,
            people=people,
        )
        for n, scene, people in ((4, "kitti-crossing", True), (5, "kitti-bridge", False))
    ),
    Frames(
        "garden",
        "yuki-inaho/inpainting_with_joint_bilateral_filter",
        "data/colorImage.png",
        "data/depthImage.png",
    ),
    Frames(
        "cup-desk", "cstokl3/cup_data", "color/{:05}.jpg", "depth/{:05}.png", range(0, 201, 100)
    ),
    _lingbot("corridor", "examples/0/rgb.png", "examples/0/raw_depth.png"),
    _lingbot("skatepark", "examples/3/rgb.jpg", "examples/3/raw_depth.png", people=True),
    _lingbot("bar-stools", "examples/5/rgb.png", "examples/5/raw_depth.png"),
    Frames("chess-table", "GeeeG/CloudPose", "data/color.png", "data/depth.png", unit=0.1),
    Frames(
        "boxes",
        "felixchenfy/ros_detect_planes_from_depth_img",
        "data/color/{:06}.png",
        "data/depth/{:06}.png",
        range(10),
    ),
    Frames(
        "osd-table",
        "gist-ailab/uoais",
        "sample_data/image_color/{}.png",
        "sample_data/disparity/{}.png",
        ("learn6", "test42", "test50", "test63", "test64"),
    ),
    Frames(
        "peppers",
        "salihmarangoz/depth_to_pointcloud_python",
        "color_image.png",
        "depth_image.png",
    ),
    Frames(
        "robot-lab",
        "sk4161/Any6D",
        "demo_data/color.png",
        "demo_data/depth.png",
        far=5,
        people=True,
    ),
)
