"""The subcommands of the command line, a file each with ``add_parser(subparsers)`` and ``main(args)``."""
