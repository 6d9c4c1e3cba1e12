"""Use a trained run: encode, decode, reconstruct, score and calibrate."""
