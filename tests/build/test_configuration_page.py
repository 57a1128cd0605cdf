#!/usr/bin/env python3
"""docs/configuration.md and Group Policy's templates are what daemon/core/settings.def says, and the templates have all that
schema/settings.schema.json, which core.settings holds against the table, has.
"""
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

source = Path(os.environ["FERRY_SOURCE"])
made = {"PAGE": "docs/configuration.md", "ADMX": "packaging/policy/ferry.admx", "ADML": "packaging/policy/en-US/ferry.adml"}
with tempfile.TemporaryDirectory() as folder:
    paths = {name: Path(folder) / name for name in made}
    subprocess.run(["cmake", "-D", f"IN={source / 'daemon/core/settings.def'}", "-D", f"TOP={source / 'cmake/configuration.md.in'}",
                    *(word for name, path in paths.items() for word in ("-D", f"{name}={path}")),
                    "-P", source / "cmake/settings.cmake"], check=True)
    for name, path in paths.items():
        committed = source / made[name]
        if not committed.exists() or committed.read_bytes() != path.read_bytes():
            sys.exit(f"{made[name]} has drifted from daemon/core/settings.def: cmake --build --preset linux --target docs")

SPACE = "{http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions}"
admx, adml = (xml.parse(source / made[name]).getroot() for name in ("ADMX", "ADML"))
page = (source / made["PAGE"]).read_text()
strings = {text.get("id"): text.text for text in adml.iter(SPACE + "string")}
presentations = {one.get("id"): one[0] for one in adml.iter(SPACE + "presentation")}
categories = {one.get("name") for one in admx.iter(SPACE + "category")}
policies = {one.get("name"): one for one in admx.iter(SPACE + "policy")}
used = set()


def text(reference):
    """What a "$(string.NAME)" stands for."""
    name = reference[len("$(string."):-1]
    assert reference == f"$(string.{name})" and strings[name].strip(), reference
    used.add(name)
    return strings[name]


def check(key, about):
    name = key.replace(".", "_")
    policy, box = policies.pop(name), presentations.pop(name)
    assert policy.get("class") == "Machine" and policy.get("key") == "SOFTWARE\\Policies\\Ferry", key
    assert policy.get("presentation") == f"$(presentation.{name})" and text(policy.get("displayName")) == key, key
    assert text(policy.get("explainText")).startswith(about["description"] + "\n"), key
    assert policy.find(SPACE + "parentCategory").get("ref") == "Ferry_" + key.split(".")[0] in categories, key
    assert policy.find(SPACE + "supportedOn").get("ref") == "SUPPORTED_Ferry", key
    element, = policy.find(SPACE + "elements")
    assert element.get("valueName") == key and element.get("id") == box.get("refId") and box.text, key
    kind = element.tag[len(SPACE):], box.tag[len(SPACE):]
    if "enum" in about:
        assert kind == ("enum", "dropdownList"), key
        values = [item.find(f"{SPACE}value/{SPACE}string").text for item in element]
        assert values == about["enum"] and values[int(box.get("defaultItem"))] == about["default"], key
        assert all(text(item.get("displayName")) for item in element), key
    elif about["type"] == "array":
        assert kind == ("multiText", "multiTextBox"), key
        assert int(element.get("maxStrings")) == about["maxItems"] and int(element.get("maxLength")) == about["items"]["maxLength"], key
    else:
        assert kind == ("decimal", "decimalTextBox"), key
        assert [int(element.get("minValue")), int(element.get("maxValue")), int(box.get("defaultValue"))] == [
            about["minimum"], about["maximum"], about["default"]], key
        assert f"| `{key}` | {about['minimum']} to {about['maximum']}" in page, key
        assert (f"| `{key}` |" in page) and (("Read at the start only." in about["description"]) ==
                                             (page.split(f"| `{key}` |")[1].split("|")[2].strip() == "no")), key
    assert f"| `{key}` |" in page and about["description"].replace("|", "\\|") in page, key


schema = json.loads((source / "schema/settings.schema.json").read_text())["properties"]
for group, members in schema.items():
    for name, about in members["properties"].items():
        check(f"{group}.{name}", about)
assert not policies and not presentations, (policies, presentations)
for category in admx.iter(SPACE + "category"):
    text(category.get("displayName"))
text(admx.find(f"{SPACE}supportedOn/{SPACE}definitions/{SPACE}definition").get("displayName"))
assert used == set(strings), used ^ set(strings)
