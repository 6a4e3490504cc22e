"""Packaging; nothing of the stack below is imported, so that build isolation works."""

import os
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# What mim, mmengine.hub and `_base_ = 'mmforecast::...'` look for in the package's `.mim` folder.
MIM_EXTENSION = ('configs', 'tools', 'model-index.yml')


def read_version() -> str:
    """The version, read without importing the package."""
    namespace = {}
    exec((ROOT / 'mmforecast' / 'version.py').read_text(encoding='utf-8'), namespace)
    return namespace['__version__']


def read_requirements(name: str) -> list:
    """The requirements of `requirements/<name>.txt` without comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    return [line for line in (line.split('#')[0].strip() for line in lines) if line]


class BuildWithMim(build_py):
    """Adds the `.mim` folder: links into the checkout for an editable install, else copies."""

    def run(self):
        super().run()
        root = ROOT if self.editable_mode else Path(self.build_lib).resolve()
        target = root / 'mmforecast' / '.mim'
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
        for source in (ROOT / name for name in MIM_EXTENSION if (ROOT / name).exists()):
            if self.editable_mode:
                (target / source.name).symlink_to(os.path.relpath(source, target))
            elif source.is_dir():
                left_out = shutil.ignore_patterns('__pycache__', 'bootstrap')
                shutil.copytree(source, target / source.name, ignore=left_out)
            else:
                shutil.copy2(source, target)


extras = {name: read_requirements(name) for name in ('optional', 'video', 'batch', 'export', 'tests', 'docs')}
extras['all'] = sorted({line for lines in extras.values() for line in lines})
# Not in `all`: the networks of one evaluation, 17 MB.
extras['features'] = read_requirements('features')
# Nor this: a cluster's scheduler is of no use on one machine.
extras['ray'] = read_requirements('ray')
# Nor this: it needs torchvision, in the build that fits torch.
extras['vit'] = read_requirements('vit')
# Nor these: the two stacks have the same modules, and other packages may provide them already.
extras['upstream'] = read_requirements('upstream')
extras['forks'] = read_requirements('forks')
# What mim reads to install compiled wheels of the OpenMMLab libraries.
extras['mim'] = [line.replace('mmcv-lite', 'mmcv') for line in extras['upstream']]

setup(
    name='mmforecast',
    version=read_version(),
    description='Forecasting of video, semantic segmentation and instances on MMEngine',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='The mmforecast authors',
    license='Apache-2.0',
    keywords='computer vision, forecasting, video prediction, segmentation, OpenMMLab',
    packages=find_packages(include=['mmforecast', 'mmforecast.*']),
    package_data={
        name: ['*.jinja', '*.css', '*.js']
        for name in (
            'mmforecast.visualization.report',
            'mmforecast.creative.apis.design_page',
            'mmforecast.creative.human_study',
        )
    },
    python_requires='>=3.10,<3.14',
    install_requires=read_requirements('runtime'),
    extras_require=extras,
    entry_points=dict(console_scripts=['mmforecast=mmforecast.__main__:main']),
    cmdclass={'build_py': BuildWithMim},
    zip_safe=False,
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: Apache Software License',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
