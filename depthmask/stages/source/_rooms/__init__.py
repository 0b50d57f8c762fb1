"""Rendered indoor scenes of the source `rooms`: geometry, ray casting and shading.

World coordinates: x right along the room's width, y up, z into the room, metres; the floor is
y = 0. Colours are linear light, and the gamma of images is 2 (a square root, which every CPU rounds
alike).
"""
