from .animation import forecast_animation, write_gif, write_mp4
from .clip import instance_classes
from .curves import plot_metric_curve, plot_training_curves
from .drawing import add_border, blend, colorize_labels, draw_legend, make_strip
from .frame_strip import frame_strip
from .image_grid import image_grid, to_pictures
from .instances import draw_instances
from .local_visualizer import ForecastLocalVisualizer
from .palette import default_palette

__all__ = [
    'ForecastLocalVisualizer',
    'add_border',
    'blend',
    'colorize_labels',
    'default_palette',
    'draw_instances',
    'draw_legend',
    'forecast_animation',
    'frame_strip',
    'image_grid',
    'instance_classes',
    'make_strip',
    'plot_metric_curve',
    'plot_training_curves',
    'write_gif',
    'write_mp4',
    'to_pictures',
]
