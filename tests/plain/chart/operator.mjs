// Validates objects against the API of the Prometheus operator in one or more generations,
// strictly.
//
//     operator.mjs DIRECTORY GENERATION... < JSON list of {"from": "…", "object": {…}}
//
// Prints one line per error, and nothing else. DIRECTORY holds the npm packages as
// operator-GENERATION.
//
// The packages' validators are generated from the operator's CRDs. Like an API server they accept
// unknown fields, which the server then drops. Here a field that the validator never reads is an
// error: the validated value is a view that records which fields are read.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [directory, ...generations] = process.argv.slice(2);
const entries = JSON.parse(readFileSync(0, "utf8"));

// Some patterns of the CRDs use Go's syntax: "(?i)" in names of months, which are not used here.
globalThis.RegExp = new Proxy(RegExp, {
  construct: (target, [pattern, ...flags]) =>
    new target(typeof pattern === "string" ? pattern.replaceAll("(?i)", "") : pattern, ...flags),
});

// A view of a value, and the paths of the fields that were not read through it.
function watch(value, path = "") {
  if (value === null || typeof value !== "object") return { view: value, unread: () => [] };
  const children = new Map();
  const read = new Set();
  const child = (key) => {
    if (!children.has(key)) children.set(key, watch(value[key], `${path}.${key}`));
    return children.get(key);
  };
  const view = new Proxy(value, {
    get(target, key) {
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return target[key];
      read.add(key);
      return child(key).view;
    },
    // Listing the keys means that all of them are read, as in a map such as labels.
    ownKeys(target) {
      Object.keys(target).forEach((key) => read.add(key));
      return Reflect.ownKeys(target);
    },
  });
  const unread = () =>
    Object.keys(value).flatMap((key) => {
      if (Array.isArray(value) || read.has(key)) return child(key).unread();
      return [`${path}.${key}`];
    });
  return { view, unread };
}

for (const generation of generations) {
  const root = resolve(directory, `operator-${generation}`);
  for (const { from, object } of entries) {
    const where = `${from}, operator ${generation}, ${object.kind} ${object.metadata.name}`;
    const file = resolve(root, object.apiVersion, `${object.kind}.js`);
    if (!existsSync(file)) {
      console.log(`${where}: has no ${object.apiVersion} ${object.kind}`);
      continue;
    }
    const module = await import(pathToFileURL(file));
    const Model = module[object.kind] ?? module.default[object.kind];
    const { view, unread } = watch(object.spec, ".spec");
    // Kubernetes' own metadata are checked elsewhere.
    const { name, namespace, labels } = object.metadata;
    try {
      const model = new Model({ metadata: { name, namespace, labels } });
      // Not by the constructor, which copies every field and so reads it.
      model.spec = view;
      model.validate();
    } catch (error) {
      console.log(`${where}: ${error.message}`);
      continue;
    }
    for (const field of unread()) console.log(`${where}: unknown field ${field}`);
    for (const field of Object.keys(object)) {
      if (!["apiVersion", "kind", "metadata", "spec"].includes(field)) console.log(`${where}: unknown field .${field}`);
    }
  }
}
