"""Prints the versions of the libraries below mmforecast, and a verdict.

Exits with 1 if something is to be mended, and says how.

    python tools/misc/check_env.py           # also loads the compiled libraries, some seconds
    python tools/misc/check_env.py --quick   # versions only
"""

import argparse
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace


def load_check_env() -> SimpleNamespace:
    """`mmforecast/utils/check_env.py`, by path: importing the package may be what fails."""
    # in a checkout the package lies beside `tools`; when installed, `tools` lies in its `.mim`
    root = Path(__file__).resolve().parents[2]
    for package in (root / 'mmforecast', root.parent):
        file = package / 'utils' / 'check_env.py'
        if file.is_file():
            return SimpleNamespace(**runpy.run_path(str(file)))
    raise SystemExit(f'No mmforecast package beside {root}: run this file from a checkout or an installation.')


def gpus() -> list[str]:
    """The CUDA devices as `nvidia-smi` names them; empty where there is none."""
    try:
        result = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True)
    except OSError:
        return []
    return result.stdout.splitlines() if result.returncode == 0 else []


def report(check_env: SimpleNamespace, versions: dict, problems: list) -> str:
    """The table of versions and the verdict, as text."""
    rows = [('package', 'installed', 'supported', 'tested')]
    for each in (check_env.PYTHON, *check_env.REQUIREMENTS):
        version = versions[each.name] or '-'
        if version.endswith(check_env.FORK_MARK):
            rows.append((each.name, version, f'>={each.fork_tested}', each.fork_tested))
        else:
            rows.append((each.name, version, each.supported or 'any', each.tested))
        if each.name == 'mmcv':
            rows.append(('mmcv ops', versions['mmcv ops'] or '-', 'any', 'pytorch, compiled'))
    widths = [max(map(len, column)) + 2 for column in zip(*rows)]
    lines = [''.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines += ['', 'CUDA devices: ' + ('; '.join(gpus()) or 'none')]
    lines += [check_env.OPS_NOTES[versions['mmcv ops']]] if versions['mmcv ops'] else []
    lines.append('')
    lines += [f'{"PROBLEM" if problem.fatal else "warning"}: {problem}' for problem in problems]
    fatal = sum(problem.fatal for problem in problems)
    lines.append(f'Verdict: {fatal} to fix.' if fatal else 'Verdict: fine.')
    return '\n'.join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quick', action='store_true', help='look at versions only, load nothing')
    args = parser.parse_args()

    check_env = load_check_env()
    versions = check_env.probe()
    problems = check_env.check(versions, {} if args.quick else check_env.failing_imports(versions))
    print(report(check_env, versions, problems))
    return int(any(problem.fatal for problem in problems))


if __name__ == '__main__':
    sys.exit(main())
