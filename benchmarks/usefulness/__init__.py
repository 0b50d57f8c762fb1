"""Trains networks on datasets of depthmask, and tries them on real photographs."""
