"""The pictures of the docs, made by real runs: what each setting does, over the same assets.

    python -m tools.gallery
    python -m tools.gallery --only gallery-grid --into FOLDER
    python -m tools.gallery --into FOLDER source=assets source.root=DIR "size=[240,360]"

The first command makes all pictures in `docs/images`. With settings, only those of the gallery are
made; they go to the end of the settings of every picture, so the last command shows every stage
with your own backgrounds and cut-outs.
"""
