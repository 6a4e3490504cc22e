"""Write docs/model_zoo.md from the metafiles: every config, with its weights and scores."""

import argparse
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/model_zoo.md'
INTRODUCTION = """# Model zoo

Every config, the weights in the repository, and the scores that were measured. The page of each
system has the commands behind its scores, the baselines beside them and the deviation over seeds;
the scores here are means over seeds, where there are several. This page is written from the
metafiles by `python tools/misc/model_zoo.py`.

Weights are files of the repository; a file name ends with the start of the file's SHA-256 sum.
`tools/test.py` takes them as a checkpoint, `tools/train.py` as `load_from`.
"""
NO_LOGS = """
## Training logs

The logs of these trainings were not kept. Every training writes its log to
`WORK_DIR/<time>/vis_data/scalars.json`, one JSON object per line ([logs](logging.md)).
"""
HEADER = """
| config | parameters of the predictor | training data | scores | weights |
|---|---:|---|---|---|
"""


def link(path: str, text: str) -> str:
    """A Markdown link from docs/ to a file of the repository."""
    return f'[{text}](../{path})'


def row(entry: dict) -> str:
    """The row of a metafile's entry with scores."""
    metadata, weights = entry.get('Metadata', {}), entry.get('Weights')
    size = metadata.get('Parameters')
    metrics = [pair for result in entry['Results'] for pair in result['Metrics'].items()]
    cells = (
        link(entry['Config'], entry['Name']),
        f'{size:,}' if size else '',
        metadata.get('Training Data', ''),
        '; '.join(f'{name} {value}' for name, value in metrics),
        link(weights, f'{(ROOT / weights).stat().st_size / 1e6:.1f} MB') if weights else '',
    )
    return f'| {" | ".join(cells)} |\n'


def section(metafile: Path) -> str:
    """The table of a collection, and links to its configs without scores."""
    content = yaml.safe_load(metafile.read_text(encoding='utf-8'))
    (collection,) = content['Collections']
    scored = [entry for entry in content['Models'] if 'Results' in entry]
    known = {entry['Config'] for entry in scored}
    others = [path.relative_to(ROOT).as_posix() for path in sorted(metafile.parent.glob('*.py'))]
    links = [link(config, Path(config).stem) for config in others if config not in known]
    folder = metafile.parent.relative_to(ROOT).as_posix()
    page = link(collection['README'], folder)
    text = f'\n## {collection["Name"]}\n\nTables and commands: {page}.\n{HEADER}' + ''.join(map(row, scored))
    return text + ('\nWithout scores:\n' + ',\n'.join(links) + '.\n' if links else '')


def page() -> str:
    """The whole page."""
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text(encoding='utf-8'))
    return ''.join([INTRODUCTION, *(section(ROOT / name) for name in index['Import']), NO_LOGS])


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(page(), encoding='utf-8')
    print(f'written to {PAGE}')


if __name__ == '__main__':
    main()
