// Casbin reads its policies one after the other at every decision: half a second for all grants of the organization, with device groups as
// resource roles. So each device's policies are gathered beforehand here too, over its device groups, and stand in the model when it is asked about.
// Technician groups, and what a role gives, are Casbin's own role graphs; a person bars a permission by a link to it.
import { newEnforcer, newModelFromString } from 'casbin';
import { Organization, answer } from './rounds.js';

const organization = new Organization(process.argv[2]);
const model = newModelFromString(`
[request_definition]
r = sub, act
[policy_definition]
p = sub, role
[role_definition]
g = _, _
g2 = _, _
g3 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g2(p.role, r.act) && g(r.sub, p.sub) && !g3(r.sub, r.act)
`);
const enforcer = await newEnforcer(model);
const people = Object.entries(organization.people);
await enforcer.addNamedGroupingPolicies('g', [
  ...people.flatMap(([person, { groups }]) => groups.map(group => [person, group])),
  ...Object.entries(organization.groups).filter(([, above]) => above),
]);
await enforcer.addNamedGroupingPolicies('g2', Object.entries(organization.roles).flatMap(([role, permissions]) => permissions.map(permission => [role, permission])));
await enforcer.addNamedGroupingPolicies('g3', people.flatMap(([person, { barred }]) => barred.map(permission => [person, permission])));
const policies = model.model.get('p').get('p');

function prepare([person, device, permission]) {
  const grants = organization.grantsOn(device).filter(([, role]) => organization.permissionsOf(role).length > 0);
  return { grants, request: [person, permission] };
}

function decide({ grants, request }) {
  policies.policy = grants;
  return enforcer.enforceSync(...request);
}

await answer(organization, prepare, decide);
