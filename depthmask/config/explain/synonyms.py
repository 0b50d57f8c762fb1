"""The names that other tools give to settings of depthmask."""

from __future__ import annotations

_NAMES = {
    "samples": "images num_samples n_samples num_images n_images sample_count count number n total",
    "output": "out out_dir output_dir outdir output_path output_folder destination dest dir folder",
    "size": "resolution image_size img_size imgsz canvas width height shape",
    "seed": "random_seed rng rng_seed",
    "objects": "foregrounds num_objects n_objects max_objects min_objects objects_per_image",
    "overwrite": "force replace",
    "flips": "mirror hflip augment",
    "fov_deg": "fov field_of_view",
    "shard_size": "samples_per_shard shards max_samples_per_shard",
    "runner.workers": "num_workers n_workers jobs n_jobs threads processes procs cores cpus",
    "source.root": "data data_dir input input_dir assets assets_dir path root_dir dataset",
    "encode.quality": "jpeg_quality jpg_quality image_quality",
    "encode.image": "image_format img_format",
    "encode.depth": "depth_format",
    "encode.mask": "mask_format",
    "split.train": "train_split train_ratio train_share train_size",
    "split.val": "valid validation val_split val_ratio val_share val_size",
    "split.test": "test_split test_ratio test_share test_size",
    "writer": "format output_format file_format",
    "depth": "model network estimator",
}
SYNONYMS = {word: setting for setting, words in _NAMES.items() for word in words.split()}
"""What a user may call a setting or a config group -> its name here."""
