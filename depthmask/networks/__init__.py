"""Depth networks: architectures, weights files and the runtimes that compute them."""
