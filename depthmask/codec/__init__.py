"""Byte layouts made fast and deterministic: PNG, tar, zip, npz."""
