"""Calibration of predicted probabilities: fitting a temperature, applying it, and scores before and after."""
