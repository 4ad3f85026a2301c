# SPDX-License-Identifier: Apache-2.0
"""Makes a component of an actor in Python:

    python theater/build.py SOURCE.py OUTPUT.wasm

Its world has the handlers that SOURCE defines.
"""

import ast
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = "import componentize_py; componentize_py.script()"


def fail(text):
    sys.exit(f"build: {text}")


def names_of(source):
    """What a module's top level defines."""
    try:
        module = ast.parse(source.read_text(), str(source))
    except SyntaxError as error:
        fail(f"{source}:{error.lineno}: {error.msg}")
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def handlers_of(wit):
    """The handlers of the world `actor`: Python's name of each, its line."""
    found = re.finditer(r"^ +export ([a-z-]+): func\(.*;$", wit, re.MULTILINE)
    return {match[1].replace("-", "_"): match[0] for match in found}


def chosen(source, handlers):
    defined = list(names_of(source))
    known = ", ".join(handlers)
    for name in defined:
        if name.startswith("handle_") and name not in handlers:
            fail(f"there is no handler {name}; there are {known}")
    names = [name for name in handlers if name in defined]
    return names or fail(f"{source} has no handler; there are {known}")


def componentize(source, output, scratch):
    wit = (HERE / "actor.wit").read_text()
    handlers = handlers_of(wit)
    names = chosen(source, handlers)
    world = ["world built {", "  import message-server;", "  import runtime;"]
    world += [handlers[name] for name in names] + ["}\n"]
    (scratch / "wit").mkdir()
    (scratch / "wit" / "actor.wit").write_text(wit + "\n".join(world))
    (scratch / "theater_world.py").write_text(
        f"MODULE = {source.stem!r}\nHANDLERS = {names!r}\n"
    )
    command = [sys.executable, "-c", TOOL, "--quiet"]
    command += ["-d", str(scratch / "wit"), "-w", "built", "componentize"]
    for path in (source.parent, HERE, scratch):
        command += ["-p", str(path)]
    command += ["theater_entry", "-o", str(output)]
    return subprocess.run(command).returncode


def main():
    if len(sys.argv) != 3:
        fail("usage: build.py SOURCE.py OUTPUT.wasm")
    source, output = Path(sys.argv[1]), Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory(prefix="theater-") as scratch:
        sys.exit(componentize(source, output, Path(scratch)))


main()
