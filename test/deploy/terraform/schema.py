"""Writes schema.json, what the AWS provider of Terraform takes for the resources
that deploy/terraform uses: schema.py [--check] PACKAGE.tgz. With --check it only
looks whether that is written already.

The provider itself is 700 MB, and comes from a registry that is not everywhere.
Its schema was compiled by the makers of Terraform into the npm package
@cdktf/provider-aws, a class for every resource, which is read here: names, types,
which are blocks, and which are required. Which optional attributes the provider
fills in is not said there; only "id" is taken for one.
"""

import json
import pathlib
import re
import sys
import tarfile

MODULE = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "terraform"
OUT = pathlib.Path(__file__).with_name("schema.json")

SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "stringMap": ["map", "string"], "booleanMap": ["map", "bool"]}
ATTRIBUTE = re.compile(r"(\w+): \{\s*value: (.+?),\s*isBlock: (true|false),\s*type: \"(\w+)\",\s*storageClassType: \"(\w+)\",\s*\}", re.S)
GETTERS = {"String": "string", "Number": "number", "Boolean": "bool", "List": ["list", "string"], "StringMap": ["map", "string"]}
GETTER = re.compile(r"get(String|Number|Boolean|List|StringMap)Attribute\(['\"](\w+)['\"]\)")


def used():
    """The resources and data sources of the module, without those of other providers."""
    text = "\n".join(p.read_text() for p in sorted(MODULE.glob("*.tf")))
    return sorted(set(re.findall(r'^(resource|data) "(aws_\w+)"', text, re.M)))


def source(archive, kind, name):
    folder = ("data-" if kind == "data" else "") + name.replace("_", "-")
    if kind == "resource":
        folder = folder.removeprefix("aws-")
    for end in ("index.js", "index.d.ts"):
        yield archive.extractfile(f"package/lib/{folder}/{end}").read().decode()


def schema(js, types, name):
    parts = re.split(r"^(?:export )?class (\w+) extends cdktf\.Terraform(?:Resource|DataSource)", js, flags=re.M)
    nested, main = parts[0], parts[2]
    config = re.search(r"^export interface (\w+Config) ", types, re.M)[1]
    known = {m[1]: m[2] for m in re.finditer(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", nested, re.M | re.S)}
    block = body(re.search(r"synthesizeHclAttributes\(\) \{(.*?)^    \}", main, re.M | re.S)[1], known, types, config)
    attributes = block["attributes"]
    for kind, attribute in GETTER.findall(main):
        attributes.setdefault(attribute, {"type": GETTERS[kind], "computed": True})
    for cls, attribute in re.findall(r"new (\w+)List\(this, \"(\w+)\", (?:true|false)\)", main):
        if attribute not in attributes and attribute not in block["blocks"]:
            attributes[attribute] = {"type": ["list", computed_object(nested, cls)], "computed": True}
    if "id" in attributes:
        attributes["id"]["computed"] = True
    return block


def computed_object(js, cls):
    text = re.search(rf"class {cls}OutputReference .*?^\}}", js, re.M | re.S)[0]
    return ["object", {name: GETTERS[kind] for kind, name in GETTER.findall(text)}]


def body(text, known, types, interface):
    """A block, of the attributes that text lists and the interface describes."""
    described = re.search(rf"^export interface {interface}\b.*?^\}}", types, re.M | re.S)
    described = described[0] if described else ""
    required = set(re.findall(r"#\w+ \w+#(\w+)\}(?:(?!readonly).)*?readonly \w+:", described, re.S))
    block = {"attributes": {}, "blocks": {}}
    for name, value, is_block, kind, storage in ATTRIBUTE.findall(text):
        must = name in required
        if is_block == "true":
            inner = re.search(r"(\w+)ToHclTerraform", value.replace("cdktf.listMapperHcl(", ""))[1]
            one = "listMapperHcl" not in value
            block["blocks"][name] = {"nesting": kind, "min": int(must), "max": int(one), **body(known[inner], known, types, inner[0].upper() + inner[1:])}
        else:
            block["attributes"][name] = {"type": type_of(kind, storage), **({"required": True} if must else {"optional": True})}
    return block


def type_of(kind, storage):
    if storage in SIMPLE:
        return SIMPLE[storage]
    element = storage.removesuffix("List")
    return [kind, SIMPLE.get(element, "dynamic")]


def settle(block):
    """Note that the provider fills in whatever of a data source is not asked for."""
    for attribute in block["attributes"].values():
        if attribute.get("optional"):
            attribute["computed"] = True
    return block


def statements():
    """The statement of a rule of a web ACL: it contains itself, which the package
    leaves open. Written down from the provider's documentation, as far as it is used."""
    def block(attributes, most=1, **blocks):
        return {"nesting": "list", "min": 0, "max": most, "attributes": attributes, "blocks": blocks}
    required, optional = {"type": "string", "required": True}, {"type": "string", "optional": True}
    match = block({"positional_constraint": required, "search_string": required},
                  field_to_match=block({}, uri_path=block({})),
                  text_transformation=block({"priority": {"type": "number", "required": True}, "type": required}, 0))
    rate = block({"aggregate_key_type": optional, "evaluation_window_sec": {"type": "number", "optional": True}, "limit": {"type": "number", "required": True}},
                 scope_down_statement=block({}, byte_match_statement=match))
    return block({}, rate_based_statement=rate)


def main(package, check=False):
    schemas = {"resource": {}, "data": {}}
    with tarfile.open(package) as archive:
        for kind, name in used():
            schemas[kind][name] = schema(*source(archive, kind, name), name)
            if kind == "data":
                settle(schemas[kind][name])
    rule = schemas["resource"]["aws_wafv2_web_acl"]["blocks"]["rule"]
    del rule["attributes"]["statement"]
    rule["blocks"]["statement"] = statements()
    text = json.dumps(schemas, indent=1, sort_keys=True) + "\n"
    if not check:
        OUT.write_text(text)
    elif OUT.read_text() != text:
        sys.exit(f"{OUT} is not what {package} says: make it again with schema.py")


if __name__ == "__main__":
    main(sys.argv[-1], check="--check" in sys.argv)
