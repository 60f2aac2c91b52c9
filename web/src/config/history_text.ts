/*
 * What `config history` prints, newest first: "13 2026-11-24T12:55:26Z root: NAME from A to B", a
 * line for each setting of a revision. Lines of one revision are put together. Pure.
 */
export interface Revision {
	number: number;
	time: string;
	author: string;
	changes: { name: string; text: string }[];
}

const LINE = /^(\d+) (\S+) (.+?): (\S+) (.*)$/;

export function readHistory(text: string): Revision[] {
	const revisions: Revision[] = [];
	for (const line of text.split("\n")) {
		const found = LINE.exec(line);
		if (!found) continue;
		const [, digits, time = "", author = "", name = "", rest = ""] = found;
		const last = revisions[revisions.length - 1];
		if (last?.number === Number(digits)) last.changes.push({ name, text: rest });
		else
			revisions.push({
				number: Number(digits),
				time,
				author,
				changes: [{ name, text: rest }],
			});
	}
	return revisions;
}

export function findRevisions(revisions: Revision[], text: string): Revision[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	return revisions.filter((revision) => {
		const changes = revision.changes
			.map((change) => `${change.name} ${change.text}`)
			.join(" ");
		const hay =
			`${revision.number} ${revision.time} ${revision.author} ${changes}`.toLowerCase();
		return words.every((word) => hay.includes(word));
	});
}
