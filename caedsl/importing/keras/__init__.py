"""Keras models: files of Keras 3 and of TensorFlow's Keras 2, and models in memory."""
