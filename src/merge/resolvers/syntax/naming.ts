/**
 * What a member is called, and what its place means. `free`: it may stand before or behind any other one; `ordered`: not
 * so, but before or behind a free one; `rigid`: what stands before it and behind it must stay so. `name`, where it has
 * one that nothing else beside it may have.
 */
export type Naming = { id: string; place: "free" | "ordered" | "rigid"; name?: string };

export const free = (id: string): Naming => ({ id, place: "free" });
export const ordered = (id: string): Naming => ({ id, place: "ordered" });
export const rigid = (id: string): Naming => ({ id, place: "rigid" });

/** Adds the name that has to be the only one of its kind. */
export const named = (name: string, naming: Naming): Naming => ({ ...naming, name });
