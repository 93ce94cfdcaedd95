/** Which lines of two files are not common to both: one flag a line. */
export type Marks = { before: Uint8Array; after: Uint8Array };
