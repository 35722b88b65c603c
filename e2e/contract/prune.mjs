// Writes the part of GitHub's OpenAPI description that operations.txt names, and a list of the query parameters that each path takes.
// The whole description takes Prism a quarter of a minute and 300 MB to read.
//
//   node prune.mjs operations.txt spec.json parameters.json
import { readFileSync, writeFileSync } from 'node:fs';

const [operations, specFile, parametersFile] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(new URL(`node_modules/@octokit/openapi/generated/${name}`, import.meta.url), 'utf8'));
const cloud = read('api.github.com.json');
const server = read('ghes-3.17.json');
// What GitHub Enterprise Cloud alone has; where both describe a thing, the description of github.com counts.
const enterprise = read('ghec.json');
for (const [path, item] of Object.entries(enterprise.paths)) cloud.paths[path] ??= item;
for (const [kind, named] of Object.entries(enterprise.components)) cloud.components[kind] = { ...named, ...cloud.components[kind] };

const wanted = readFileSync(operations, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(' '));
const missing = wanted.flatMap(([path, only]) => [
  ...(cloud.paths[path] ? [] : [`github.com does not know ${path}`]),
  ...(only === 'cloud' || server.paths[path] ? [] : [`GitHub Enterprise Server 3.17 does not know ${path}`]),
]);
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}

const resolve = (ref) => ref.slice(2).split('/').reduce((node, step) => node[step.replaceAll('~1', '/').replaceAll('~0', '~')], cloud);
const pruned = { openapi: cloud.openapi, info: cloud.info, servers: cloud.servers, paths: {}, components: {} };
const parameters = {};
const queue = [];
for (const [path] of wanted) {
  pruned.paths[path] = cloud.paths[path];
  queue.push(cloud.paths[path]);
  parameters[path] = Object.values(cloud.paths[path])
    .flatMap((operation) => operation.parameters ?? [])
    .map((parameter) => (parameter.$ref ? resolve(parameter.$ref) : parameter))
    .filter((parameter) => parameter.in === 'query')
    .map((parameter) => parameter.name);
}

// Every component that is referred to comes along, and what that refers to.
while (queue.length > 0) {
  const node = queue.pop();
  if (node === null || typeof node !== 'object') continue;
  for (const [key, value] of Object.entries(node)) {
    if (key !== '$ref' || typeof value !== 'string' || !value.startsWith('#/components/')) {
      queue.push(value);
      continue;
    }
    const [, , kind, name] = value.split('/');
    pruned.components[kind] ??= {};
    if (!(name in pruned.components[kind])) {
      pruned.components[kind][name] = cloud.components[kind][name];
      queue.push(pruned.components[kind][name]);
    }
  }
}

// Inside of an example's value a reference is not one to OpenAPI, yet GitHub writes some there.
function inlined(value) {
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$ref === 'string') return inlined(resolve(value.$ref).value);
  if (Array.isArray(value)) return value.map(inlined);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inlined(inner)]));
}
function inlineExamples(node) {
  if (node === null || typeof node !== 'object') return;
  for (const example of Object.values(node.examples ?? {})) {
    if (example?.value !== undefined) example.value = inlined(example.value);
  }
  Object.values(node).forEach(inlineExamples);
}
inlineExamples(pruned);
writeFileSync(specFile, JSON.stringify(pruned));
writeFileSync(parametersFile, JSON.stringify(parameters));
