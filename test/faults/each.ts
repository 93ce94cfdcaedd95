/** Two at a time: this is what a small machine bears, and kills are not to wait for each other. */
export async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<string[]>): Promise<string[]> {
  const broken: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item === undefined) return;
      const found = await work(item);
      broken.push(...found.map((one) => `${JSON.stringify(item)}: ${one}`));
    }
  };
  await Promise.all([worker(), worker()]);
  return broken;
}
