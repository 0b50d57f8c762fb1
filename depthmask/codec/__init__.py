"""Samples as bytes: members, and fast deterministic JPEG, PNG, npz, tar and zip."""
