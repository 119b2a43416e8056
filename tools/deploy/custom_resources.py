"""Validates objects of an API group in rendered manifests against its custom resource definitions.

Usage: custom_resources.py <group> <folder of the definitions> <manifest>...
"""

import pathlib
import sys

import jsonschema
import yaml

# "=" alone, which some definitions have, has a meaning in YAML 1.1 that PyYAML does not know.
yaml.SafeLoader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)


def closed(schema):
    """A cluster drops unknown fields; here they are mistakes."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema:
        result.setdefault("additionalProperties", False)
    return result


group, definitions, *manifests = sys.argv[1:]
schemas = {}
for path in pathlib.Path(definitions).glob(f"{group}_*.yaml"):
    spec = yaml.safe_load(path.read_text())["spec"]
    for version in spec["versions"]:
        key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
        schemas[key] = closed(version["schema"]["openAPIV3Schema"])

failed = False
for manifest in manifests:
    for document in filter(None, yaml.safe_load_all(pathlib.Path(manifest).read_text())):
        if not document["apiVersion"].startswith(f"{group}/"):
            continue
        schema = schemas.get((document["apiVersion"], document["kind"]), {"not": {}})
        for error in jsonschema.Draft4Validator(schema).iter_errors(document):
            failed = True
            where = "/".join(map(str, error.absolute_path))
            print(f"{manifest}: {document['kind']} {document['metadata']['name']}: {where}: {error.message}")
sys.exit(1 if failed else 0)
