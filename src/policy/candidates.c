#include "policy/candidates.h"

#include "base/alloc.h"

#include <stdlib.h>

/* By priority; within one, those of weight 0 first, as RFC 2782 wants them for its choice. */
static int compare(const void *left, const void *right)
{
	const struct srv_record *a = left, *b = right;

	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return (a->weight != 0) - (b->weight != 0);
}

/* RFC 2782: the first whose running sum reaches a number out of [0, sum of weights]. When none has
 * a weight, that would always be the first of them; then all have the same chance instead. */
static size_t choose(const struct srv_record *records, size_t count, candidates_random_fn *random,
		     void *arg)
{
	uint32_t total = 0, sum = 0, number; /* a DNS message holds fewer than 65,536 records */
	size_t i;

	for (i = 0; i < count; i++)
		total += records[i].weight;
	if (total == 0)
		return random(arg, (uint32_t)count);
	number = random(arg, total + 1);
	for (i = 0; i + 1 < count; i++) {
		sum += records[i].weight;
		if (sum >= number)
			break;
	}
	return i;
}

/* All of one priority. The rest keeps its order, so that weight 0 stays in front. */
static void order_by_weight(struct srv_record *records, size_t count, candidates_random_fn *random,
			    void *arg)
{
	for (; count > 1; records++, count--) {
		size_t i = choose(records, count, random, arg);
		struct srv_record chosen = records[i];

		memmove(records + 1, records, i * sizeof(*records));
		records[0] = chosen;
	}
}

void srv_sort(struct srv_record *records, size_t count, candidates_random_fn *random, void *arg)
{
	if (count < 2)
		return;
	qsort(records, count, sizeof(*records), compare);
	for (size_t start = 0, end; start < count; start = end) {
		for (end = start + 1; end < count; end++) {
			if (records[end].priority != records[start].priority)
				break;
		}
		order_by_weight(records + start, end - start, random, arg);
	}
}

bool srv_says_no_service(const struct srv_record *records, size_t count)
{
	return count == 1 && (strcmp(records[0].target, ".") == 0 || records[0].target[0] == '\0');
}

static size_t next_of_family(const struct address *addresses, size_t count, size_t from, bool v6)
{
	while (from < count && addresses[from].v6 != v6)
		from++;
	return from;
}

void addresses_interleave(struct address *addresses, size_t count)
{
	struct address *given = xcalloc(count ? count : 1, sizeof(*given));
	size_t place[2] = { 0, 0 }; /* how far each family has been taken; [1] is IPv6 */
	bool v6 = true;

	if (count)
		memcpy(given, addresses, count * sizeof(*given));
	for (size_t i = 0; i < count; i++, v6 = !v6) {
		size_t found = next_of_family(given, count, place[v6], v6);

		if (found == count) { /* that family has run out: the rest is of the other */
			v6 = !v6;
			found = next_of_family(given, count, place[v6], v6);
		}
		addresses[i] = given[found];
		place[v6] = found + 1;
	}
	free(given);
}
