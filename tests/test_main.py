"""`python -m dataset_dm script.py` is `python script.py` with the plugin on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dataset_dm", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_script_sees_what_python_would_show_it(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("word = 'beside'\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, beside\n"
        "print(__name__, __file__, sys.argv[1:], sys.path[0], beside.word, 'dataset_dm.registry' in sys.modules)\n"
        "print('annotations' in globals(), sys.modules['__main__'].beside is beside)\n"
    )
    done = run(script, "--epochs", "3", "-h")
    first = f"__main__ {script} ['--epochs', '3', '-h'] {tmp_path} beside True"
    assert done.stdout.splitlines() == [first, "False True"], done.stderr


def test_exit_code_and_traceback_are_the_scripts(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(7)\n")
    assert run(script).returncode == 7
    script.write_text("1 / 0\n")
    done = run(script)
    assert done.returncode == 1 and f'File "{script}", line 1' in done.stderr
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


def test_spawned_workers_find_the_functions_of_the_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import multiprocessing\n"
        "def double(number):\n"
        "    return 2 * number\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(double, [1, 2]))\n"
    )
    done = run(script)
    assert done.stdout == "[2, 4]\n", done.stderr


def test_missing_script_is_one_line() -> None:
    done = run("no_such_script.py")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("python -m dataset_dm: no script 'no_such_script.py'; usage:")
    assert done.stderr.count("\n") == 1


def test_no_script_shows_the_usage() -> None:
    done = run()
    assert done.returncode == 2 and done.stderr.startswith("usage: python -m dataset_dm script.py")
    assert run("--help").returncode == 0
