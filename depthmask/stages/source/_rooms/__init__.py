"""Made indoor scenes: geometry, ray casting and shading behind the `rooms` source.

World coordinates: x right along the room's width, y up, z into the room, metres; the floor is
y = 0. Colours are linear light, and the picture's gamma is 2 (a square root, which every CPU
rounds alike).
"""
