# What forecasts motion from the frames alone, for the representation of any network.
motion = dict(type='EgoMotion')
