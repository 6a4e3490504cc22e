"""``python -m mmforecast`` and the command ``mmforecast``."""

from mmforecast.utils.check_env import require_libraries

__all__ = ['main']


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: With another status than 0; without torch or the OpenMMLab libraries, with one sentence.
    """
    require_libraries()
    from mmforecast.cli.main import main as run  # imports mmengine

    run()


if __name__ == '__main__':
    main()
