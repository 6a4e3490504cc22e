"""``python -m mmforecast``: the command ``mmforecast``."""

from mmforecast.cli.main import main

if __name__ == '__main__':
    main()
