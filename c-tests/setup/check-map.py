"""Checks that who opens a folder is told what is in it: every folder of the top two levels has a README.md, and the map
in the top README names each folder of the first level, those of src, adapters and c-tests, and none that is not there.
"""

import pathlib
import re
import subprocess
import sys

run = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
files = run.stdout.splitlines()
if run.returncode != 0:
    # A release's archive: what is in it, but what was built.
    files = [str(path) for path in pathlib.Path().glob("[!.]*/**/*") if path.is_file() and "target" not in path.parts]
parents = [pathlib.PurePath(file).parents for file in files if pathlib.Path(file).exists()]
folders = sorted({str(folder) for each in parents for folder in list(each)[-3:-1] if not str(folder).startswith(".")})
if not folders:
    sys.exit("there is no folder here")
top = pathlib.Path("README.md").read_text(encoding="utf-8")
source = top[top.index("\n## The source\n") :]
source = source[: source.index("\n## ", 5)]
rows = re.findall(r"^\| (`.*?) \|", source, re.MULTILINE)
named = {name for row in rows for name in re.findall(r"`(.*?)`", row)}

problems = []
for folder in folders:
    readme = pathlib.Path(folder, "README.md")
    if not readme.exists():
        problems.append(f"{folder} has no README.md")
    elif len(readme.read_text(encoding="utf-8").splitlines()) < 3:
        problems.append(f"{readme} says nothing")
    parent = folder.rpartition("/")[0]
    covered = folder in named or (parent and parent not in ("src", "adapters", "c-tests"))
    # A folder whose folders are all in the map is in it.
    covered = covered or any(each.startswith(f"{folder}/") for each in named)
    if not covered:
        problems.append(f"the map in README.md has no {folder}")
gone = sorted(name for name in named if not pathlib.Path(name).exists())
problems += [f"the map in README.md has {name}, which is not there" for name in gone]

for problem in problems:
    print(f"not ok - {problem}")
print(f"{len(folders) + len(named) - len(problems)} passed, {len(problems)} failed")
sys.exit(bool(problems))
