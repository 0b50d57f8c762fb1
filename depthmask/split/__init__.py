"""Splits: which samples are for training, validation and test, and that they share no asset."""
