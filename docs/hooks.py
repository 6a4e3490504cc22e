"""What MkDocs needs to know of this repository; ``hooks`` of mkdocs.yml.

The site has the repository's own layout, ``README.md``, ``docs/s2s.md``, ``configs/s2s/README.md``, so that
every relative link works in it as it does beside the sources. Folders, which MkDocs can't link to, become
their README. Equations become MathML while the site is built: browsers draw it without a script.
"""

import html
import re
from pathlib import Path, PurePosixPath

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    'README.md',
    'CHANGELOG.md',
    'CITATION.cff',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'docs/*.md',
    'docs/*.css',
    'docs/images/*',
    'docs/examples/*',
    'configs/*/README.md',
    'configs/[!_]*/*.py',
    'configs/*/weights/*.pth',
)
_LINK = re.compile(r'(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#:\s]+)\)')
_EQUATION = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.S)
_ROLE = re.compile(r':(?:class|meth|func):(?=<code>)')
# Spaces and sizes that MathML does without, and names that the converter lacks.
_TEX = (
    (re.compile(r'\\[bB]igg?[lr]?(?![a-zA-Z])'), ''),
    (re.compile(r'\\lVert|\\rVert'), r'\\Vert '),
    (re.compile(r'\\tfrac'), r'\\frac'),
    (re.compile(r'\\arg\b'), r'\\operatorname{arg}'),
)


def on_files(files, config):
    """The pages of the repository, in the place of those of docs/ alone."""
    paths = sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)})
    own = [
        File(
            path.relative_to(ROOT).as_posix(),
            src_dir=str(ROOT),
            dest_dir=config.site_dir,
            use_directory_urls=config.use_directory_urls,
        )
        for path in paths
    ]
    of_theme = [file for file in files if file.src_dir != config.docs_dir]
    return Files([*own, *of_theme])


def on_page_markdown(markdown, page, config, files):
    """Links to folders lead to their README; where there is none, only the text stays."""
    here = PurePosixPath(page.file.src_uri).parent

    def to_page(link):
        folder = (ROOT / here / link['target']).resolve()
        if not folder.is_dir():
            return link[0]
        if not (folder / 'README.md').is_file():
            return f'`{link["text"]}`' if '`' not in link['text'] else link['text']
        return f'[{link["text"]}]({link["target"].rstrip("/")}/README.md)'

    return _LINK.sub(to_page, markdown)


def on_page_content(content, page, config, files):
    """Equations as MathML; the roles of reStructuredText in docstrings go."""
    return _EQUATION.sub(lambda found: to_mathml(found, page), _ROLE.sub('', content))


def to_mathml(found, page):
    """The MathML of an equation; one that can't be converted ends the build."""
    tex = html.unescape(found['tex'])
    for pattern, replacement in _TEX:
        tex = pattern.sub(replacement, tex)
    display = 'block' if found['tag'] == 'div' else 'inline'
    try:
        mathml = convert(tex, display=display)
    except Exception as error:
        raise PluginError(f'{page.file.src_uri}: cannot convert {tex!r}: {error!r}') from error
    unknown = re.findall(r'\\[a-zA-Z]+', mathml)
    if unknown:
        raise PluginError(f'{page.file.src_uri}: {unknown} in {tex!r} is unknown to latex2mathml')
    return mathml
