/** An object id; commits unless a name says otherwise. */
export type Oid = string;

export function isOid(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
