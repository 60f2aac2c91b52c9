/*
 * Timers that live in what they time, so arming cannot fail. The caller tells the time, in
 * milliseconds on any clock that never goes back, so tests turn the clock. No I/O.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;
typedef void timer_fn(struct timer *timer);

struct timer {
	timer_fn *fire; /* set by the owner; the timer is disarmed when it is called */
	uint64_t due_ms;
	size_t place; /* in the heap, from 1; 0: not armed */
};

struct timers {
	uint64_t now_ms; /* as last told */
	struct timer **heap;
	size_t count, size;
};

/* Due `in_ms` after timers->now_ms. Armed already: moves it. */
void timer_arm(struct timers *timers, struct timer *timer, uint64_t in_ms);
void timer_disarm(struct timers *timers, struct timer *timer); /* not armed: fine */
static inline bool timer_is_armed(const struct timer *timer)
{
	return timer->place != 0;
}

/* Fires what is due, earliest first; returns milliseconds until the next, or -1 for none. */
int64_t timers_run(struct timers *timers, uint64_t now_ms);
void timers_finish(struct timers *timers); /* what is armed stays unfired */

#endif
