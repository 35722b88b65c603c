// Answers GraphQL queries on loopback with made-up data in the form of GitHub's own schema. A query that the schema does not allow gets 400 and what is
// wrong with it. Prints its port.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { buildSchema, execute, isEnumType, isListType, isNonNullType, isScalarType, parse, validate } from 'graphql';

const text = readFileSync(new URL('node_modules/@octokit/graphql-schema/schema.graphql', import.meta.url), 'utf8');
// This version of the schema defines two fields of an enterprise twice, which does not concern any query.
const schema = buildSchema(text, { assumeValidSDL: true, assumeValid: true });
const repository = 'octocat/Hello-World';

// What has to fit together, by type and field; the rest follows from its type.
const fixed = {
  'Repository.nameWithOwner': repository,
  'Repository.url': `https://github.com/${repository}`,
  'PageInfo.hasNextPage': false,
  'PageInfo.hasPreviousPage': false,
  'TreeEntry.name': 'release.yml',
  'TreeEntry.type': 'blob',
  'Blob.text': 'jobs: {ship: {environment: "${{ inputs.where }}", permissions: {id-token: write}}}',
  'Blob.isBinary': false,
  'Blob.isTruncated': false,
  'Deployment.environment': 'staging',
  'DeploymentStatus.state': 'SUCCESS',
  'DeploymentStatus.logUrl': `https://github.com/${repository}/actions/runs/42/job/7`,
};
// Counts that are larger than the lists, so that the rest is asked for.
for (const list of ['DeploymentStatusConnection', 'PullRequestReviewConnection']) fixed[`${list}.totalCount`] = 2;
const commits = ['6dcb09b5b57875f334f61aebed695e2e4193db5e', '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d'];
const inOrganization = ({ path }) => { while (path.prev) path = path.prev; return path.key === 'organization'; };
// Of what is at a path, only the root is there, so that the histories of what is missing are asked for. Of deployments there is a second page, and the second
// deployment brings another commit.
const resolved = {
  'DeploymentConnection.pageInfo': (args, info) => ({ hasNextPage: inOrganization(info), endCursor: 'second' }),
  'DeploymentConnection.nodes': () => commits.map((commitOid, i) => ({ id: `DE_${i}`, commitOid, createdAt: `2026-01-0${i + 1}T03:04:05Z` })),
  'Repository.object': ({ oid, expression }) => (oid ? { __typename: 'Commit', oid } : expression.endsWith(':') || expression.endsWith('/workflows') ? { __typename: 'Tree' } : null),
  'Ref.target': () => ({ __typename: 'Commit' }),
};
const scalars = {
  Int: 1, Float: 1, Boolean: true, ID: 'ID', URI: 'https://github.com/octocat', DateTime: '2026-01-02T03:04:05Z', Date: '2026-01-02',
  GitObjectID: '6dcb09b5b57875f334f61aebed695e2e4193db5e', BigInt: '1',
};

function value(type) {
  if (isNonNullType(type)) return value(type.ofType);
  if (isListType(type)) return [value(type.ofType)];
  if (isScalarType(type)) return scalars[type.name] ?? 'text';
  if (isEnumType(type)) return type.getValues()[0].value;
  return {};
}

function fieldResolver(source, args, context, info) {
  const name = `${info.parentType.name}.${info.fieldName}`;
  if (source && info.fieldName in source) return source[info.fieldName];
  if (name in resolved) return resolved[name](args, info);
  return name in fixed ? fixed[name] : value(info.returnType);
}

// Which of several types a field has where a query asks for one of them.
const chosen = { 'MoreStatuses node': 'Deployment', 'Query.node': 'Repository', 'Query.nodes': 'Repository', 'TreeEntry.object': 'Blob' };
const typeResolver = (source, context, info, type) => source.__typename ?? chosen[`${info.operation.name.value} ${info.fieldName}`] ?? chosen[`${info.parentType.name}.${info.fieldName}`] ?? schema.getPossibleTypes(type)[0].name;

createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', async () => {
    const answer = (code, content) => response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    try {
      const { query, variables } = JSON.parse(body);
      const document = parse(query);
      const errors = validate(schema, document);
      if (errors.length > 0) return answer(400, { message: errors.map((e) => e.message).join('; ') });
      const result = await execute({ schema, document, variableValues: variables, fieldResolver, typeResolver, rootValue: {} });
      if (result.errors) return answer(400, { message: result.errors.map((e) => e.message).join('; ') });
      return answer(200, result);
    } catch (error) {
      return answer(400, { message: String(error.message) });
    }
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
