#include "router/custody.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

struct range {
	uint64_t first, last;
	enum link_fate fate;
	enum failure failure;
};

struct origin {
	char instance[LINK_INSTANCE_LEN + 1];
	bool own;
	uint64_t last_used; /* in uses of the custody: the least goes first */
	struct map open;    /* number, 8 bytes: item */
	struct range *ranges;
	size_t ranges_count, ranges_size;
	uint64_t forgotten; /* numbers up to it were had; their fates made room */
};

struct custody {
	struct map origins; /* instance: origin */
	struct origin *own;
	uint64_t next_number, uses;
	size_t count; /* of open stanzas */
};

void queue_push(struct queue *queue, struct item *item)
{
	assert(!item->queue);
	item->queue = queue;
	item->next = NULL;
	item->previous = queue->last;
	if (queue->last)
		queue->last->next = item;
	else
		queue->first = item;
	queue->last = item;
	queue->count++;
	queue->bytes += item->cost;
}

void queue_remove(struct item *item)
{
	struct queue *queue = item->queue;

	if (!queue)
		return;
	if (item->previous)
		item->previous->next = item->next;
	else
		queue->first = item->next;
	if (item->next)
		item->next->previous = item->previous;
	else
		queue->last = item->previous;
	queue->count--;
	queue->bytes -= item->cost;
	item->queue = NULL;
	item->next = item->previous = NULL;
}

static struct origin *add_origin(struct custody *custody, const char *instance)
{
	struct origin *origin = xcalloc(1, sizeof(*origin));

	memcpy(origin->instance, instance,
	       strnlen(instance, LINK_INSTANCE_LEN)); /* zeroed: terminated */
	map_put(&custody->origins, slice_of(origin->instance), origin);
	return origin;
}

static void free_origin(struct origin *origin)
{
	map_finish(&origin->open);
	free(origin->ranges);
	free(origin);
}

struct custody *custody_create(const char *instance)
{
	struct custody *custody = xcalloc(1, sizeof(*custody));

	custody->own = add_origin(custody, instance);
	custody->own->own = true;
	custody->next_number = 1;
	return custody;
}

static void free_item(struct item *item)
{
	queue_remove(item);
	stanza_destroy(&item->stanza);
	free(item);
}

void custody_destroy(struct custody **custody_ref)
{
	struct custody *custody = *custody_ref;
	struct origin *origin;
	size_t place = 0;

	if (!custody)
		return;
	*custody_ref = NULL;
	while ((origin = map_next(&custody->origins, &place, NULL))) {
		struct item *item;
		size_t at = 0;

		while ((item = map_next(&origin->open, &at, NULL)))
			free_item(item);
		free_origin(origin);
	}
	map_finish(&custody->origins);
	free(custody);
}

/* Makes room by forgetting the origin that was not used for the longest time and has nothing
 * open. */
static void forget_one(struct custody *custody)
{
	struct origin *origin, *oldest = NULL;
	size_t place = 0;

	while ((origin = map_next(&custody->origins, &place, NULL))) {
		if (!origin->own && !origin->open.count &&
		    (!oldest || origin->last_used < oldest->last_used))
			oldest = origin;
	}
	if (oldest) {
		map_remove(&custody->origins, slice_of(oldest->instance));
		free_origin(oldest);
	}
}

static struct origin *find_origin(const struct custody *custody, const char *instance)
{
	return map_get(&custody->origins, slice_of(instance));
}

static struct slice key_of(const uint64_t *number)
{
	return (struct slice){ (const char *)number, sizeof(*number) };
}

static struct item *add_item(struct custody *custody, struct origin *origin, uint64_t number,
			     struct stanza **stanza)
{
	struct item *item = xcalloc(1, sizeof(*item));

	item->origin = origin;
	item->number = number;
	item->stanza = *stanza;
	*stanza = NULL;
	item->cost = stanza_cost(item->stanza) + sizeof(*item);
	map_put(&origin->open, key_of(&number), item);
	custody->count++;
	return item;
}

struct item *custody_enter(struct custody *custody, struct stanza **stanza)
{
	return add_item(custody, custody->own, custody->next_number++, stanza);
}

