"""mmcv's operators by the compiled extension and by the stand-ins, in one process."""

import importlib
import importlib.util

import pytest

from mmforecast.ops.extension import stand_in, use_extension
from mmforecast.ops.finder import compiled_extension


@pytest.fixture(scope='session')
def compiled():
    """mmcv's compiled extension, where it is at hand."""
    if compiled_extension() is None:
        pytest.skip('mmcv is installed without its compiled extension')
    extension = importlib.import_module('mmcv._ext')
    if hasattr(extension, 'KERNELS'):  # MMFORECAST_OPS puts a stand-in before it
        spec = importlib.util.spec_from_file_location('_ext', compiled_extension())
        extension = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(extension)
    return extension


@pytest.fixture(params=['pytorch', 'torchvision'])
def kernels(request):
    """Each kind of stand-in, torchvision's only where it works."""
    try:
        return stand_in(request.param)
    except ImportError as error:
        pytest.skip(str(error))


@pytest.fixture
def by():
    """`by(extension, function, *args)` runs a function with mmcv's operators by an extension."""

    def run(extension, function, *args, **kwargs):
        with use_extension(extension):
            return function(*args, **kwargs)

    return run
