"""Datasets for training libraries: PyTorch, Keras, `tf.data` and `webdataset`."""