/* The first range that ends at or behind the number; the count if there is none. */
static size_t range_at(const struct origin *origin, uint64_t number)
{
	size_t low = 0, high = origin->ranges_count;

	/* Nearly always it is behind all the others. */
	if (high && origin->ranges[high - 1].last < number)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (origin->ranges[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct range *find_range(const struct origin *origin, uint64_t number)
{
	size_t at = range_at(origin, number);

	return at < origin->ranges_count && origin->ranges[at].first <= number ? &origin->ranges[at]
									       : NULL;
}

enum custody_verdict custody_take(struct custody *custody, const char *instance, uint64_t number,
				  struct stanza **stanza, struct item **item, enum link_fate *fate,
				  enum failure *failure)
{
	struct origin *origin = find_origin(custody, instance);
	const struct range *range;

	if (!origin) {
		if (custody->origins.count >= CUSTODY_ORIGINS_MAX)
			forget_one(custody);
		origin = add_origin(custody, instance);
	}
	origin->last_used = ++custody->uses;
	*item = map_get(&origin->open, key_of(&number));
	range = find_range(origin, number);
	if (*item) {
		stanza_destroy(stanza);
		return CUSTODY_OPEN;
	}
	if (range || origin->own || number <= origin->forgotten) {
		*fate = range ? range->fate : origin->own ? LINK_REFUSED : LINK_UNCERTAIN;
		*failure = range	 ? range->failure
			   : origin->own ? FAILURE_RULE_BROKEN
					 : FAILURE_NONE;
		stanza_destroy(stanza);
		return CUSTODY_SETTLED;
	}
	*item = add_item(custody, origin, number, stanza);
	return CUSTODY_NEW;
}

struct item *custody_find(const struct custody *custody, const char *instance, uint64_t number)
{
	struct origin *origin = find_origin(custody, instance);

	return origin ? map_get(&origin->open, key_of(&number)) : NULL;
}

static bool joins(const struct range *a, const struct range *b)
{
	return a->last + 1 == b->first && a->fate == b->fate && a->failure == b->failure;
}

static void remove_range(struct origin *origin, size_t at)
{
	origin->ranges_count--;
	memmove(&origin->ranges[at], &origin->ranges[at + 1],
		(origin->ranges_count - at) * sizeof(origin->ranges[0]));
}

static void remember(struct origin *origin, const struct range *fate)
{
	size_t at = range_at(origin, fate->first);

	if (at > 0 && joins(&origin->ranges[at - 1], fate)) {
		origin->ranges[--at].last = fate->last;
	} else {
		if (origin->ranges_count == CUSTODY_RANGES_MAX) {
			origin->forgotten = origin->ranges[0].last;
			remove_range(origin, 0);
			at -= at > 0;
		}
		if (origin->ranges_count == origin->ranges_size) {
			origin->ranges_size = origin->ranges_size ? origin->ranges_size * 2 : 4;
			origin->ranges = xrealloc(origin->ranges,
						  origin->ranges_size * sizeof(origin->ranges[0]));
		}
		memmove(&origin->ranges[at + 1], &origin->ranges[at],
			(origin->ranges_count - at) * sizeof(origin->ranges[0]));
		origin->ranges[at] = *fate;
		origin->ranges_count++;
	}
	if (at + 1 < origin->ranges_count && joins(&origin->ranges[at], &origin->ranges[at + 1])) {
		origin->ranges[at].last = origin->ranges[at + 1].last;
		remove_range(origin, at + 1);
	}
}

void custody_settle(struct custody *custody, struct item **item_ref, enum link_fate fate,
		    enum failure failure)
{
	struct item *item = *item_ref;
	struct origin *origin = item->origin;

	*item_ref = NULL;
	map_remove(&origin->open, key_of(&item->number));
	custody->count--;
	/* Nobody sends us our own numbers again. */
	if (!origin->own)
		remember(origin, &(struct range){ item->number, item->number, fate, failure });
	free_item(item);
}

const char *origin_instance(const struct origin *origin)
{
	return origin->instance;
}

size_t custody_open_count(const struct custody *custody)
{
	return custody->count;
}
