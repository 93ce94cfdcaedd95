export function judge(text: string, people: string | undefined, placesEqual: () => boolean): string;
export function hunksEqual(text: string, applied: readonly { merged: readonly string[] }[], people: string): boolean;
