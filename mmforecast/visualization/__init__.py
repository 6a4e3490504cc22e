from .animation import forecast_animation, write_gif
from .clip import instance_classes
from .curves import plot_metric_curve, plot_training_curves
from .drawing import add_border, blend, colorize_labels, draw_legend, make_strip
from .frame_strip import frame_strip
from .image_grid import image_grid, to_pictures
from .instances import draw_instances
from .local_visualizer import ForecastLocalVisualizer
from .palette import default_palette
from .panoptic import PanopticMap, forecast_panoptic
from .rolling import rolling_picture, rolling_style
from .video_file import video_file, write_video

__all__ = [
    'ForecastLocalVisualizer',
    'PanopticMap',
    'add_border',
    'blend',
    'colorize_labels',
    'default_palette',
    'draw_instances',
    'draw_legend',
    'forecast_animation',
    'forecast_panoptic',
    'frame_strip',
    'image_grid',
    'instance_classes',
    'make_strip',
    'plot_metric_curve',
    'plot_training_curves',
    'rolling_picture',
    'rolling_style',
    'video_file',
    'write_gif',
    'write_video',
    'to_pictures',
]
