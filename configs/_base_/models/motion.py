# What forecasts motion from the frames alone, for the representation of any network. Trained by
# configs/motion/motion-forecaster_varied_street.py; no network and no video here is trained on.
motion = dict(type='MotionForecaster', checkpoint='zoo://motion-forecaster_varied_street')
