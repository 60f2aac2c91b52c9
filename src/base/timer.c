#include "base/timer.h"

#include "base/alloc.h"

#include <stdlib.h>

/* A binary heap, 1-based: children of i are 2i and 2i+1. Each timer knows its place. */

static void put(struct timers *t, size_t place, struct timer *timer)
{
	t->heap[place] = timer;
	timer->place = place;
}

static void settle(struct timers *t, size_t place, struct timer *timer)
{
	while (place > 1 && t->heap[place / 2]->due_ms > timer->due_ms) {
		put(t, place, t->heap[place / 2]);
		place /= 2;
	}
	for (;;) {
		size_t child = place * 2;

		if (child > t->count)
			break;
		if (child < t->count && t->heap[child + 1]->due_ms < t->heap[child]->due_ms)
			child++;
		if (t->heap[child]->due_ms >= timer->due_ms)
			break;
		put(t, place, t->heap[child]);
		place = child;
	}
	put(t, place, timer);
}

void timer_arm(struct timers *t, struct timer *timer, uint64_t in_ms)
{
	timer->due_ms = t->now_ms + in_ms;
	if (!timer->place) {
		if (t->count + 1 >= t->size) {
			t->size = t->size ? t->size * 2 : 64;
			t->heap = xrealloc(t->heap, t->size * sizeof(t->heap[0]));
		}
		timer->place = ++t->count;
	}
	settle(t, timer->place, timer);
}

void timer_disarm(struct timers *t, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (!place)
		return;
	timer->place = 0;
	last = t->heap[t->count--];
	if (last != timer)
		settle(t, place, last);
}

int64_t timers_run(struct timers *t, uint64_t now_ms)
{
	t->now_ms = now_ms;
	while (t->count && t->heap[1]->due_ms <= now_ms) {
		struct timer *timer = t->heap[1];

		timer_disarm(t, timer);
		timer->fire(timer);
	}
	return t->count ? (int64_t)(t->heap[1]->due_ms - now_ms) : -1;
}

void timers_finish(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){ 0 };
}
