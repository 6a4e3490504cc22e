"""``python -m mmforecast`` and the command ``mmforecast``."""

import gc
import sys

from mmforecast.utils.check_env import require_libraries
from mmforecast.utils.without_sharding import import_without_sharding

__all__ = ['main']

# Objects from one pass of the garbage collector to the next. With Python's 700, the passes take a fifth of the
# time of importing torch and the OpenMMLab libraries, which leave no garbage.
_COLLECTED_OBJECTS = 50_000
# Commands that train nothing.
_RUN_NETWORKS = (['predict'],)


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: With another status than 0; without torch or the OpenMMLab libraries, with one sentence.
    """
    threshold = gc.get_threshold()
    gc.set_threshold(_COLLECTED_OBJECTS, *threshold[1:])
    try:
        require_libraries()
        if sys.argv[1:2] in _RUN_NETWORKS:
            import_without_sharding()
        from mmforecast.cli.main import main as run  # imports mmengine

        run()
    finally:
        gc.set_threshold(*threshold)


if __name__ == '__main__':
    main()
