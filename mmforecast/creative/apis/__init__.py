"""Sampling, evaluation and reports of image generators."""
