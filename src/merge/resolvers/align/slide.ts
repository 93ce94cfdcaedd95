type Group = { start: number; end: number };

/**
 * Moves groups of changed lines that could stand elsewhere as well (an added line next to an equal one): as far down
 * as possible, or to where the other file has a change too. Git does the same before it merges, by the same rule.
 */
export function slideGroups(lines: Int32Array, changed: Uint8Array, otherChanged: Uint8Array): void {
  const group = firstGroup(changed);
  const other = firstGroup(otherChanged);
  do {
    if (group.end > group.start) settle(lines, changed, group, otherChanged, other);
    next(otherChanged, other);
  } while (next(changed, group));
}

function settle(lines: Int32Array, changed: Uint8Array, group: Group, otherChanged: Uint8Array, other: Group): void {
  let size: number;
  let earliest: number;
  let matching: boolean;
  do {
    size = group.end - group.start;
    while (slideUp(lines, changed, group)) previous(otherChanged, other);
    earliest = group.end;
    matching = other.end > other.start;
    while (slideDown(lines, changed, group)) {
      next(otherChanged, other);
      matching ||= other.end > other.start;
    }
  } while (size !== group.end - group.start);
  if (group.end === earliest || !matching) return;
  while (other.end === other.start) {
    slideUp(lines, changed, group);
    previous(otherChanged, other);
  }
}

function firstGroup(changed: Uint8Array): Group {
  const group = { start: 0, end: 0 };
  while (changed[group.end] === 1) group.end++;
  return group;
}

function next(changed: Uint8Array, group: Group): boolean {
  if (group.end === changed.length) return false;
  group.start = group.end + 1;
  group.end = group.start;
  while (changed[group.end] === 1) group.end++;
  return true;
}

function previous(changed: Uint8Array, group: Group): void {
  group.end = group.start - 1;
  group.start = group.end;
  while (changed[group.start - 1] === 1) group.start--;
}

function slideDown(lines: Int32Array, changed: Uint8Array, group: Group): boolean {
  if (group.end >= lines.length || lines[group.start] !== lines[group.end]) return false;
  changed[group.start++] = 0;
  changed[group.end++] = 1;
  while (changed[group.end] === 1) group.end++;
  return true;
}

function slideUp(lines: Int32Array, changed: Uint8Array, group: Group): boolean {
  if (group.start === 0 || lines[group.start - 1] !== lines[group.end - 1]) return false;
  changed[--group.start] = 1;
  changed[--group.end] = 0;
  while (changed[group.start - 1] === 1) group.start--;
  return true;
}
