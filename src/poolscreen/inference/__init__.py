"""Inference: sampling, the gate, the file of a fit, calibration, predictions."""
