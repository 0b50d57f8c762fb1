"""Samples for training: batches for PyTorch, Keras and `tf.data`, and streams by `webdataset`."""
