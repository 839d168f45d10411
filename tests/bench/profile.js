// Parses callgrind's output: https://valgrind.org/docs/manual/cl-format.html, as far as it is written for one
// event (instructions) with lines as the only sub-positions.

export class Profile {
  total = 0;
  #self = new Map(); // function → its own instructions
  #edges = []; // calls: {from, to, count, cost}, the cost including callees

  addSelf(name, cost) {
    this.total += cost;
    this.#self.set(name, (this.#self.get(name) ?? 0) + cost);
  }

  addCall(from, to, count, cost) {
    this.#edges.push({ from, to, count, cost });
  }

  /** Instructions in the functions whose names contain `part`, including their callees. */
  inclusive(part) {
    let cost = 0;
    for (const [name, self] of this.#self) cost += name.includes(part) ? self : 0;
    for (const edge of this.#edges) cost += edge.from.includes(part) && !edge.to.includes(part) ? edge.cost : 0;
    return cost;
  }

  /** Instructions in calls from functions whose names contain `from` to those whose names contain `to`. */
  between(from, to) {
    let cost = 0;
    for (const edge of this.#edges) cost += edge.from.includes(from) && edge.to.includes(to) ? edge.cost : 0;
    return cost;
  }

  /** The number of calls of the function with exactly this name, without recursive calls. */
  calls(name) {
    let count = 0;
    for (const edge of this.#edges) count += edge.to === name && edge.from !== name ? edge.count : 0;
    return count;
  }
}

export function readProfile(text) {
  const profile = new Profile();
  const names = new Map(); // a name is written once, later only its number
  const nameOf = (value) => {
    const [, number, name] = /^(\(\d+\))(?: (.*))?$/.exec(value);
    if (name !== undefined) names.set(number, name);
    return names.get(number);
  };
  let from = '';
  let to = '';
  let count = null; // calls whose cost is on the next line
  for (const line of text.split('\n')) {
    const entry = /^(fn|cfn|calls)=(.*)$/.exec(line);
    const cost = /^[+*\-\d]\S* (\d+)$/.exec(line);
    if (entry?.[1] === 'fn') from = nameOf(entry[2]);
    else if (entry?.[1] === 'cfn') to = nameOf(entry[2]);
    else if (entry) count = Number.parseInt(entry[2], 10);
    else if (cost && count !== null) {
      profile.addCall(from, to, count, Number(cost[1]));
      count = null;
    } else if (cost) profile.addSelf(from, Number(cost[1]));
  }
  return profile;
}
