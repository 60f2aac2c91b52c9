/*
 * The event loop: sockets, timers and work put off to the end of a wake-up. libevent is behind
 * it and nowhere else but in what must speak to it (the resolver's libunbound, evhttp, libcurl).
 *
 * One loop belongs to one thread. A wake-up is: what is readable or writable, then the timers
 * that are due, then the deferred tasks, until there are none. Tasks are what turns many small
 * sends into one write for each destination and wake-up.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/timer.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct loop;
struct loop_task;
struct loop_io;

typedef void loop_task_fn(struct loop_task *task);
typedef void loop_io_fn(struct loop_io *io, bool readable, bool writable);

/* Lives in what it serves; zero it, set `run`. Runs once for each time it is deferred. */
struct loop_task {
	loop_task_fn *run;
	struct loop_task *next, **link; /* link: NULL when not deferred */
};

/* A watched descriptor; the owner keeps and closes the descriptor itself. */
struct loop_io {
	loop_io_fn *ready;
	struct loop *loop; /* set by loop_watch */
	int fd;
	bool reads, writes; /* what is watched now */
	struct event read_event, write_event;
};

struct loop *loop_create(void); /* from then on the process ignores SIGPIPE */
void loop_destroy(struct loop **loop);
void loop_run(struct loop *loop); /* returns after loop_stop */
void loop_stop(struct loop *loop);

/*
 * From now on the kernel ends the process (SIGALRM) when the loop has not turned for so long: then
 * something in it spins or blocks, and whoever watches us starts us again, which nobody would
 * while we live. One loop of a process.
 */
#define LOOP_GUARD_S 30 /* far above any turn's work, and below what an operator waits for */
void loop_guard(struct loop *loop, unsigned seconds);

struct event_base *loop_base(struct loop *loop);
/* For callbacks of libevent's own (evhttp), before they reckon with the time: the loop reads the
 * clock by itself for what it calls. */
void loop_read_clock(struct loop *loop);
struct timers *loop_timers(struct loop *loop);
uint64_t loop_now_ms(const struct loop *loop); /* monotonic, as of this wake-up */
uint64_t loop_clock_us(void);		       /* monotonic, now: for measuring */

/* Arms a timer by the loop's clock. */
void loop_arm(struct loop *loop, struct timer *timer, uint64_t in_ms);
void loop_disarm(struct loop *loop, struct timer *timer);

void loop_defer(struct loop *loop, struct loop_task *task); /* deferred already: fine */
/* Puts it off to the next wake-up, which then comes without sleep: for long work in turns. */
void loop_defer_to_next(struct loop *loop, struct loop_task *task);
/* Runs it when the loop is destroyed: for what has no owner who would clean up. */
void loop_defer_to_end(struct loop *loop, struct loop_task *task);
void loop_undefer(struct loop *loop, struct loop_task *task); /* not deferred: fine */

void loop_watch(struct loop *loop, struct loop_io *io, bool reads, bool writes);
void loop_unwatch(struct loop_io *io); /* before the descriptor is closed */

/* Calls fn(arg) once for each arrival of the signal, from the loop. */
void loop_on_signal(struct loop *loop, int signal, void (*fn)(void *arg), void *arg);

#endif
