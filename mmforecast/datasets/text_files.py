"""Text files that users write, with any editor."""

import codecs

__all__ = ['read_lines', 'read_text']

_ENCODINGS = {
    codecs.BOM_UTF8: 'utf-8-sig',
    codecs.BOM_UTF16_LE: 'utf-16',
    codecs.BOM_UTF16_BE: 'utf-16',
}


def read_text(path: str) -> str:
    """The content of a text file: UTF-8, or UTF-16 with a byte-order mark; lines end in a newline alone.

    Raises:
        OSError: The file can't be read.
        ValueError: It is neither.
    """
    with open(path, 'rb') as file:
        data = file.read()
    encoding = next((name for mark, name in _ENCODINGS.items() if data.startswith(mark)), 'utf-8')
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8 text ({error}): save it as UTF-8') from error
    return text.replace('\r\n', '\n').replace('\r', '\n')


def read_lines(path: str) -> list[str]:
    """Lines of a text file without blanks around them; empty ones and those that begin with # are left out.

    Raises:
        OSError: The file can't be read.
        ValueError: It is no text.
    """
    lines = map(str.strip, read_text(path).split('\n'))
    return [line for line in lines if line and line[0] != '#']
