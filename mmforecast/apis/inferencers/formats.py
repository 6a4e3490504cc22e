"""The kinds of files that forecasts are written as."""

__all__ = ['FORMATS']

FORMATS = ('mp4', 'gif', 'png', 'json')
