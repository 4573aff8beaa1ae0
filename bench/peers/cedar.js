// Cedar reads every policy of a set at every decision, and its binding parses the entities that come with a request anew each time. Its fastest
// form is therefore the one that has everything of the device in a policy set of its own, parsed beforehand: a policy for each permission, with
// everybody whom a grant on the device or above it names. Only the person comes with the request, with all groups above named as parents.
// Tried and slower: grantees as attributes of the device (several times), a policy for each grant on the device (more than twice).
import { setFlagsFromString } from 'node:v8';
import cedar from '@cedar-policy/cedar-wasm/nodejs';
import { Organization, answer } from './rounds.js';

// Node 20.20 aborts ("unreachable code" in the deoptimizer) once it has inlined calls of the binding.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

const organization = new Organization(process.argv[2]);
const barred = 'forbid(principal, action, resource) when { principal.barred.contains(action) };';

function prepare([person, device, permission], index) {
  const preparsedPolicySetId = `device${index}`;
  succeed(cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies: [...permits(device), barred].join('\n') }));
  return {
    principal: { type: 'Person', id: person },
    action: { type: 'Action', id: permission },
    resource: { type: 'Device', id: device },
    context: {},
    preparsedPolicySetId,
    entities: [{
      uid: { type: 'Person', id: person },
      attrs: { barred: organization.people[person].barred.map(id => ({ __entity: { type: 'Action', id } })) },
      parents: organization.groupsOf(person).map(id => ({ type: 'Group', id })),
    }],
  };
}

function* permits(device) {
  const grants = organization.grantsOn(device);
  for (const permission of organization.asked) {
    const subjects = new Set(grants.filter(([, role]) => organization.permissionsOf(role).includes(permission)).map(([subject]) => subject));
    const named = [...subjects].map(subject => subject in organization.people ? `Person::"${subject}"` : `Group::"${subject}"`);
    yield `permit(principal, action == Action::"${permission}", resource) when { principal in [${named.join()}] };`;
  }
}

function decide(request) {
  const { response } = succeed(cedar.statefulIsAuthorized(request));
  if (response.diagnostics.errors.length > 0) throw new Error(JSON.stringify(response.diagnostics.errors));
  return response.decision === 'allow';
}

function succeed(result) {
  if (result.type !== 'success') throw new Error(JSON.stringify(result.errors));
  return result;
}

await answer(organization, prepare, decide);
