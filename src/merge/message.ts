/** The message of a task's merge commit: its title, then trailers that name task, branch and run. */
export function mergeMessage(task: { task: string; title: string; branch: string; commit: string; run: string }): string {
  const title = task.title.replace(/\s+/g, " ").trim();
  const subject = `Merge ${task.branch}: ${title}`;
  return `${subject.length > 100 ? `${subject.slice(0, 99)}…` : subject}\n\nGraftwork-Task: ${task.task}\nGraftwork-Commit: ${task.commit}\nGraftwork-Run: ${task.run}\n`;
}
