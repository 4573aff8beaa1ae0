// What both peers share: they read the file that the benchmark wrote, say that they are ready, and then answer one round after the other, each
// asked for by a line "FROM COUNT" on standard input, with a line "NANOSECONDS-PER-DECISION ANSWERS" where an answer is 0 or 1.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export class Organization {
  #grants = new Map();

  constructor(file) {
    Object.assign(this, JSON.parse(readFileSync(file, 'utf8')));
    this.asked = [...new Set(this.questions.map(([, , permission]) => permission))];
    for (const [subject, scope, role] of this.grants) {
      if (!this.#grants.has(scope)) this.#grants.set(scope, []);
      this.#grants.get(scope).push([subject, role]);
    }
  }

  /** Subject and role of every grant on the device, its device groups and all devices, each once. */
  grantsOn(device) {
    const all = upwards(this.deviceGroups, device, this.devices[device]).flatMap(scope => this.#grants.get(scope) ?? []);
    return [...new Map(all.map(grant => [grant.join(), grant])).values()];
  }

  /** The groups that a person is in, with all above them. */
  groupsOf(person) {
    return [...new Set(this.people[person].groups.flatMap(group => upwards(this.groups, group)))];
  }

  /** What a role gives of that which the questions ask for. */
  permissionsOf(role) {
    return this.roles[role].filter(permission => this.asked.includes(permission));
  }
}

function upwards(tree, ...chain) {
  for (let above = tree[chain.at(-1)]; above; above = tree[above]) chain.push(above);
  return chain;
}

/** What `prepare` does with each question is off the clock; only `decide` is on it. */
export async function answer(organization, prepare, decide) {
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin })) {
    const [from, count] = line.split(' ').map(Number);
    const prepared = organization.questions.slice(from, from + count).map(prepare);
    const answers = new Array(prepared.length);
    const start = process.hrtime.bigint();
    for (let index = 0; index < prepared.length; index++) answers[index] = decide(prepared[index]);
    const spent = Number(process.hrtime.bigint() - start);
    console.log(`${spent / prepared.length} ${answers.map(Number).join('')}`);
  }
}
