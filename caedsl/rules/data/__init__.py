"""CAE6: the number, the shape and the values of the images."""
