"""Write a comparison as one HTML page: table, curves, moving pictures, configs, environment."""

import argparse
from json import JSONDecodeError
from pathlib import Path

from mmengine.fileio import load
from mmengine.logging import MMLogger
from yaml import YAMLError

from mmforecast.apis.evaluate import load_config
from mmforecast.apis.report import Section, report

from .row_options import add_row_options, read_entries, workers_of

__all__ = ['add_arguments', 'add_parser', 'main', 'read_sections']

EXAMPLES = """examples:
  # a trained model (two seeds, shown as mean ± deviation) beside the baselines
  %(prog)s configs/s2s/s2s_warp_tiny_synthetic.py --out work_dirs/report.html \\
      --model S2S configs/s2s/s2s_warp_tiny_synthetic.py work_dirs/seed0/iter_500.pth \\
      --model S2S configs/s2s/s2s_warp_tiny_synthetic.py work_dirs/seed1/iter_500.pth
  # several systems, a section each
  %(prog)s --sections docs/examples/street_report.yml --out work_dirs/street.html
"""
_PAGE_KEYS = {'title', 'text', 'sections'}
_SECTION_KEYS = {'title', 'text', 'config', 'models', 'baselines', 'horizons', 'metrics'}


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Register the subcommand with ``argparse``'s subparsers."""
    parser = subparsers.add_parser('report')
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand, its description and its examples."""
    parser.description = __doc__
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('config', nargs='?', help='config whose data and encoder the baselines use')
    add_row_options(parser)
    parser.add_argument(
        '--sections',
        metavar='FILE',
        help='YAML or JSON file with several sections, in place of CONFIG and --model',
    )
    parser.add_argument(
        '--out', type=Path, default=Path('report.html'), help='HTML file (default: report.html)'
    )
    parser.add_argument('--title', help="of the page (default: the config's name)")
    parser.add_argument('--clips', type=int, default=2, help='moving pictures per section (default: 2)')
    parser.add_argument('--height', type=int, default=192, help='of a picture, in pixels (default: 192)')


def main(args: argparse.Namespace) -> None:
    """Evaluate, and write the page."""
    # one page at the end instead of a log for every run
    MMLogger.get_current_instance().setLevel('WARNING')
    if (args.sections is None) == (args.config is None):
        raise ValueError('give a config, or --sections FILE, and not both')
    if args.sections is not None and args.model:
        raise ValueError('--model belongs to a config; with --sections, list models in the file')
    if args.sections is not None:
        title, text, sections = read_sections(args.sections, args.cfg_options)
    else:
        title, text = f'Forecasts by {Path(args.config).stem}', ''
        given = dict(vars(args), title='Comparison', models=args.model)
        sections = [_section(given, args.cfg_options)]
    size = report(sections, args.out, args.title or title, text, args.clips, args.height, workers_of(args))
    print(f'written to {args.out} ({size / 1e6:.1f} MB)')


def read_sections(path: str, options: dict | None = None) -> tuple[str, str, list[Section]]:
    """Title, text and sections of a file such as ``docs/examples/street_report.yml``.

    Args:
        path: YAML or JSON, with ``sections``, a list of dicts with ``config`` and what else
            :class:`~mmforecast.apis.report.Section` has; models are lists of name, config and checkpoint.
        options: Overrides of all configs.

    Raises:
        ValueError: The file lacks something, or has what isn't known.
    """
    content = _load(path)
    _check_keys(content, _PAGE_KEYS, path)
    if not isinstance(content.get('sections'), list) or not content['sections']:
        raise ValueError(f'{path} needs sections, a list of one or more dicts with title and config')
    sections = []
    for number, given in enumerate(content['sections'], 1):
        where = f'section {number} of {path}'
        _check_keys(given, _SECTION_KEYS, where)
        if 'config' not in given:
            raise ValueError(f'{where} lacks config, whose data and encoder the baselines use')
        sections.append(_section(given, options, where))
    return content.get('title', Path(path).stem), content.get('text', ''), sections


def _load(path: str) -> dict:
    if Path(path).suffix not in ('.yml', '.yaml', '.json'):
        raise ValueError(f'--sections takes a .yml, .yaml or .json file, got {path}')
    try:
        content = load(path)
    except (YAMLError, JSONDecodeError) as error:
        raise ValueError(f'{path} can not be read: {error}') from error
    if not isinstance(content, dict):
        raise ValueError(f'{path} needs sections, a list of one or more dicts with title and config')
    return content


def _check_keys(given: dict, known: set, where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f'{where} has unknown keys {unknown}; known are {sorted(known)}')


def _section(given: dict, options: dict | None, where: str = '--model') -> Section:
    models = given.get('models') or []
    for model in models:
        if len(model) != 3:
            raise ValueError(f'a model of {where} is [name, config, checkpoint], got {model}')
    fields = {
        key: given[key] for key in ('baselines', 'horizons', 'metrics', 'text') if given.get(key) is not None
    }
    config = load_config(given['config'], options)
    title = given.get('title', Path(given['config']).stem)
    return Section(title, config, read_entries(models, options), **fields)
