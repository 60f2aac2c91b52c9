#include "net/loop.h"

#include "base/alloc.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

struct signal_watch {
	struct signal_watch *next;
	struct loop *loop;
	struct event *event;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	struct event *wake; /* ends the sleep when the next timer is due */
	struct timers timers;
	struct task_list {
		struct loop_task *first, **last;
	} now, next, end; /* tasks of this wake-up, of the one after it, of the loop's end */
	struct signal_watch *signals;
	struct timer guard; /* winds the alarm again */
	unsigned guard_s;
	bool stopped;
	bool woken; /* in this wake-up the clock was read */
};

uint64_t loop_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The first thing of a wake-up: who is called reckons from now, not from before the sleep. */
void loop_read_clock(struct loop *loop)
{
	if (!loop->woken)
		loop->timers.now_ms = loop_clock_us() / 1000;
	loop->woken = true;
}

static void wake_up(evutil_socket_t fd, short what, void *arg)
{
}

struct loop *loop_create(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	/* A peer that is gone is an error of the write; libraries that write for us cannot say so.
	 */
	signal(SIGPIPE, SIG_IGN);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!loop->base)
		abort();
	loop->wake = evtimer_new(loop->base, wake_up, NULL);
	if (!loop->wake)
		abort();
	loop->now.last = &loop->now.first;
	loop->next.last = &loop->next.first;
	loop->end.last = &loop->end.first;
	loop->timers.now_ms = loop_clock_us() / 1000;
	return loop;
}

static void push(struct task_list *list, struct loop_task *task)
{
	task->next = NULL;
	task->link = list->last;
	*list->last = task;
	list->last = &task->next;
}

static void run_tasks(struct loop *loop, struct task_list *list)
{
	while (list->first) {
		struct loop_task *task = list->first;

		loop_undefer(loop, task);
		task->run(task);
	}
}

/* The guard */

static void set_alarm(unsigned seconds)
{
	struct itimerval when = { .it_value.tv_sec = seconds };

	if (setitimer(ITIMER_REAL, &when, NULL) < 0)
		abort();
}

static void on_guard(struct timer *timer)
{
	struct loop *loop = (void *)((char *)timer - offsetof(struct loop, guard));

	set_alarm(loop->guard_s);
	loop_arm(loop, timer, loop->guard_s * UINT64_C(1000) / 3);
}

void loop_guard(struct loop *loop, unsigned seconds)
{
	signal(SIGALRM, SIG_DFL);
	loop->guard_s = seconds;
	loop->guard.fire = on_guard;
	on_guard(&loop->guard);
}

void loop_destroy(struct loop **loop_ref)
{
	struct loop *loop = *loop_ref;

	if (!loop)
		return;
	*loop_ref = NULL;
	if (loop->guard_s)
		set_alarm(0);
	loop_disarm(loop, &loop->guard);
	run_tasks(loop, &loop->end);
	run_tasks(loop, &loop->now); /* what was put off frees memory */
	while (loop->signals) {
		struct signal_watch *watch = loop->signals;

		loop->signals = watch->next;
		event_free(watch->event);
		free(watch);
	}
	timers_finish(&loop->timers);
	event_free(loop->wake);
	event_base_free(loop->base);
	free(loop);
}

static bool timer_is_due(const struct loop *loop)
{
	return loop->timers.count && loop->timers.heap[1]->due_ms <= loop->timers.now_ms;
}

/* Sleeps until a descriptor is ready or the first timer is due. */
static void sleep_until_due(struct loop *loop)
{
	struct timeval sleep;
	uint64_t in_ms;

	if (!loop->timers.count) {
		evtimer_del(loop->wake);
		return;
	}
	in_ms = loop->timers.heap[1]->due_ms - loop->timers.now_ms;
	sleep.tv_sec = (time_t)(in_ms / 1000);
	sleep.tv_usec = (suseconds_t)(in_ms % 1000) * 1000;
	evtimer_add(loop->wake, &sleep);
}

static void take_next_tasks(struct loop *loop)
{
	while (loop->next.first) {
		struct loop_task *task = loop->next.first;

		loop_undefer(loop, task);
		push(&loop->now, task);
	}
}

void loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		/* A task may arm a timer that is due at once, and a timer defer a task. */
		do {
			timers_run(&loop->timers, loop_clock_us() / 1000);
			run_tasks(loop, &loop->now);
		} while (timer_is_due(loop));
		if (loop->stopped)
			break;
		sleep_until_due(loop);
		loop->woken = false;
		if (event_base_loop(loop->base,
				    EVLOOP_ONCE | (loop->next.first ? EVLOOP_NONBLOCK : 0)) < 0)
			abort();
		loop->timers.now_ms = loop_clock_us() / 1000;
		take_next_tasks(loop);
	}
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

struct timers *loop_timers(struct loop *loop)
{
	return &loop->timers;
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->timers.now_ms;
}

void loop_arm(struct loop *loop, struct timer *timer, uint64_t in_ms)
{
	timer_arm(&loop->timers, timer, in_ms);
}

void loop_disarm(struct loop *loop, struct timer *timer)
{
	timer_disarm(&loop->timers, timer);
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (!task->link)
		push(&loop->now, task);
}

void loop_defer_to_next(struct loop *loop, struct loop_task *task)
{
	if (!task->link)
		push(&loop->next, task);
}

void loop_defer_to_end(struct loop *loop, struct loop_task *task)
{
	if (!task->link)
		push(&loop->end, task);
}

void loop_undefer(struct loop *loop, struct loop_task *task)
{
	if (!task->link)
		return;
	*task->link = task->next;
	if (task->next)
		task->next->link = task->link;
	else if (loop->now.last == &task->next)
		loop->now.last = task->link;
	else if (loop->next.last == &task->next)
		loop->next.last = task->link;
	else
		loop->end.last = task->link;
	task->link = NULL;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;

	loop_read_clock(io->loop);
	io->ready(io, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

void loop_watch(struct loop *loop, struct loop_io *io, bool reads, bool writes)
{
	io->loop = loop;
	if (reads && !io->reads) {
		event_assign(&io->read_event, loop->base, io->fd, EV_READ | EV_PERSIST, on_event,
			     io);
		event_add(&io->read_event, NULL);
	} else if (!reads && io->reads) {
		event_del(&io->read_event);
	}
	if (writes && !io->writes) {
		event_assign(&io->write_event, loop->base, io->fd, EV_WRITE | EV_PERSIST, on_event,
			     io);
		event_add(&io->write_event, NULL);
	} else if (!writes && io->writes) {
		event_del(&io->write_event);
	}
	io->reads = reads;
	io->writes = writes;
}

void loop_unwatch(struct loop_io *io)
{
	if (io->reads)
		event_del(&io->read_event);
	if (io->writes)
		event_del(&io->write_event);
	io->reads = io->writes = false;
}

static void on_signal(evutil_socket_t signal, short what, void *arg)
{
	struct signal_watch *watch = arg;

	loop_read_clock(watch->loop);
	watch->fn(watch->arg);
}

void loop_on_signal(struct loop *loop, int signal, void (*fn)(void *arg), void *arg)
{
	struct signal_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->fn = fn;
	watch->arg = arg;
	watch->event = evsignal_new(loop->base, signal, on_signal, watch);
	if (!watch->event)
		abort();
	evsignal_add(watch->event, NULL);
	watch->next = loop->signals;
	loop->signals = watch;
}
