# SPDX-License-Identifier: Apache-2.0
"""The schemas and `theater check` agree: schema_check.py THEATER

Each case is a manifest or a system file; both must take it, or both refuse it.
Cases of each key are made from the schema itself: its bounds, and what is just
outside of them."""
import json
import pathlib
import subprocess
import sys
import tempfile
import tomllib

import jsonschema

theater = sys.argv[1]
TOP = 'name = "a"\npackage = "a.wasm"\n'
SERVER = TOP + '[[handler]]\ntype = "message-server"\n'
MANIFESTS = [
    TOP, "", 'name = "a"\n', 'package = "a.wasm"\n', TOP + "[limits]\n",
    TOP + 'nmae = "x"\n', TOP + '[limit]\nmemory = 1\n', TOP + "limits = 3\n",
    TOP + "[[handler]]\n", TOP + '[[handler]]\ntype = "runtime"\n',
    TOP + '[[handler]]\ntype = "runtime"\nx = 1\n',
    TOP + '[[handler]]\ntype = "rumtime"\n', TOP + "handler = 1\n",
    SERVER + '[[handler]]\ntype = "message-server"\n',
    SERVER + '[[handler]]\ntype = "runtime"\n',
    'name = ""\npackage = "a.wasm"\n', 'name = 1\npackage = "a.wasm"\n',
    'name = "a\\u001b"\npackage = "a.wasm"\n',
    'name = "a\\u0085"\npackage = "a.wasm"\n',
    'name = "\u00fc b"\npackage = "a.wasm"\n',
    TOP + 'version = "\\u0000"\n', TOP + 'initial_state = "\\u0000"\n',
]
VALUES = {
    "allowed_targets": ["[]", '["a"]', '["a*"]', '["*"]', '["**"]', '["a*b"]',
                        '[""]', "[1]", '"a"', '["a", "b*"]', '["a\\u0000"]'],
    "memory": ['"64KiB"', '"63KiB"', "65536", "65535", '"4GiB"', '"5GiB"',
               '"4096MiB"', '"4097MiB"', '"65536"', '"064KiB"', '"64 KiB"',
               '"64kib"', '"65535"', '"1.5GiB"', "-1", "true", '""'],
    "delivery_time": ['"1ms"', '"0ms"', '"999us"', '"1000us"', '"1h"', '"60m"',
                      '"61m"', '"2h"', '"3600s"', '"3601s"', '"unlimited"',
                      '"5"', "5", '"5 s"', '"1000000ns"', '"999999ns"'],
    "send_timeout": ['"unlimited"', '"1ms"', '"5s"', '"3600000ms"',
                     '"3600001ms"'],
    "restart_backoff": ['"0s"', '"0ns"', '"1h"', '"3600000000001ns"'],
}
SYSTEM = '[[actor]]\nmanifest = "m.toml"\n'
SYSTEMS = [
    SYSTEM, "actor = []\n", "actor = 1\n", "[actor]\n", "[[actor]]\n",
    SYSTEM + "count = 2\n", SYSTEM + "count = 0\n", SYSTEM + 'count = "2"\n',
    SYSTEM + 'name = "b"\n', SYSTEM + 'name = ""\n', SYSTEM + "nmae = 1\n",
    SYSTEM + 'initial_state = "x"\n', "x = 1\n" + SYSTEM,
]


def toml(value):
    return json.dumps(value)


def around(key):
    """Values of a key that lie on its bounds and outside of them."""
    if "enum" in key:
        return [toml(one) for one in key["enum"]] + ['"neither"', "1"]
    if key.get("type") == "boolean":
        return ["true", "false", '"true"', "1"]
    if key.get("type") == "integer":
        least, most = key["minimum"], key["maximum"]
        return [str(n) for n in (least - 1, least, most, most + 1)] + ['"1"']
    for one in key.get("anyOf", []):
        if one.get("type") == "integer":
            return around(one)[:4] + [toml(key["default"]), "true"]
    if "minLength" in key:
        sizes = [key["minLength"], min(key["maxLength"], 5000)]
        return [toml("x" * n) for n in sizes] + ["1", "true"]
    return [toml(key["default"])] if "default" in key else []


def cases():
    manifest = schemas["manifest"]
    for text in MANIFESTS:
        yield "manifest", text
    places = [("", manifest), ("[limits]\n",
                               manifest["properties"]["limits"])]
    for handler in manifest["properties"]["handler"]["items"]["oneOf"]:
        kind = handler["properties"]["type"]["const"]
        places.append((f'[[handler]]\ntype = "{kind}"\n', handler))
    for head, group in places:
        for name, key in group["properties"].items():
            if name in ("limits", "handler", "type", "name", "package"):
                continue
            for value in VALUES.get(name, []) + around(key):
                yield "manifest", f"{TOP}{head}{name} = {value}\n"
    for text in SYSTEMS:
        yield "system", text


def ask(*arguments):
    return subprocess.run([theater, *arguments], capture_output=True,
                          text=True, check=False)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    # The smallest module that may be an actor: an empty one.
    (folder / "a.wasm").write_bytes(b"\0asm\1\0\0\0")
    (folder / "m.toml").write_text(TOP)
    schemas = {kind: json.loads(ask("schema", kind).stdout)
               for kind in ("manifest", "system")}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    taken = refused = wrong = 0
    for kind, text in cases():
        (folder / "case.toml").write_text(text)
        said = ask("check", "--cache-dir", str(folder / "cache"),
                   str(folder / "case.toml"))
        check = "bad-manifest" not in said.stderr
        validator = jsonschema.Draft202012Validator(schemas[kind])
        errors = list(validator.iter_errors(tomllib.loads(text)))
        taken += check
        refused += not check
        if check != (not errors):
            wrong += 1
            print(f"{kind}: check {'takes' if check else 'refuses'} it, the "
                  f"schema does not agree\n{text}{said.stderr}"
                  f"{errors[:1]}\n", file=sys.stderr)
print(f"{taken} taken by both, {refused} refused by both, {wrong} disagree")
if wrong or taken < 50 or refused < 50:
    sys.exit(1)
