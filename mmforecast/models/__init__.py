from .data_preprocessors import *  # noqa: F401,F403
from .decoders import *  # noqa: F401,F403
from .discriminators import *  # noqa: F401,F403
from .encoders import *  # noqa: F401,F403
from .forecasters import *  # noqa: F401,F403
from .losses import *  # noqa: F401,F403
from .necks import *  # noqa: F401,F403
from .predictors import *  # noqa: F401,F403
