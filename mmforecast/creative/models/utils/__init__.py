"""Layers and augmentations of image generators."""
