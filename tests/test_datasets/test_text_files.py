"""Lists as editors of other systems write them."""

import pytest

from mmforecast.creative.datasets.image_list import read_image_list
from mmforecast.datasets.text_files import read_lines
from mmforecast.datasets.video.listing import read_entries

ENCODINGS = ('utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le-bom', 'utf-16-be-bom')


def write(path, text, encoding, newline='\n'):
    text = text.replace('\n', newline)
    if encoding.endswith('-bom'):
        text, encoding = '\ufeff' + text, encoding[: -len('-bom')]
    path.write_bytes(text.encode(encoding))
    return str(path)


@pytest.mark.parametrize('newline', ['\n', '\r\n', '\r'])
@pytest.mark.parametrize('encoding', ENCODINGS)
def test_lines(tmp_path, encoding, newline):
    path = write(tmp_path / 'list.txt', 'spaziergang_ä.mp4\n\n# no video\n  b.mkv 2:9  \n', encoding, newline)
    assert read_lines(path) == ['spaziergang_ä.mp4', 'b.mkv 2:9']
    entries = read_entries(str(tmp_path), 'list.txt')
    assert [(entry.name, entry.first, entry.stop) for entry in entries] == [
        ('spaziergang_ä.mp4', 0, None),
        ('b.mkv', 2, 9),
    ]


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_image_list(tmp_path, encoding):
    path = write(tmp_path / 'list.csv', 'img_path,shape\na.png,dress\nb.png,coat\n', encoding, '\r\n')
    assert [row.img_path for row in read_image_list(path).rows] == ['a.png', 'b.png']


def test_other_encodings_are_refused(tmp_path):
    path = write(tmp_path / 'list.txt', 'ä.mp4\n', 'latin-1')
    with pytest.raises(ValueError, match='is not UTF-8 text .*save it as UTF-8'):
        read_lines(path)


def test_paths_of_windows(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'c\\d.mp4').touch()  # a name on other systems
    names = [entry.name for entry in read_entries(str(tmp_path), ['a\\b.mp4', 'c\\d.mp4'])]
    assert names == ['a/b.mp4', 'c\\d.mp4']
