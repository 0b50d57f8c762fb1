"""Depth networks: architectures, files of weights, and the runtimes that compute them."""
